"""Keeps what the core knows of the units true, from systemd's own signals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

from toru.domain.errors import SystemdRefused
from toru.domain.ids import PluginId
from toru.domain.state import NO_UNITS, UnitFacts
from toru.systemd import bus as system_bus
from toru.systemd import notify
from toru.systemd.bus import Bus
from toru.systemd.observe import Watching, changes, read_all, read_plugin

RECONNECT_SECONDS = 1.0

MANY = 20
"""From so many changes at once on, reading everything is cheaper than reading each."""

OnChange = Callable[[PluginId, UnitFacts, bool], None]
"""Called with a plugin, its facts, and whether this is the first sight of it after a connection was made."""
OnFiles = Callable[[], None]
"""Called when catalogue or wishes may have been written."""


class Observer:
    """The one writer of state. Everybody else reads `facts`."""

    def __init__(self, on_change: OnChange, on_files: OnFiles = lambda: None) -> None:
        self._on_change = on_change
        self._on_files = on_files
        self._facts: dict[PluginId, UnitFacts] = {}
        self._watching: Watching | None = None
        self.connected = False
        self._has_looked = asyncio.Event()

    @property
    def facts(self) -> Mapping[PluginId, UnitFacts]:
        return MappingProxyType(self._facts)

    async def first_look(self) -> None:
        """Returns when everything has been read once: before that, no plugin seems to have any units."""
        await self._has_looked.wait()

    async def watch(self, bus: Bus) -> None:
        """Reads everything once and then every change, until the bus is lost (SystemdRefused)."""
        async with changes(bus) as watching:
            self._watching = watching
            try:
                await self._keep_up(bus, watching)
            finally:
                self._watching = None

    async def look_at(self, bus: Bus, plugin_id: PluginId) -> None:
        """Reads one plugin's units now, for who can't wait for the signal of a change that they know of."""
        self._take(plugin_id, await read_plugin(bus, plugin_id), at_first_sight=False)

    async def _keep_up(self, bus: Bus, watching: Watching) -> None:
        found = await read_all(bus)
        gone = self._facts.keys() - found.keys()
        self._facts.clear()
        for plugin_id, facts in found.items():
            self._take(plugin_id, facts, at_first_sight=True)
        for plugin_id in gone:
            self._on_change(plugin_id, NO_UNITS, True)  # noqa: FBT003  (as OnChange says)
        self.connected = True
        self._has_looked.set()
        self._on_files()
        async for changed in watching:
            if changed.files:
                self._on_files()
            # Many at once, as at boot: one question for all, but for those whose last run must be looked at.
            everything = await read_all(bus) if len(changed.plugins) > MANY else {}
            for plugin_id in changed.plugins:
                if everything and plugin_id not in self._facts:
                    self._take(plugin_id, everything.get(plugin_id, NO_UNITS), at_first_sight=False)
                else:
                    await self.look_at(bus, plugin_id)

    def _take(self, plugin_id: PluginId, facts: UnitFacts, *, at_first_sight: bool) -> None:
        if self._watching is not None:
            self._watching.seen(plugin_id, facts)
        if facts == self._facts.get(plugin_id, NO_UNITS):
            return
        if facts == NO_UNITS:
            self._facts.pop(plugin_id, None)
        else:
            self._facts[plugin_id] = facts
        self._on_change(plugin_id, facts, at_first_sight)


async def observing(observer: Observer, use: Callable[[Bus], None]) -> None:
    """Watches for ever, over a new connection whenever one is lost. `use` is told of each."""
    while True:
        try:
            async with system_bus.connect() as bus, asyncio.TaskGroup() as tasks:
                use(bus)
                tasks.create_task(_until_lost(bus))
                tasks.create_task(observer.watch(bus))
        except* SystemdRefused as lost:
            notify.log(notify.WARNING, f"{lost.exceptions[0]}; connecting again")
        observer.connected = False
        await asyncio.sleep(RECONNECT_SECONDS)


async def _until_lost(bus: Bus) -> None:
    await bus.lost()
    raise SystemdRefused("the connection to the system bus was lost")
