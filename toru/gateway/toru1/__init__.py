"""Plugins of toru/1: one JSON message in, one out.

way        one request a connection, one connection at a time
connection one of them
messages   what is said
large_json reads a large message in steps, so that nobody else waits for it
"""
