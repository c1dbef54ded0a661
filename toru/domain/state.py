"""What systemd reports about a plugin, in one word a person understands.

The words of systemd 252 to 257 are all here; a newer one that we have never met becomes OTHER at the border, so that
it can be shown and decided on rather than crash a reader.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from enum import StrEnum
from typing import Self, assert_never


class _OpenEnum(StrEnum):
    """Words that somebody else makes up."""

    @classmethod
    def _missing_(cls, value: object) -> Self:  # noqa: ARG003  (whatever it is)
        return cls("other")


class ActiveState(_OpenEnum):
    ACTIVE = "active"
    RELOADING = "reloading"
    REFRESHING = "refreshing"
    INACTIVE = "inactive"
    FAILED = "failed"
    ACTIVATING = "activating"
    DEACTIVATING = "deactivating"
    MAINTENANCE = "maintenance"
    OTHER = "other"


# Between two tries. The first two, of 257, last a millisecond; the third one stands for the whole wait.
_BETWEEN_TRIES = frozenset(
    {"failed-before-auto-restart", "dead-before-auto-restart", "auto-restart", "auto-restart-queued"}
)


class State(StrEnum):
    """What a plugin is doing."""

    STOPPED = "stopped"
    """No units: disabled, or taken down by ops."""
    IDLE = "idle"
    """Its socket listens; the first request starts it."""
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    BACKING_OFF = "backing off"
    STOPPING = "stopping"
    FAILED = "failed"


class Health(StrEnum):
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketFacts:
    active: ActiveState
    result: str = "success"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """A service's properties. The defaults are those of a service that never ran."""

    active: ActiveState
    sub: str
    result: str = "success"
    main_pid: int = 0
    restarts: int = 0
    exit_kind: int = 0
    """A CLD_ number of waitid(2): how the last main process ended."""
    exit_status: int = 0
    """Its exit code, or the signal that ended it."""
    frozen: bool = False
    changed_at: float = 0
    """When it entered this state, in seconds since 1970."""
    restart_delay: float = 0
    """How long systemd waits before its next try, in seconds; before 254 the core may come first (core/pacing)."""
    invocation_id: str = ""
    control_group: str = ""
    memory_bytes: int | None = None
    tasks: int | None = None
    cpu_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """Both units of a plugin, as far as they are loaded."""

    service: ServiceFacts | None = None
    socket: SocketFacts | None = None


NO_UNITS = UnitFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    state: State
    health: Health
    reason: str | None = None
    """Why it is not as one would wish."""
    retry_at: float | None = None
    """When systemd tries again, in seconds since 1970; while backing off."""


def status_of(facts: UnitFacts, *, enabled: bool) -> Status:
    """What to tell a person."""
    state = state_of(facts)
    return Status(
        state=state,
        health=_health(facts, state, enabled=enabled),
        reason=_reason(facts, state, enabled=enabled),
        retry_at=facts.service.changed_at + facts.service.restart_delay
        if state is State.BACKING_OFF and facts.service
        else None,
    )


def state_of(facts: UnitFacts) -> State:
    service, socket = facts.service, facts.socket
    if socket is not None and socket.active is ActiveState.FAILED and not _alive(service):
        return State.FAILED
    if service is None:
        return _without_service(socket)
    if service.sub in _BETWEEN_TRIES:
        return State.BACKING_OFF
    match service.active:
        case ActiveState.ACTIVE | ActiveState.RELOADING | ActiveState.REFRESHING:
            return State.PAUSED if service.frozen else State.RUNNING
        case ActiveState.ACTIVATING:
            return State.STARTING
        case ActiveState.DEACTIVATING:
            return State.STOPPING
        case ActiveState.FAILED:
            return State.FAILED
        case ActiveState.INACTIVE | ActiveState.MAINTENANCE:
            return _without_service(socket)
        case ActiveState.OTHER:
            return State.RUNNING if service.main_pid else _without_service(socket)
        case _:
            assert_never(service.active)


def _without_service(socket: SocketFacts | None) -> State:
    if socket is None:
        return State.STOPPED
    match socket.active:
        case ActiveState.ACTIVE | ActiveState.RELOADING | ActiveState.REFRESHING | ActiveState.OTHER:
            return State.IDLE
        case ActiveState.ACTIVATING:
            return State.STARTING
        case ActiveState.DEACTIVATING:
            return State.STOPPING
        case ActiveState.FAILED:
            return State.FAILED
        case ActiveState.INACTIVE | ActiveState.MAINTENANCE:
            return State.STOPPED
        case _:
            assert_never(socket.active)


def _alive(service: ServiceFacts | None) -> bool:
    return service is not None and service.active not in {ActiveState.FAILED, ActiveState.INACTIVE}


def _health(facts: UnitFacts, state: State, *, enabled: bool) -> Health:
    if not enabled:
        return Health.DISABLED
    match state:
        case State.IDLE | State.STARTING | State.RUNNING | State.PAUSED | State.STOPPING:
            return Health.HEALTHY if _listens(facts) else Health.UNHEALTHY
        case State.BACKING_OFF | State.FAILED | State.STOPPED:
            return Health.UNHEALTHY
        case _:
            assert_never(state)


def _listens(facts: UnitFacts) -> bool:
    down = {ActiveState.FAILED, ActiveState.INACTIVE, ActiveState.MAINTENANCE}
    return facts.socket is not None and facts.socket.active not in down


def _reason(facts: UnitFacts, state: State, *, enabled: bool) -> str | None:
    match state:
        case State.BACKING_OFF | State.FAILED:
            return _failure(facts)
        case State.STOPPED:
            return "its units were stopped" if enabled else None
        case State.RUNNING | State.IDLE | State.STARTING | State.STOPPING | State.PAUSED:
            return None if _listens(facts) else "its socket is gone: disable and enable it"
        case _:
            assert_never(state)


# systemd's results, as in "systemctl status" (service_result_table and socket_result_table in systemd's source).
_RESULTS = {
    "resources": "the system could not provide what it needs",
    "protocol": "it did not keep to the start protocol",
    "timeout": "it took too long to start or stop",
    "watchdog": "it stopped answering the watchdog",
    "start-limit-hit": "it failed too many times in a row",
    "oom-kill": "it ran out of memory",
    "exec-condition": "a start condition said no",
    "service-start-limit-hit": "it failed too many times in a row",
    "trigger-limit-hit": "it ended at once, over and over, without taking the connection that woke it",
}

_KILLED = frozenset({os.CLD_KILLED, os.CLD_DUMPED})

# systemd's own exit codes before the program runs (systemd.exec(5), "Process Exit Codes").
_EXIT_CODES = {
    200: "its working directory can't be entered",
    203: "it could not be executed",
    217: "its user could not be made",
    226: "its sandbox could not be set up",
    228: "its system call filter could not be set up",
    233: "its runtime directory could not be made",
    238: "its state directory could not be made",
    243: "its credentials could not be handed over",
}


def _failure(facts: UnitFacts) -> str | None:
    gave_up = facts.socket.result if facts.socket and facts.socket.active is ActiveState.FAILED else "success"
    parts = [_RESULTS.get(gave_up, f"its socket failed ({gave_up})")] if gave_up != "success" else []
    # A service that was given up after a clean exit says the same as its socket.
    if facts.service is not None and (last := last_end(facts.service)) and last not in parts:
        parts.append(f"at last {last}" if parts else last)
    return "; ".join(parts) or None


def last_end(service: ServiceFacts) -> str | None:
    """How the last run ended, if it did not end well."""
    ended_by = service.exit_kind, service.exit_status
    match service.result:
        case "success":
            return None
        # Not the plugin's own end: a command beside it failed, and systemd ended the plugin for that.
        case "exit-code" if service.exit_kind in _KILLED or ended_by == (os.CLD_EXITED, 0):
            return "it did not answer on its socket in time"
        case "signal" | "core-dump" if service.exit_kind == os.CLD_EXITED:
            return "what waited for its socket was killed"
        case "exit-code" if service.exit_status in _EXIT_CODES:
            return f"{_EXIT_CODES[service.exit_status]} (exit status {service.exit_status})"
        case "exit-code":
            return f"it exited with status {service.exit_status}"
        case "signal" | "core-dump":
            return f"it was killed by {_signal_name(service.exit_status)}"
        case other:
            return _RESULTS.get(other, f"it failed ({other})")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
