"""From clients to plugins: HTTP without a detour through the web framework, and without holding anything whole.

gateway    all of it, from its parts: plugins and clients that there are
protocol   a client's connection: which message begins and ends where
server     uvicorn with these connections, and such as another process has handed on
api_side   the same for the API: uvicorn, fed with one message at a time
heads      the head of a request, read strictly
framing    chunked bodies
patience   how long a client may take
reception  who is asking, for which plugin, and may they
admission  who is asking, from memory
vigil      whether who was let in may stay
routes     which plugin a path leads to
front_ends a request for bundle.js that is for the plugin
elsewhere  what another process serves
targets    plugins as the gateway sees them
lane       who is with a plugin, and who waits for a turn
visit      one request and its answer, the client's side
exchange   the same as plugins' sides see it: where the two meet
forwarding what is changed on the way
answers    the head of a plugin's answer, read strictly
refusals   what is answered where no plugin does
notices    a line in the log for each plugin that fails, and no flood of them
bell       how to reach a plugin, asleep or awake
ways       the same for each protocol
http1      plugins that speak HTTP/1.1
toru1      plugins of toru/1
toru2      plugins of toru/2
"""
