"""Plugins of toru/1: one JSON message in, one out.

way        one request a connection, one connection at a time
carrier    one request, there and back
room       how much may be held
connection one of them
messages   what is said
large_json reads a large message in steps, so that nobody else waits for it
"""
