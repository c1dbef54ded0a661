"""What running plugins use, asked of systemd every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from toru.core.history import History
from toru.core.live import Live, Measured
from toru.core.plugins import Figures, Plugins
from toru.core.traffic import AllTraffic
from toru.domain.errors import SystemdRefused
from toru.domain.ids import PluginId
from toru.systemd.bus import Bus
from toru.systemd.observe import read_figures

WATCHED_SECONDS, UNWATCHED_SECONDS = 3.0, 15.0
"""Between two rounds, while somebody watches and while nobody does."""
SHARE = 0.05
"""Of the time, that a round may take at most: with hundreds of running plugins the rounds get rarer."""


class Sampling:
    """`bus` is the connection to systemd that is open now, or raises `SystemdRefused`."""

    def __init__(
        self, plugins: Plugins, traffic: AllTraffic, live: Live, history: History, bus: Callable[[], Bus]
    ) -> None:
        self._plugins = plugins
        self._traffic = traffic
        self._live = live
        self._history = history
        self._bus = bus
        self._before: dict[PluginId, tuple[float, float]] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            began = time.monotonic()
            with suppress(SystemdRefused):  # the observer says so, and there will be another connection
                await self._round()
            took = time.monotonic() - began
            await self._pause(took / SHARE)

    async def _pause(self, least: float) -> None:
        """Until the next round. Somebody who begins to watch waits no longer than one who watches."""
        waited = 0.0
        while waited < least or waited < (WATCHED_SECONDS if self._live.watched else UNWATCHED_SECONDS):
            await asyncio.sleep(WATCHED_SECONDS)
            waited += WATCHED_SECONDS

    async def _round(self) -> None:
        bus = self._bus()
        figures: dict[PluginId, Figures] = {}
        for plugin_id in self._plugins.running():
            try:
                memory, tasks, cpu = await read_figures(bus, plugin_id)
            except SystemdRefused:
                if plugin_id not in self._plugins.running():
                    continue  # gone in the meantime
                raise
            figures[plugin_id] = Figures(memory_bytes=memory, tasks=tasks, cpu_seconds=cpu)
        now = time.time()
        measured = self._measured(figures, now)
        self._history.note(now, measured.plugins)
        if figures and self._live.watched:
            self._live.publish(measured)
        self._plugins.note_figures(figures)
        self._before = {it: (now, found.cpu_seconds) for it, found in figures.items() if found.cpu_seconds is not None}

    def _measured(self, figures: dict[PluginId, Figures], now: float) -> Measured:
        return Measured(
            at=now,
            plugins={
                plugin_id: {
                    "memory_bytes": found.memory_bytes,
                    "tasks": found.tasks,
                    "cpu_seconds": found.cpu_seconds,
                    "cpu_percent": self._cpu_percent(plugin_id, found.cpu_seconds, now),
                    "requests": self._traffic.of(plugin_id).requests,
                }
                for plugin_id, found in figures.items()
            },
        )

    def _cpu_percent(self, plugin_id: PluginId, seconds: float | None, now: float) -> float | None:
        """Of one processor, since the round before; None for a plugin that is new since."""
        before = self._before.get(plugin_id)
        if before is None or seconds is None or now <= before[0] or seconds < before[1]:
            return None
        return round(100 * (seconds - before[1]) / (now - before[0]), 1)
