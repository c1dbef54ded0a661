"""Front ends that plugins bring along: a request for ID/bundle.js is the plugin's own where no file is (API-3)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from toru.gateway.heads import Head
from toru.gateway.routes import PREFIX
from toru.web.bundles import PLACES

_TARGET = re.compile(rb"/api/plugins/([A-Za-z0-9-]{1,64})/bundle\.js(\?.*)?", re.DOTALL)
_SAID = (b"content-type:", b"cache-control:", b"x-content-type-options:")
_LINES = (
    b"Content-Type: text/javascript; charset=utf-8",
    b"Cache-Control: no-cache",
    b"X-Content-Type-Options: nosniff",
)


def of_plugin(head: Head, plugins_dir: Path) -> bytes | None:
    """Where this request leads, if it is for the plugin itself. None: it is the API's."""
    match = _TARGET.fullmatch(head.target)
    if match is None or head.method not in {b"GET", b"HEAD"}:
        return None
    directory = plugins_dir / match[1].decode()
    if any(os.path.lexists(directory / place) for place in PLACES):
        return None
    return PREFIX + match[1] + b"/bundle.js" + (match[2] or b"")


def said_of_script(lines: Iterable[bytes]) -> list[bytes]:
    """The lines of an answer that is a front end: a script whatever the plugin calls it, and asked for anew."""
    return [*(line for line in lines if not line.lower().startswith(_SAID)), *_LINES]
