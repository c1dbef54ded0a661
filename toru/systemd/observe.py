"""What systemd says of all plugins, and every change of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from dbus_fast import Message

from toru.domain.errors import SystemdRefused
from toru.domain.ids import UNIT_PATTERNS, PluginId
from toru.domain.state import NO_UNITS, ActiveState, ServiceFacts, SocketFacts, UnitFacts
from toru.systemd import wire
from toru.systemd.bus import PROPERTIES, Bus

DETAILS_AT_ONCE = 32
"""Questions under way at once: enough to keep systemd busy, few enough for its queue."""

SETTLE_SECONDS = 0.01
"""A crash is reported as "failed" and, within a millisecond, as "auto-restart". Wait for the second before looking."""

_UNIT_PATHS = f"{wire.MANAGER_PATH}/unit"
_PLUGIN_PATHS = wire.unit_path("toru-plugin-")
_NOT_SET = 2**64 - 1


async def read_all(bus: Bus) -> dict[PluginId, UnitFacts]:
    """Everything at once: one question for all, and one for each plugin that is not plainly asleep."""
    rows = await bus.manage("ListUnitsByPatterns", "asas", [], list(UNIT_PATTERNS))
    facts: dict[PluginId, UnitFacts] = {}
    detailed: list[str] = []
    for name, _description, load, active, sub, *_rest in rows:
        plugin_id = PluginId.of_unit(name)
        if plugin_id is None or load != "loaded":
            continue
        known = facts.get(plugin_id, NO_UNITS)
        if name == plugin_id.service:
            facts[plugin_id] = replace(known, service=ServiceFacts(active=ActiveState(active), sub=sub))
        else:
            facts[plugin_id] = replace(known, socket=SocketFacts(active=ActiveState(active)))
        if active not in {"inactive", "active"} or (active == "active" and name == plugin_id.service):
            detailed.append(name)
    limit = asyncio.Semaphore(DETAILS_AT_ONCE)

    async def detail(unit: str) -> tuple[str, ServiceFacts | SocketFacts | None]:
        async with limit:
            return unit, await _read_unit(bus, unit)

    for unit, found in await asyncio.gather(*(detail(unit) for unit in detailed)):
        plugin_id = PluginId.of_unit(unit)
        if plugin_id is not None:
            facts[plugin_id] = _with(facts[plugin_id], unit, found)
    return facts


async def read_plugin(bus: Bus, plugin_id: PluginId) -> UnitFacts:
    """Both units of one plugin."""
    facts = NO_UNITS
    for unit in (plugin_id.socket, plugin_id.service):
        facts = _with(facts, unit, await _read_unit(bus, unit))
    return facts


@asynccontextmanager
async def changes(bus: Bus) -> AsyncIterator[AsyncIterator[frozenset[PluginId]]]:
    """The plugins of which something changed since the block was entered, a set at a time.

    Subscribes before it returns: what is read inside the block and then changes is in a later set.
    """
    dirty: set[PluginId] = set()
    something = asyncio.Event()

    def on_signal(message: Message) -> None:
        unit = _unit_of(message)
        if unit is not None and (plugin_id := PluginId.of_unit(unit)) is not None:
            dirty.add(plugin_id)
            something.set()

    async def sets() -> AsyncIterator[frozenset[PluginId]]:
        while True:
            await something.wait()
            await asyncio.sleep(SETTLE_SECONDS)
            something.clear()
            changed = frozenset(dirty)
            dirty.clear()
            yield changed

    rules = (
        f"interface='{PROPERTIES}',member='PropertiesChanged',path_namespace='{_UNIT_PATHS}'",
        f"interface='{wire.MANAGER}',member='UnitNew'",
        f"interface='{wire.MANAGER}',member='UnitRemoved'",
    )
    async with bus.listening(*rules, listener=on_signal):
        yield sets()


def _unit_of(message: Message) -> str | None:
    """The unit that a signal is about, if it may be a plugin's."""
    if message.member in {"UnitNew", "UnitRemoved"}:
        return str(message.body[0])
    if message.member == "PropertiesChanged" and message.path and message.path.startswith(_PLUGIN_PATHS):
        return wire.unit_of_path(message.path)
    return None


async def _read_unit(bus: Bus, unit: str) -> ServiceFacts | SocketFacts | None:
    # Asking for a property of a unit that is gone loads it, which is a change that makes one ask again, and so on for
    # ever. GetUnit loads nothing.
    try:
        await bus.manage("GetUnit", "s", unit)
    except SystemdRefused as refusal:
        if refusal.facts.get("error_name") == f"{wire.SERVICE}.NoSuchUnit":
            return None
        raise
    of_unit = await bus.properties(unit, wire.UNIT)
    if of_unit["LoadState"] != "loaded":
        return None
    own = await bus.properties(unit, wire.interface_of(unit))
    if unit.endswith(".socket"):
        return SocketFacts(active=ActiveState(of_unit["ActiveState"]), result=own["Result"])
    return _service_facts(of_unit, own)


def _service_facts(of_unit: Mapping[str, Any], own: Mapping[str, Any]) -> ServiceFacts:
    # RestartUSecNext came with RestartSteps=, in systemd 254.
    delay = own.get("RestartUSecNext", own["RestartUSec"])
    cpu = _amount(own["CPUUsageNSec"])
    return ServiceFacts(
        active=ActiveState(of_unit["ActiveState"]),
        sub=of_unit["SubState"],
        result=own["Result"],
        main_pid=own["MainPID"],
        restarts=own["NRestarts"],
        exit_kind=own["ExecMainCode"],
        exit_status=own["ExecMainStatus"],
        frozen=of_unit["FreezerState"] in {"frozen", "freezing", "frozen-by-parent", "freezing-by-parent"},
        changed_at=of_unit["StateChangeTimestamp"] / 1_000_000,
        restart_delay=delay / 1_000_000,
        invocation_id=bytes(of_unit["InvocationID"]).hex(),
        memory_bytes=_amount(own["MemoryCurrent"]),
        tasks=_amount(own["TasksCurrent"]),
        cpu_seconds=None if cpu is None else cpu / 1_000_000_000,
    )


def _amount(value: int) -> int | None:
    return None if value == _NOT_SET else value


def _with(facts: UnitFacts, unit: str, found: ServiceFacts | SocketFacts | None) -> UnitFacts:
    match found:
        case ServiceFacts():
            return replace(facts, service=found)
        case SocketFacts():
            return replace(facts, socket=found)
        case None if unit.endswith(".service"):
            return replace(facts, service=None)
        case None:
            return replace(facts, socket=None)
