"""What plugins and their host use, looked at every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from toru.core.history import Counters, Counts, History
from toru.core.host import Envelope, Host
from toru.core.live import Live, Measured, host_measured
from toru.core.plugins import Figures, Plugins
from toru.core.traffic import AllTraffic, Traffic
from toru.domain.errors import SystemdRefused
from toru.domain.ids import PluginId
from toru.domain.units import SLICE
from toru.systemd.bus import Bus
from toru.systemd.observe import read_figures

WATCHED_SECONDS, UNWATCHED_SECONDS = 3.0, 15.0
"""Between two rounds, while somebody watches and while nobody does."""
SHARE = 0.05
"""Of the time, that a round may take at most: with hundreds of running plugins the rounds get rarer."""

_NO_TRAFFIC = Traffic()
_NO_PROCESS = Figures(memory_bytes=0, tasks=0, cpu_seconds=None)


class Rest:
    """How long to leave the processor to others after a round: so long that rounds take no more than their share."""

    def __init__(self) -> None:
        self._before = 0.0

    def after(self, seconds: float) -> float:
        """After a round that took this long. One that a busy machine held up says nothing of the next."""
        least = min(seconds, self._before) / SHARE
        self._before = seconds
        return least


class Sampling:
    """`bus` is the connection to systemd that is open now, or raises `SystemdRefused`."""

    def __init__(  # noqa: PLR0913  (it brings these together)
        self,
        plugins: Plugins,
        traffic: AllTraffic,
        live: Live,
        history: History,
        *,
        host: Host,
        bus: Callable[[], Bus],
    ) -> None:
        self._plugins = plugins
        self._traffic = traffic
        self._live = live
        self._history = history
        self._host = host
        self._bus = bus
        self._before: dict[PluginId, tuple[float, float]] = {}
        self._counters = Counters()
        self._counted_at: float | None = None

    async def run(self) -> None:
        """For ever."""
        rest = Rest()
        while True:
            began = time.monotonic()
            with suppress(SystemdRefused):  # the observer says so, and there will be another connection
                await self._round()
            await self._pause(rest.after(time.monotonic() - began))

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
                memory, tasks, cpu = await read_figures(bus, plugin_id.service)
            except SystemdRefused:
                if plugin_id not in self._plugins.running():
                    continue  # gone in the meantime
                raise
            figures[plugin_id] = Figures(memory_bytes=memory, tasks=tasks, cpu_seconds=cpu)
        memory, tasks, cpu = await read_figures(bus, SLICE)
        now = time.time()
        host = self._host.look(Envelope(memory_bytes=memory, tasks=tasks, cpu_seconds=cpu))
        counts = self._counts()
        measured = self._measured(figures, counts, now)
        self._history.note(now, measured.plugins, counts)
        if self._live.watched:
            self._live.publish(measured)
            self._live.publish(host_measured(host))
        self._plugins.note_figures(figures)
        self._before = {it: (now, found.cpu_seconds) for it, found in figures.items() if found.cpu_seconds is not None}

    def _counts(self) -> dict[PluginId, Counts]:
        """Of every plugin, asleep or not: one that can't be woken is asked as well."""
        traffic = self._traffic.all()
        return {
            view.id: Counts(it.requests, it.errors, 0 if view.facts.service is None else view.facts.service.restarts)
            for view in self._plugins.overview().plugins
            for it in [traffic.get(view.id, _NO_TRAFFIC)]
        }

    def _measured(self, figures: Mapping[PluginId, Figures], counts: Mapping[PluginId, Counts], now: float) -> Measured:
        """Of all that run, and of those that were asked or restarted though they don't."""
        rises = self._counters.risen(counts)
        seconds = now - self._counted_at if self._counted_at is not None else None
        self._counted_at = now

        def row(plugin_id: PluginId) -> dict[str, Any]:
            found = figures.get(plugin_id, _NO_PROCESS)
            count, rise = counts.get(plugin_id, Counts()), rises.get(plugin_id, Counts())
            return {
                "memory_bytes": found.memory_bytes,
                "tasks": found.tasks,
                "cpu_seconds": found.cpu_seconds,
                "cpu_percent": self._cpu_percent(plugin_id, found.cpu_seconds, now) if plugin_id in figures else 0.0,
                "requests": count.requests,
                "request_errors": count.errors,
                "requests_per_second": _per_second(rise.requests, seconds),
                "errors_per_second": _per_second(rise.errors, seconds),
                "restarts": rise.restarts,
            }

        return Measured(at=now, plugins={plugin_id: row(plugin_id) for plugin_id in figures.keys() | rises.keys()})

    def _cpu_percent(self, plugin_id: PluginId, seconds: float | None, now: float) -> float | None:
        """Of one processor, since the round before; None for a plugin that is new since."""
        before = self._before.get(plugin_id)
        if before is None or seconds is None or now <= before[0] or seconds < before[1]:
            return None
        return round(100 * (seconds - before[1]) / (now - before[0]), 1)


def _per_second(count: int, seconds: float | None) -> float | None:
    return round(count / seconds, 3) if seconds is not None and seconds > 0 else None
