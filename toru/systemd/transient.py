"""Makes, starts and stops units over D-Bus, waiting for each job: for programs that do one thing and end.

pystemd blocks, and holds the interpreter's lock while it waits for an answer. So it has no place in the core.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

from pystemd.dbusexc import DBusBaseError, DBusNoSuchUnitError
from pystemd.dbuslib import DBus, apply_signature

from toru.domain.errors import SystemdRefused
from toru.domain.units import UnitSpec
from toru.systemd import wire

_OPEN_ARRAY, _OPEN_STRUCT, _OPEN_VARIANT, _CLOSE = ord("a"), ord("r"), ord("v"), -1


class LoadedUnit(NamedTuple):
    name: str
    active: str
    sub: str
    has_job: bool
    """systemd is to do something with it, and has not yet, or is at it."""


class Job(NamedTuple):
    unit: str
    path: str


@contextmanager
def connect() -> Iterator[Systemd]:
    """A connection to the system's systemd."""
    calls, signals = DBus(), DBus()
    try:
        calls.open()
        signals.open()
    except DBusBaseError as error:
        raise SystemdRefused(f"systemd can't be reached over D-Bus: {_words(error)}") from error
    try:
        yield Systemd(calls, signals)
    finally:
        signals.close()
        calls.close()


class Systemd:
    """systemd's manager. Whatever it is asked to do waits in a job; `wait` tells how the job ended."""

    def __init__(self, calls: DBus, signals: DBus) -> None:
        self._calls = calls
        # A connection of its own: a call on it would take signals off the socket, and poll(2) would not see them.
        self._signals = signals
        self._ended: dict[str, str] = {}
        signals.call_method(*_manager("Subscribe"), [])

        # A plain function, held here: pystemd hangs an attribute on it and keeps no reference.
        def on_job_removed(message: Any, error: object = None, userdata: object = None) -> None:  # noqa: ARG001
            message.process_reply(True)  # noqa: FBT003  (pystemd's signature)
            _number, path, _unit, result = message.body
            self._ended[path.decode()] = result.decode()

        def on_other(message: Any, error: object = None, userdata: object = None) -> None:
            """It is enough that it came: see `wait_for_change`."""

        self._on_job_removed, self._on_other = on_job_removed, on_other
        signals.match_signal(*_manager("JobRemoved"), on_job_removed)
        signals.match_signal(*_manager("UnitRemoved"), on_other)

    @cached_property
    def version(self) -> int:
        text = self._get(wire.MANAGER_PATH, wire.MANAGER, "Version", "s")
        return wire.version_number(text)

    def create(self, unit: UnitSpec, *auxiliary: UnitSpec) -> Job:
        """Starts a transient unit. The auxiliary ones are loaded with it and started by it, if at all."""
        arguments = [
            *apply_signature(b"ss", [unit.name.encode(), b"fail"]),
            *_packed_properties(unit),
            (_OPEN_ARRAY, b"(sa(sv))"),
        ]
        for other in auxiliary:
            arguments += [
                (_OPEN_STRUCT, b"sa(sv)"),
                *apply_signature(b"s", [other.name.encode()]),
                *_packed_properties(other),
                (_CLOSE, None),
            ]
        return Job(unit.name, self._manage("StartTransientUnit", [*arguments, (_CLOSE, None)]))

    def start(self, unit: str) -> Job:
        return self._job("StartUnit", unit)

    def restart(self, unit: str) -> Job:
        return self._job("RestartUnit", unit)

    def stop(self, unit: str) -> Job | None:
        """None where there is no such unit, which is as good as stopped."""
        try:
            return self._job("StopUnit", unit)
        except NoSuchUnit:
            return None

    def freeze(self, unit: str) -> None:
        """Every process of the unit stands still, when this returns. `SystemdRefused`, if the unit does not run."""
        self._manage("FreezeUnit", apply_signature(b"s", [unit.encode()]))

    def thaw(self, unit: str) -> None:
        """They go on, whether or not they stood still."""
        self._manage("ThawUnit", apply_signature(b"s", [unit.encode()]))

    def reset_failed(self, unit: str) -> None:
        """Clears failures and counters, and lets go of a failed unit that nothing holds."""
        try:
            self._manage("ResetFailedUnit", apply_signature(b"s", [unit.encode()]))
        except NoSuchUnit:
            return

    def wait(self, job: Job, seconds: float) -> str:
        """How the job ended, in systemd's word ("done", "failed", "timeout" …), or "waiting" if it did not in time."""
        deadline = time.monotonic() + seconds
        self._hear()
        while job.path not in self._ended:
            left = deadline - time.monotonic()
            if left <= 0:
                return "waiting"
            self.wait_for_change(left)
        return self._ended.pop(job.path)

    def watch(self, unit: str) -> None:
        """From now on `wait_for_change` hears of this unit's changes too. As long as this connection lives."""
        self._signals.match_signal(
            wire.SERVICE.encode(),
            wire.unit_path(unit).encode(),
            wire.PROPERTIES.encode(),
            b"PropertiesChanged",
            self._on_other,
        )

    def wait_for_change(self, seconds: float) -> None:
        """Returns when some job has ended, some unit is no longer in memory, or after so long."""
        if not self._hear():
            poller = select.poll()
            poller.register(self._signals.get_fd(), select.POLLIN)
            poller.poll(seconds * 1000)
            self._hear()

    def reload(self) -> None:
        """systemd reads every unit file and drop-in anew."""
        self._manage("Reload", [])

    def state(self) -> str:
        """The whole system's, as `systemctl is-system-running` says it: "running", "stopping" and so on."""
        return str(self._get(wire.MANAGER_PATH, wire.MANAGER, "SystemState", "s"))

    def loaded(self, patterns: Sequence[str]) -> list[LoadedUnit]:
        """The units of these names that systemd has in memory."""
        rows = self._manage(
            "ListUnitsByPatterns", apply_signature(b"asas", [[], [pattern.encode() for pattern in patterns]])
        )
        return [LoadedUnit(row[0].decode(), row[3].decode(), row[4].decode(), row[7] != 0) for row in rows]

    def unit_property(self, unit: str, name: str, signature: str) -> Any:
        """One property that every unit has; strings come as str."""
        return self._get(wire.unit_path(unit), wire.UNIT, name, signature)

    def own_property(self, unit: str, name: str, signature: str) -> Any:
        """One property of its kind of unit, such as a service's Result."""
        return self._get(wire.unit_path(unit), wire.interface_of(unit), name, signature)

    def _hear(self) -> bool:
        """Takes in what systemd has said by now; whether there was anything."""
        heard = False
        while not self._signals.process().is_empty():
            heard = True
        return heard

    def _job(self, method: str, unit: str) -> Job:
        return Job(unit, self._manage(method, apply_signature(b"ss", [unit.encode(), b"replace"])))

    def _manage(self, method: str, arguments: list[Any]) -> Any:
        try:
            body = self._calls.call_method(*_manager(method), arguments).body
        except DBusNoSuchUnitError as error:
            raise NoSuchUnit(_words(error)) from error
        except DBusBaseError as error:
            refusal = UnitExists if error.err_name == b"org.freedesktop.systemd1.UnitExists" else SystemdRefused
            raise refusal(f"systemd refused {method}: {_words(error)}") from error
        return body.decode() if isinstance(body, bytes) else body

    def _get(self, path: str, interface: str, name: str, signature: str) -> Any:
        try:
            value = self._calls.get_property(
                wire.SERVICE.encode(), path.encode(), interface.encode(), name.encode(), signature.encode()
            )
        except DBusBaseError as error:
            raise SystemdRefused(f"systemd does not say {name}: {_words(error)}") from error
        return value.decode() if isinstance(value, bytes) else value


class NoSuchUnit(SystemdRefused):
    code = "no-such-unit"


class UnitExists(SystemdRefused):
    """There is one of this name already, in memory or as a file."""

    code = "unit-exists"


def _manager(method: str) -> tuple[bytes, bytes, bytes, bytes]:
    return wire.SERVICE.encode(), wire.MANAGER_PATH.encode(), wire.MANAGER.encode(), method.encode()


def _packed_properties(unit: UnitSpec) -> list[tuple[int, object]]:
    """The properties as an a(sv), in pystemd's list of containers to open, values to append and containers to close."""
    packed: list[tuple[int, object]] = [(_OPEN_ARRAY, b"(sv)")]
    for name, signature, value in wire.signed(unit):
        packed += [
            (_OPEN_STRUCT, b"sv"),
            *apply_signature(b"s", [name.encode()]),
            (_OPEN_VARIANT, signature.encode()),
            *apply_signature(signature.encode(), [_as_bytes(value)]),
            (_CLOSE, None),
            (_CLOSE, None),
        ]
    return [*packed, (_CLOSE, None)]


def _as_bytes(value: Any) -> Any:
    """pystemd wants every text as bytes, however deep."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list | tuple):
        return type(value)(_as_bytes(part) for part in value)
    return value


def _words(error: DBusBaseError) -> str:
    message = error.err_message
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)
