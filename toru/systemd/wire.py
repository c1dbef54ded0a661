"""Unit properties and their D-Bus signatures: the one table (org.freedesktop.systemd1(5))."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from toru.domain.units import UnitSpec, Value

SERVICE = "org.freedesktop.systemd1"
MANAGER_PATH = "/org/freedesktop/systemd1"
MANAGER = f"{SERVICE}.Manager"
UNIT = f"{SERVICE}.Unit"
PROPERTIES = "org.freedesktop.DBus.Properties"

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")

SIGNATURES: Mapping[str, str] = {
    # every unit
    "AddRef": "b",
    "CollectMode": "s",
    "Description": "s",
    "OnFailure": "as",
    "Slice": "s",
    "StartLimitBurst": "u",
    "StartLimitIntervalUSec": "t",
    # sockets
    "Accept": "b",
    "Backlog": "u",
    "FileDescriptorName": "s",
    "FlushPending": "b",
    "Listen": "a(ss)",
    "RemoveOnStop": "b",
    "SocketGroup": "s",
    "SocketMode": "u",
    "SocketUser": "s",
    # services
    "CPUQuotaPerSecUSec": "t",
    "CacheDirectory": "as",
    "CacheDirectoryMode": "u",
    "DynamicUser": "b",
    "Environment": "as",
    "ExecStart": "a(sasb)",
    "KillMode": "s",
    "LoadCredential": "a(ss)",
    "LogExtraFields": "aay",
    "LogsDirectory": "as",
    "LogsDirectoryMode": "u",
    "MemoryMax": "t",
    "NotifyAccess": "s",
    "Restart": "s",
    "RestartMaxDelayUSec": "t",
    "RestartSteps": "u",
    "RestartUSec": "t",
    "RuntimeMaxUSec": "t",
    "RuntimeDirectory": "as",
    "RuntimeDirectoryMode": "u",
    "LimitFSIZE": "t",
    "LimitFSIZESoft": "t",
    "StandardError": "s",
    "StandardInputFileDescriptor": "h",
    "StandardOutput": "s",
    "StandardOutputFileDescriptor": "h",
    "StateDirectory": "as",
    "StateDirectoryMode": "u",
    "SyslogIdentifier": "s",
    "TasksMax": "t",
    "TimeoutStartFailureMode": "s",
    "TimeoutStartUSec": "t",
    "TimeoutStopUSec": "t",
    "Type": "s",
    "WatchdogUSec": "t",
}


def signed(spec: UnitSpec) -> Iterator[tuple[str, str, Value]]:
    """Each property with its signature. KeyError for one that is missing from the table."""
    for name, value in spec.properties.items():
        yield name, SIGNATURES[name], value


def unit_path(unit: str) -> str:
    """The object path of a unit, whether loaded or not: every byte but letters and digits as `_xx`."""
    encoded = "".join(
        chr(byte) if byte in _PLAIN and not (at == 0 and chr(byte).isdigit()) else f"_{byte:02x}"
        for at, byte in enumerate(unit.encode())
    )
    return f"{MANAGER_PATH}/unit/{encoded}"


def unit_of_path(path: str) -> str:
    """The unit that an object path means."""
    encoded = path.rpartition("/")[2]
    first, *rest = encoded.split("_")
    return first + "".join(chr(int(part[:2], 16)) + part[2:] for part in rest)


def interface_of(unit: str) -> str:
    """The interface that has the properties of this kind of unit."""
    return f"{SERVICE}.{unit.rpartition('.')[2].capitalize()}"


def version_number(version: str) -> int:
    """252 of `252.39-1~deb12u1`, 257 of `257~rc2`."""
    digits = version.lstrip("v")
    return int(digits[: next((at for at, char in enumerate(digits) if not char.isdigit()), len(digits))])
