"""A unit's settings as systemd has them in force: those that tell a person something, in the words of a unit file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from toru.domain.errors import SystemdRefused
from toru.systemd import wire, wording
from toru.systemd.bus import Bus


class Kind(StrEnum):
    """How a value is best shown."""

    TEXT = "text"
    FLAG = "flag"
    BYTES = "bytes"
    SECONDS = "seconds"
    CALLS = "calls"
    """Names of system calls, mostly hundreds of them."""


@dataclass(frozen=True, slots=True)
class _Row:
    setting: str
    """In a unit file."""
    in_words: Callable[[Any], str] = wording.word
    property: str | None = None
    """Over D-Bus, where it has another name there."""
    kind: Kind = Kind.TEXT


def _flag(setting: str) -> _Row:
    return _Row(setting, wording.flag, kind=Kind.FLAG)


def _bytes(setting: str) -> _Row:
    return _Row(setting, wording.amount, kind=Kind.BYTES)


def _seconds(setting: str) -> _Row:
    return _Row(setting, wording.seconds, setting.removesuffix("Sec") + "USec", Kind.SECONDS)


_SERVICE: Mapping[str, tuple[_Row, ...]] = {
    "sandbox": (
        _flag("NoNewPrivileges"),
        _Row("CapabilityBoundingSet", wording.capabilities),
        _Row("AmbientCapabilities", wording.capabilities),
        _flag("PrivateUsers"),
        _flag("PrivateNetwork"),
        _flag("PrivateTmp"),
        _flag("PrivateDevices"),
        _Row("DevicePolicy"),
        _Row("DeviceAllow", wording.devices),
        _Row("ProtectSystem"),
        _Row("ProtectHome"),
        _Row("ReadWritePaths", wording.words),
        _Row("ReadOnlyPaths", wording.words),
        _Row("InaccessiblePaths", wording.words),
        _Row("BindPaths", wording.mounts),
        _Row("BindReadOnlyPaths", wording.mounts),
        _flag("ProtectClock"),
        _flag("ProtectControlGroups"),
        _flag("ProtectHostname"),
        _flag("ProtectKernelLogs"),
        _flag("ProtectKernelModules"),
        _flag("ProtectKernelTunables"),
        _Row("ProtectProc"),
        _Row("ProcSubset"),
        _Row("KeyringMode"),
        _flag("LockPersonality"),
        _flag("MemoryDenyWriteExecute"),
        _flag("RemoveIPC"),
        _Row("RestrictAddressFamilies", wording.list_of),
        _Row("RestrictNamespaces", wording.namespaces),
        _flag("RestrictRealtime"),
        _flag("RestrictSUIDSGID"),
        _Row("SystemCallArchitectures", wording.words),
        _Row("SystemCallFilter", wording.list_of, kind=Kind.CALLS),
        _Row("IPAddressAllow", wording.addresses),
        _Row("IPAddressDeny", wording.addresses),
        _Row("UMask", wording.mode),
        _flag("Delegate"),
        _Row("NotifyAccess"),
    ),
    "limits": (
        _bytes("MemoryMax"),
        _bytes("MemoryHigh"),
        _bytes("MemorySwapMax"),
        _Row("TasksMax", wording.amount),
        _Row("CPUQuota", wording.quota, "CPUQuotaPerSecUSec"),
        _Row("CPUWeight", wording.weight),
        _Row("IOWeight", wording.weight),
        _Row("LimitNOFILE", wording.amount),
        _Row("Nice"),
        _Row("OOMPolicy"),
        _Row("OOMScoreAdjust"),
    ),
    "restart": (
        _Row("Restart"),
        _seconds("RestartSec"),
        _Row("RestartSteps"),
        _seconds("RestartMaxDelaySec"),
        _Row("StartLimitBurst"),
        _seconds("StartLimitIntervalSec"),
        _seconds("TimeoutStartSec"),
        _seconds("TimeoutStopSec"),
        _seconds("WatchdogSec"),
        _seconds("RuntimeMaxSec"),
        _Row("KillMode"),
    ),
    "identity": (
        _Row("Type"),
        _Row("ExecStart", wording.commands),
        _Row("User"),
        _Row("Group"),
        _flag("DynamicUser"),
        _Row("SupplementaryGroups", wording.words),
        _Row("WorkingDirectory"),
        _Row("StateDirectory", wording.words),
        _Row("RuntimeDirectory", wording.words),
        _Row("CacheDirectory", wording.words),
        _Row("LogsDirectory", wording.words),
        _Row("Slice"),
    ),
}

_SOCKET: Mapping[str, tuple[_Row, ...]] = {
    "socket": (
        _Row("ListenStream", wording.listening, "Listen"),
        _Row("SocketUser"),
        _Row("SocketGroup"),
        _Row("SocketMode", wording.mode),
        _Row("Backlog"),
        _flag("FlushPending"),
        _flag("RemoveOnStop"),
        _Row("FileDescriptorName"),
        _Row("TriggerLimitBurst"),
        _seconds("TriggerLimitIntervalSec"),
        _Row("OnFailure", wording.words),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    name: str
    value: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveUnit:
    """A loaded unit."""

    name: str
    description: str
    active: str
    sub: str
    fragment: str
    drop_ins: tuple[str, ...]
    """The files that apply, in the order in which they do: of a setting with one value the last one counts."""
    needs_reload: bool
    """A file of it has changed since systemd read it."""
    started_at: float | None
    """When its process started, in seconds since 1970; None where there is none."""
    groups: Mapping[str, tuple[Setting, ...]]

    @property
    def settings(self) -> Mapping[str, str]:
        return {setting.name: setting.value for group in self.groups.values() for setting in group}


async def read_effective(bus: Bus, unit: str) -> EffectiveUnit | None:
    """What holds for this unit now; None where it isn't loaded."""
    try:
        await bus.manage("GetUnit", "s", unit)  # asking for its properties would load it
        of_unit = await bus.properties(unit, wire.UNIT)
        own = await bus.properties(unit, wire.interface_of(unit))
    except SystemdRefused as refusal:
        if refusal.facts.get("error_name") in {
            f"{wire.SERVICE}.NoSuchUnit",
            "org.freedesktop.DBus.Error.UnknownObject",
        }:
            return None
        raise
    if of_unit["LoadState"] != "loaded":
        return None
    started = own.get("ExecMainStartTimestamp", 0) if own.get("MainPID") else 0
    return EffectiveUnit(
        name=unit,
        description=of_unit["Description"],
        active=of_unit["ActiveState"],
        sub=of_unit["SubState"],
        fragment=of_unit["FragmentPath"],
        drop_ins=tuple(of_unit["DropInPaths"]),
        needs_reload=of_unit["NeedDaemonReload"],
        started_at=started / 1_000_000 or None,
        groups=in_words(_SOCKET if unit.endswith(".socket") else _SERVICE, {**of_unit, **own}),
    )


def in_words(
    groups: Mapping[str, tuple[_Row, ...]], properties: Mapping[str, Any]
) -> Mapping[str, tuple[Setting, ...]]:
    """Each setting that this version of systemd knows."""
    return {
        group: tuple(
            Setting(name=row.setting, value=row.in_words(properties[row.property or row.setting]), kind=row.kind)
            for row in rows
            if (row.property or row.setting) in properties
        )
        for group, rows in groups.items()
    }
