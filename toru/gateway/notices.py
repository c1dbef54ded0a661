"""One line in the journal for every request that was not answered by its plugin; unless they come in a flood.

Whoever floods the journal drives out what others wrote. Beyond a few lines about the same, it says how many more there
were.
"""

from __future__ import annotations

import time

from toru.gateway.refusals import Refusal
from toru.gateway.targets import Target
from toru.systemd import notify

WHOLE_LINES = 20
WITHIN_SECONDS = 10.0
"""So many lines about one plugin and status, in so long; the others are counted."""


class _Window:
    def __init__(self, until: float) -> None:
        self.until = until
        self.lines = 0
        self.left_out = 0


class Notices:
    def __init__(self) -> None:
        self._windows: dict[tuple[str, int], _Window] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def note(self, refusal: Refusal, target: Target | None) -> None:
        """Writes it down, or counts it."""
        if refusal.status == 401:
            return  # nobody's error, and anybody may cause as many as he likes
        plugin = "" if target is None else str(target.plugin)
        now = time.monotonic()
        window = self._windows.get((plugin, refusal.status))
        if window is None or now > window.until:
            self.tell(now)
            window = self._windows[plugin, refusal.status] = _Window(now + WITHIN_SECONDS)
        if window.lines >= WHOLE_LINES:
            window.left_out += 1
            return
        window.lines += 1
        more = "" if refusal.log is None else f"; {refusal.log}"
        _log(plugin, refusal.status, f"{refusal.detail}{more}")

    def tell(self, now: float) -> None:
        """Says how many were left out of what is over."""
        for (plugin, status), window in list(self._windows.items()):
            if now > window.until:
                del self._windows[plugin, status]
                if window.left_out:
                    _log(plugin, status, f"{window.left_out} more of these, in {WITHIN_SECONDS:g} seconds")


def _log(plugin: str, status: int, text: str) -> None:
    priority = notify.WARNING if status >= 500 else notify.INFO
    if plugin:
        notify.log(priority, f"{plugin}: {status}: {text}", TORU_PLUGIN=plugin)
    else:
        notify.log(priority, f"gateway: {status}: {text}")
