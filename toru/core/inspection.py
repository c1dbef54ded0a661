"""A plugin's units as they are in force: what holds, which file says so, and what that makes of its sandbox."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toru.core.overview import PluginView
from toru.domain import sandbox
from toru.domain.ids import PluginId
from toru.domain.sandbox import Assessment
from toru.domain.unitfiles import Assignment, Origin, assignments, origin_of
from toru.systemd.bus import Bus
from toru.systemd.effective import EffectiveUnit, Kind, Setting, read_effective

AT_ONCE = 4
"""Questions about units under way: what they cost, process 1 pays."""

LARGEST_FILE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DropIn:
    """A file that is laid over a unit."""

    path: str
    origin: Origin
    target: str | None
    """Where it leads, if it is a link."""
    is_newer_than_run: bool
    """It was written after the process had started: what it says of the sandbox holds from the next start on."""
    assignments: tuple[Assignment, ...] | None
    """None: it can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSetting:
    name: str
    value: str
    kind: Kind
    set_by: str | None
    """The file that says so last; None: systemd's own default, or it follows from another setting."""
    origin: Origin | None
    """Of that file, where it is a drop-in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitInForce:
    facts: EffectiveUnit
    drop_ins: tuple[DropIn, ...]
    groups: Mapping[str, tuple[HeldSetting, ...]]

    def held(self, setting: str) -> HeldSetting | None:
        return next((it for group in self.groups.values() for it in group if it.name == setting), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    service: UnitInForce | None
    """None: it isn't loaded."""
    socket: UnitInForce | None
    assessment: Assessment | None
    """None: there is nothing to judge."""


class Inspector:
    """`bus` is the connection to systemd that is open now, or raises `SystemdRefused`."""

    def __init__(self, bus: Callable[[], Bus]) -> None:
        self._bus = bus
        self._limit = asyncio.Semaphore(AT_ONCE)

    async def inspect(self, view: PluginView) -> Inspected:
        async with self._limit:
            bus = self._bus()
            service = await _in_force(bus, view.id, view.id.service)
            socket = await _in_force(bus, view.id, view.id.socket)
        return Inspected(
            service=service,
            socket=socket,
            assessment=None if service is None else sandbox.assess(service.facts.settings, view.sandbox),
        )


async def _in_force(bus: Bus, plugin_id: PluginId, unit: str) -> UnitInForce | None:
    facts = await read_effective(bus, unit)
    return None if facts is None else await asyncio.to_thread(_with_files, plugin_id, facts)


def _with_files(plugin_id: PluginId, facts: EffectiveUnit) -> UnitInForce:
    drop_ins = tuple(read_drop_in(path, plugin_id, facts.started_at) for path in facts.drop_ins)
    said: dict[str, Said] = {
        it.name: (facts.fragment, None, it.value) for it in _read(Path(facts.fragment)) or ()
    } | last_said(drop_ins)
    groups = {
        group: tuple(held(setting, said.get(setting.name)) for setting in settings)
        for group, settings in facts.groups.items()
    }
    return UnitInForce(facts=facts, drop_ins=drop_ins, groups=groups)


Said = tuple[str, Origin | None, str]
"""Which file speaks of a setting last, who put it there, and the value in it."""


def last_said(drop_ins: Sequence[DropIn]) -> dict[str, Said]:
    return {
        assignment.name: (drop_in.path, drop_in.origin, assignment.value)
        for drop_in in drop_ins
        for assignment in drop_in.assignments or ()
    }


def held(setting: Setting, said: Said | None) -> HeldSetting:
    """A setting with the file that it is owed to. `DynamicUser=`, for one, keeps walls up whatever a file says."""
    path, origin, value = said or (None, None, "")
    says_yes_or_no = setting.kind is Kind.FLAG or setting.name in _FLAGS_WITH_MORE
    if says_yes_or_no and _FLAGS.get(value.lower(), setting.value) != setting.value:
        path, origin = None, None
    return HeldSetting(name=setting.name, value=setting.value, kind=setting.kind, set_by=path, origin=origin)


_FLAGS = {
    **dict.fromkeys(("1", "yes", "y", "true", "t", "on"), "yes"),
    **dict.fromkeys(("0", "no", "n", "false", "f", "off"), "no"),
}
"""systemd.syntax(7). Some flags know other words as well, such as `PrivateTmp=disconnected`."""

_FLAGS_WITH_MORE = frozenset({"ProtectHome", "ProtectSystem"})
"""Flags that `DynamicUser=` answers by such a word: `read-only`, `strict`."""


def read_drop_in(path: str, plugin_id: PluginId, started_at: float | None) -> DropIn:
    file = Path(path)
    try:
        written = file.lstat()
        target = str(file.readlink()) if stat.S_ISLNK(written.st_mode) else None
    except OSError:  # gone since systemd read it
        written, target = None, None
    found = _read(file)
    return DropIn(
        path=path,
        origin=origin_of(path, plugin_id),
        target=target,
        is_newer_than_run=written is not None and started_at is not None and written.st_mtime > started_at,
        assignments=found,
    )


def _read(file: Path) -> tuple[Assignment, ...] | None:
    try:
        status = file.stat()
        if stat.S_ISCHR(status.st_mode):
            return ()  # a link to /dev/null: masked
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
            return None
        return tuple(assignments(file.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return None
