"""Asks systemd and the files: what there is to know of plugins and of Toru's own units, or what stands in the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from toru.cli.refusals import NOT_SCANNED, NotScanned
from toru.cli.way import Document, unknown
from toru.core.overview import Overview, PluginView, overview_of, read_catalogue, read_wishes
from toru.domain import places
from toru.domain.errors import UnknownPlugin
from toru.domain.ids import PluginId
from toru.domain.state import NO_UNITS, Health, State
from toru.settings import load_policy
from toru.systemd import observe, wire
from toru.systemd.bus import Bus, connect

Answer = TypeVar("Answer")

UNITS = ("toru.socket", "toru.service", "toru-plugins.service", "toru-scan.path")
"""Toru's own, that run or wait from boot on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """A unit in systemd's own words."""

    name: str
    load: str
    active: str
    sub: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The whole host."""

    plugins: Document
    units: tuple[UnitState, ...]
    plugins_dir: Path
    systemd: int

    def by_health(self) -> dict[Health, int]:
        counts = Counter(row["health"] for row in self.plugins["plugins"])
        return {health: counts[health] for health in Health}

    def by_state(self) -> dict[State, int]:
        counts = Counter(row["state"] for row in self.plugins["plugins"])
        return {state: counts[state] for state in State}


def ask(question: Callable[[Bus], Coroutine[Any, Any, Answer]]) -> Answer:
    """Put a question to systemd, and return its answer."""

    async def asked() -> Answer:
        async with connect() as bus:
            return await question(bus)

    return asyncio.run(asked())


async def at_host(bus: Bus, plugins: Document) -> Summary:
    """Toru's own units, beside these plugins."""
    return Summary(
        plugins=plugins,
        units=tuple([await unit_state(bus, unit) for unit in UNITS]),
        plugins_dir=load_policy().plugins_dir,
        systemd=await bus.version(),
    )


async def unit_state(bus: Bus, unit: str) -> UnitState:
    found = await bus.properties(unit, wire.UNIT)
    return UnitState(name=unit, load=found["LoadState"], active=found["ActiveState"], sub=found["SubState"])


async def at_all(bus: Bus) -> Overview:
    """Every plugin and every rejected file, or `NotScanned`."""
    await _check_scanned(bus)
    policy = load_policy()
    facts = await observe.read_all(bus)
    return overview_of(read_catalogue(), read_wishes(policy), policy, facts)


async def at_plugin(bus: Bus, plugin_id: PluginId) -> PluginView:
    """One plugin, or an error that says what stands in its way."""
    await _check_scanned(bus)
    policy = load_policy()
    facts = await observe.read_plugin(bus, plugin_id)
    loaded = {} if facts == NO_UNITS else {plugin_id: facts}
    overview = overview_of(read_catalogue(), read_wishes(policy), policy, loaded)
    try:
        return overview.plugin(plugin_id)
    except UnknownPlugin:
        raise unknown(plugin_id) from None


async def _check_scanned(bus: Bus) -> None:
    if places.CATALOGUE.exists():
        return
    if await _is_installed(bus):
        raise NotScanned(NOT_SCANNED)
    raise NotScanned("Toru's units are not installed on this host: toru doctor says what is missing")


async def _is_installed(bus: Bus) -> bool:
    loaded: str = await bus.unit_property("toru-scan.service", wire.UNIT, "LoadState")
    return loaded == "loaded"
