"""Plugins for Toru in Python. What is exported here is the interface; everything else may change.

plugin      a plugin: what it says of itself, and what it answers
request     what is asked
response    what is answered
errors      what is answered otherwise than well
kv          the plugin's storage in Toru
host        directories, secrets, settings
logs        to the journal, with levels and parts
asgi        a FastAPI or Starlette app as a plugin
testing     a plugin in its author's tests
dev         --dev: HTTP on a port, with reload
build       toru-plugin build: a plugin as one file
"""

from __future__ import annotations

from toru_plugin.errors import Refusal
from toru_plugin.exchange import Gone
from toru_plugin.headers import Headers
from toru_plugin.host import Missing
from toru_plugin.kv import AsyncKv, Kv, KvEntry, KvError, KvPage, KvTooLarge, KvUnavailable
from toru_plugin.logs import NOTICE, JournalFormatter, JournalHandler
from toru_plugin.plugin import Plugin
from toru_plugin.request import PlainRequest, Request
from toru_plugin.response import Event, Response, events

__all__ = [
    "NOTICE",
    "AsyncKv",
    "Event",
    "Gone",
    "Headers",
    "JournalFormatter",
    "JournalHandler",
    "Kv",
    "KvEntry",
    "KvError",
    "KvPage",
    "KvTooLarge",
    "KvUnavailable",
    "Missing",
    "PlainRequest",
    "Plugin",
    "Refusal",
    "Request",
    "Response",
    "events",
]
__version__ = "0.1.0"
