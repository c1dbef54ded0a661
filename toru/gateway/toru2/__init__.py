"""Plugins of toru/2: many requests on one connection, each streamed both ways.

way          a few connections, each with many requests under way
carrier      one request, there and back
connection   one of them
conversation what may be said on it, and when
stream       one request of a conversation
messages     what is said
frames       how it lies on the wire
pushes       what plugins tell open views
"""
