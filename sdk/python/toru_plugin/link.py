"""What a plugin can ask of the process that it runs in, from any thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import re
from typing import Callable

from toru_plugin.process import Listening

LARGEST_PUSH = 16_384
"""Characters of its data, as JSON without white space."""

_NAME = re.compile(r"[A-Za-z0-9._~-]{1,64}")


class Link:
    """Tied while the plugin serves."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listening: Listening | None = None
        self._fail: Callable[[str], None] = lambda _: None

    def tie(self, listening: Listening, fail: Callable[[str], None]) -> None:
        """In the loop."""
        self._loop = asyncio.get_running_loop()
        self._listening = listening
        self._fail = fail

    def push(self, name: str, data: object) -> bool:
        """ValueError, where Toru would drop it."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"an event's name has 1 to 64 letters, digits and -._~, not {name!r:.80}")
        length = len(json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
        if length > LARGEST_PUSH:
            raise ValueError(f"{length} characters are over the limit of {LARGEST_PUSH}")
        loop, listening = self._loop, self._listening
        if loop is None or listening is None:
            return False
        if _running_loop() is loop:
            return listening.push(name, data)
        pushed: concurrent.futures.Future[bool] = concurrent.futures.Future()
        loop.call_soon_threadsafe(lambda: pushed.set_result(listening.push(name, data)))
        return pushed.result()

    def fail(self, reason: str) -> None:
        """Ends the process, as a failure. In the loop."""
        self._fail(reason)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
