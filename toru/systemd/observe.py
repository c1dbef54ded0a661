"""What systemd says of all plugins, and every change of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from dbus_fast import Message

from toru.domain.errors import SystemdRefused
from toru.domain.ids import UNIT_PATTERNS, PluginId
from toru.domain.state import NO_UNITS, ActiveState, ServiceFacts, SocketFacts, UnitFacts
from toru.systemd import wire
from toru.systemd.bus import PROPERTIES, Bus
from toru.systemd.freezer import FreezerWatch

DETAILS_AT_ONCE = 32
"""Questions under way at once: enough to keep systemd busy, few enough for its queue."""

SETTLE_SECONDS = 0.01
"""A crash is reported as "failed" and, within a millisecond, as "auto-restart". Wait for the second before looking."""

_UNIT_PATHS = f"{wire.MANAGER_PATH}/unit"
_PLUGIN_PATHS = wire.unit_path("toru-plugin-")
_NOT_SET = 2**64 - 1
# The units that write the catalogue or config.json.
_WRITERS = re.compile(r"toru-(?:scan|rescan|plugins|(?:enable|disable)@[A-Za-z0-9-]{1,64})\.service")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What may be otherwise than it was."""

    plugins: frozenset[PluginId]
    files: bool
    """A job has ended that writes the catalogue or the operator's wishes."""


async def read_figures(bus: Bus, unit: str) -> tuple[int | None, int | None, float | None]:
    """What a service or slice uses now: bytes of memory, tasks, and seconds of processor time since its start."""
    kind = wire.interface_of(unit)
    memory, tasks, cpu = [
        _amount(await bus.unit_property(unit, kind, name)) for name in ("MemoryCurrent", "TasksCurrent", "CPUUsageNSec")
    ]
    return memory, tasks, None if cpu is None else cpu / 1_000_000_000


class Watching:
    """Collects what changes, a set at a time."""

    def __init__(self) -> None:
        self._dirty: set[PluginId] = set()
        self._files = False
        self._something = asyncio.Event()
        self._freezer = FreezerWatch(self._mark)

    def __aiter__(self) -> AsyncIterator[Changes]:
        return self._sets()

    def seen(self, plugin_id: PluginId, facts: UnitFacts) -> None:
        """Has to be told what was read of a plugin: a run's cgroup is watched as long as the run lasts."""
        service = facts.service
        control_group = service.control_group if service is not None and service.main_pid else ""
        self._freezer.follow(plugin_id, service.invocation_id if service is not None else "", control_group)

    def on_signal(self, message: Message) -> None:
        unit = _unit_of(message)
        if message.member == "JobRemoved" and _WRITERS.fullmatch(str(message.body[2])):
            self._files = True
            self._something.set()
        elif unit is not None and (plugin_id := PluginId.of_unit(unit)) is not None:
            self._mark(plugin_id)

    def close(self) -> None:
        self._freezer.close()

    def _mark(self, plugin_id: PluginId) -> None:
        self._dirty.add(plugin_id)
        self._something.set()

    async def _sets(self) -> AsyncIterator[Changes]:
        while True:
            await self._something.wait()
            await asyncio.sleep(SETTLE_SECONDS)
            self._something.clear()
            changed = Changes(plugins=frozenset(self._dirty), files=self._files)
            self._dirty.clear()
            self._files = False
            yield changed


@asynccontextmanager
async def changes(bus: Bus) -> AsyncIterator[Watching]:
    """What changed since the block was entered.

    Subscribes before it returns: what is read inside the block and then changes is in a later set.
    """
    rules = (
        f"interface='{PROPERTIES}',member='PropertiesChanged',path_namespace='{_UNIT_PATHS}'",
        f"interface='{wire.MANAGER}',member='UnitNew'",
        f"interface='{wire.MANAGER}',member='UnitRemoved'",
        f"interface='{wire.MANAGER}',member='JobRemoved'",
    )
    watching = Watching()
    try:
        async with bus.listening(*rules, listener=watching.on_signal):
            yield watching
    finally:
        watching.close()


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
        control_group=own["ControlGroup"],
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
