"""Plugins that speak HTTP/1.1.

way        connections that are kept, and one request at a time on each
connection one of them
"""
