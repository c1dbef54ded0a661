"""From clients to plugins: HTTP without a detour through the web framework, and without holding anything whole.

gateway    all of it, from its parts: plugins and clients that there are
protocol   a client's connection: which message begins and ends where
heads      the head of a request, read strictly
framing    chunked bodies
patience   how long a client may take
reception  who is asking, for which plugin, and may they
admission  who is asking, from memory
routes     which plugin a path leads to
targets    plugins as the gateway sees them
lane       who is with a plugin, and who waits for a turn
visit      one request and its answer, the client's side
exchange   the same as plugins' sides see it: where the two meet
forwarding what is changed on the way
answers    the head of a plugin's answer, read strictly
refusals   what is answered where no plugin does
bell       how to reach a plugin, asleep or awake
http1      plugins that speak HTTP/1.1; http1_connection is one connection to one
toru1      plugins of toru/1: toru1_messages is what is said, toru1_connection one connection, large_json reads in steps
toru2      plugins of toru/2: toru2_connection is one connection, toru2_conversation what may be said on it and
           toru2_stream of one request, toru2_messages and toru2_frames how, toru2_pushes what is for open views
"""
