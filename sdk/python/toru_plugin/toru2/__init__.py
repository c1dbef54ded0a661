"""The plugin's side of toru/2 (docs/protocol.md of Toru).

connection    a socket, and the conversation on it
conversation  what may be said on it, and when
stream        one request of a conversation, and its answer
frames        how it lies on the wire
"""
