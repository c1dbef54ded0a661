"""Which plugin a path leads to, and what is left of the path for the plugin (ROUTE-1, ROUTE-2)."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from toru.gateway.lane import Lane

PREFIX = b"/api/plugins/route/"

_DOTS = re.compile(rb"(?:^|/)(?:\.|%2e){2}(?:/|$)", re.IGNORECASE)
_ENCODED_SLASH = re.compile(rb"%(?:2f|5c|00)", re.IGNORECASE)


def name_in(target: bytes) -> bytes | None:
    """What a target calls the plugin that it is for: its route or its id. None: it is for no plugin."""
    if not target.startswith(PREFIX):
        return None
    return unquote_to_bytes(target[len(PREFIX) :].partition(b"?")[0].partition(b"/")[0])


class BadPath(Exception):
    """`str(error)` is a sentence for who asked."""


Place = tuple[Lane | None, bytes, bytes]
"""Where a request goes: the plugin's lane (None: none has this route), `/rest?query` for it, and what was before it."""


class Routes:
    """Routes, and ids as other names of them; a route counts first."""

    def __init__(self) -> None:
        self._lanes: dict[bytes, Lane] = {}

    def replace(self, lanes: dict[bytes, Lane]) -> None:
        self._lanes = lanes

    def place(self, target: bytes) -> Place:
        """Where this target leads, which begins with PREFIX; or `BadPath`."""
        end = target.find(b"/", len(PREFIX))
        lane = self._lanes.get(target[len(PREFIX) : end])
        if lane is not None and end > 0 and b".." not in target and b"%" not in target:
            return lane, target[end:], target[:end]  # as most are, and in half the time
        path, mark, query = target[len(PREFIX) :].partition(b"?")
        segment, _, rest = path.partition(b"/")
        if not segment:
            raise BadPath("the path names no plugin")
        if b"%" in segment and _ENCODED_SLASH.search(segment):
            raise BadPath("there is an encoded slash in the plugin's route")
        if (b".." in path or b"%" in path) and _DOTS.search(path):
            raise BadPath('".." has no place in a path')
        lane = self._lanes.get(unquote_to_bytes(segment))
        return lane, b"/" + rest + mark + query, PREFIX + segment
