"""What a plugin pushes to its open views: some, and no flood."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from toru.domain.ids import PluginId
from toru.gateway.toru2 import messages
from toru.gateway.toru2.messages import BadPush
from toru.systemd import notify

AT_ONCE, A_SECOND = 100, 20
LOG_SECONDS = 60.0
"""Between two lines about what was dropped."""

OnPush = Callable[[PluginId, str, str, int], None]
"""Called with the plugin, the event's name, its data as JSON, and how many were dropped before it."""


class Pushes:
    def __init__(self, plugin: PluginId, on_push: OnPush, clock: Callable[[], float] = time.monotonic) -> None:
        self._plugin = plugin
        self._on_push = on_push
        self._clock = clock
        self._allowed = float(AT_ONCE)
        self._as_of = clock()
        self._dropped = 0
        self._quiet_until = float("-inf")

    def take(self, payload: Mapping[str, Any]) -> None:
        """Hands it on, or drops it and says so to whoever gets the next."""
        now = self._clock()
        self._allowed = min(AT_ONCE, self._allowed + (now - self._as_of) * A_SECOND)
        self._as_of = now
        if self._allowed < 1:
            self._drop(f"pushed more than {AT_ONCE} events at once and {A_SECOND} a second")
            return
        self._allowed -= 1
        try:
            push = messages.push_of(payload)
        except BadPush as breach:
            self._drop(str(breach))
            return
        dropped, self._dropped = self._dropped, 0
        self._on_push(self._plugin, push.name, push.data, dropped)

    def _drop(self, why: str) -> None:
        self._dropped += 1
        if self._clock() >= self._quiet_until:
            self._quiet_until = self._clock() + LOG_SECONDS
            notify.log(notify.WARNING, f"{self._plugin} {why}: dropped", TORU_PLUGIN=self._plugin)
