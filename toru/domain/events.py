"""What happened to plugins, told from what systemd and toru-admin wrote to the journal.

A signal is missed by whoever isn't there; a journal entry waits. `tell` reads a plugin's entries one by one and
remembers of its current run what the next entry needs, so that every crash is one event however systemd words it:

    Main process exited … Failed with result …                          a crash
    Scheduled restart job … [252: Stopped …] Starting … Started …       restarted, after the crash
    Stopping … Stopped (of a restart job) … Started …                   restarted, on request
    … Start request repeated too quickly. Failed with result …          no second crash: the run is told already
    Stopping … Main process exited … Failed with result … Stopped       stopped, if not well
    Starting … Deactivated successfully. Started …                      started, then stopped: told in that order
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from toru.domain.ids import PluginId
from toru.domain.state import ActiveState, ServiceFacts, SocketFacts, UnitFacts, last_end, status_of


class EventKind(StrEnum):
    STARTED = "started"
    STOPPED = "stopped"
    CRASHED = "crashed"
    RESTARTED = "restarted"
    GAVE_UP = "gave-up"
    """systemd won't try again; Toru disables the plugin next."""
    ENABLED = "enabled"
    DISABLED = "disabled"
    PAUSED = "paused"
    RESUMED = "resumed"
    OTHER = "other"
    """Written by a newer Toru, or brought from an older one."""


WISHES = {str(kind): kind for kind in (EventKind.ENABLED, EventKind.DISABLED, EventKind.PAUSED, EventKind.RESUMED)}
"""What toru-admin writes of its own work, as TORU_EVENT."""

# systemd's catalogue of messages (sd-messages.h). The same in 252 and 257.
STARTED = "39f53479d3a045ac8e11786248231fbf"
STOPPING = "de5b426a63be47a7b6ac3eaac82e2f6f"
STOPPED = "9d1aaa27d60140bd96365438aad20286"
ENDED_WELL = "7ad2d189f7e94e70a38c781354912448"
PROCESS_EXITED = "98e322203f7a4ed290d09fe03c09fe15"
FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
RESTART_SCHEDULED = "5eb03494b6584870a536b337290809b3"

OF_SYSTEMD = (STARTED, STOPPING, STOPPED, ENDED_WELL, PROCESS_EXITED, FAILED, RESTART_SCHEDULED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A journal entry about a plugin whose writer is beyond doubt: process 1, or toru-admin as root."""

    cursor: str
    at: float
    """Seconds since 1970, by the journal's clock."""
    plugin_id: PluginId
    of_socket: bool = False
    message_id: str = ""
    """Of systemd's; none in one of toru-admin's."""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    plugin_id: PluginId
    kind: EventKind
    at: float
    cause: str | None
    """In words; None where there is nothing to explain."""
    details: Mapping[str, str | int]
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What there is to remember of a plugin's current run, or its last."""

    invocation_id: str = ""
    started: bool = False
    """That it started is told."""
    ended: bool = False
    """It has ended by itself, well or not."""
    ending_untold: bool = False
    """systemd said so before it said that the run had started."""
    crashed: bool = False
    stopping: bool = False
    wait_ended: bool = False
    """What waits for the plugin's socket was told to end."""
    result: str = "success"
    exit_kind: int | None = None
    """How its main process ended, once it has: a CLD_ number of waitid(2)."""
    exit_status: int = 0
    restarting: str | None = None
    """Why the next start is a restart, if it is one."""
    restarts: int | None = None
    """In a row, as systemd counts them."""


NO_RUN = Run()

Told = tuple[Run, Event | None]


def tell(run: Run, record: Record) -> Told:
    """What the record changes in what is known of the plugin's run, and the event that it makes, if any."""
    if not record.message_id:
        return replace(run, restarting=None, restarts=None), _wish(record)
    if record.of_socket:
        return (replace(run, restarting=None, restarts=None), _gave_up(record)) if _is_failure(record) else (run, None)
    invocation_id = record.fields.get("INVOCATION_ID", "")
    if invocation_id != run.invocation_id:
        run = Run(invocation_id=invocation_id, restarting=run.restarting, restarts=run.restarts)
    chapter = _CHAPTERS.get(record.message_id)
    return chapter(run, record) if chapter else (run, None)


def _wish(record: Record) -> Event | None:
    kind = WISHES.get(record.fields.get("TORU_EVENT", ""))
    return _event(record, kind, record.fields.get("TORU_REASON")) if kind is not None else None


def _is_failure(record: Record) -> bool:
    return record.message_id == FAILED


def _gave_up(record: Record) -> Event:
    result = record.fields.get("UNIT_RESULT", "")
    socket = UnitFacts(socket=SocketFacts(active=ActiveState.FAILED, result=result))
    return _event(record, EventKind.GAVE_UP, status_of(socket, enabled=True).reason, result=result)


def _started(run: Run, record: Record) -> Told:
    if run.ending_untold:
        return replace(run, ending_untold=False), _event(record, EventKind.STOPPED, ENDED_BY_ITSELF)
    if run.started or run.crashed:  # systemd may say that a run has failed before it says that it had started
        return run, None
    return _begun(run), _beginning(run, record)


def _begun(run: Run) -> Run:
    return replace(run, started=True, restarting=None, restarts=None)


def _beginning(run: Run, record: Record) -> Event:
    if run.restarting is None:
        return _event(record, EventKind.STARTED, None, invocation_id=run.invocation_id)
    more = {} if run.restarts is None else {"restarts": run.restarts}
    return _event(record, EventKind.RESTARTED, run.restarting, invocation_id=run.invocation_id, **more)


def _process_exited(run: Run, record: Record) -> Told:
    kind = _EXIT_KINDS.get(record.fields.get("EXIT_CODE", ""), os.CLD_EXITED)
    status = _number(record, "EXIT_STATUS") or 0
    if record.fields.get("COMMAND") == "ExecStart":
        return replace(run, exit_kind=kind, exit_status=status), None
    # systemd ends the command that waits for the plugin's socket when the plugin is stopped meanwhile. 257 then says
    # neither "Stopping" nor that it went well.
    return replace(run, wait_ended=kind == os.CLD_KILLED and status == signal.SIGTERM), None


def _failed(run: Run, record: Record) -> Told:
    result = record.fields.get("UNIT_RESULT", "")
    if run.ended or result == "start-limit-hit":
        return run, None  # systemd refuses another start, and repeats how the last run ended
    if run.wait_ended and result == "signal":
        return run, None
    run = replace(run, result=result)
    if run.stopping:
        return run, None
    cause = _last_end(run)
    details: dict[str, str | int] = {"invocation_id": run.invocation_id, "result": result}
    if run.exit_kind is not None:
        details["exit_status" if run.exit_kind == os.CLD_EXITED else "signal"] = run.exit_status
    return replace(run, ended=True, crashed=True), _event(record, EventKind.CRASHED, cause, **details)


def _ended_well(run: Run, record: Record) -> Told:
    if run.stopping or run.ended:
        return run, None
    if not run.started:
        return replace(_begun(run), ended=True, ending_untold=True), _beginning(run, record)
    stopped = _event(record, EventKind.STOPPED, ENDED_BY_ITSELF, invocation_id=run.invocation_id)
    return replace(run, ended=True), stopped


def _stopping(run: Run, _record: Record) -> Told:
    return replace(run, stopping=True), None


def _stopped(run: Run, record: Record) -> Told:
    if record.fields.get("JOB_TYPE") == "restart":
        return replace(run, restarting=run.restarting or (AFTER_CRASH if run.crashed else ON_REQUEST)), None
    at_rest = run.ended and not run.crashed and not run.ending_untold
    after = replace(run, ended=True, ending_untold=False, restarting=None, restarts=None)
    if at_rest:
        return after, None
    if run.crashed:
        cause = "on request, while it waited to be restarted"
    elif (end := _last_end(run)) is not None:
        cause = f"{ON_REQUEST}; {end}"
    else:
        cause = ON_REQUEST
    return after, _event(record, EventKind.STOPPED, cause, invocation_id=run.invocation_id)


def _restart_scheduled(run: Run, record: Record) -> Told:
    return replace(run, restarting=AFTER_CRASH, restarts=_number(record, "N_RESTARTS")), None


ENDED_BY_ITSELF = "it ended by itself, without an error"
ON_REQUEST = "on request"
AFTER_CRASH = "after a crash"

_CHAPTERS: dict[str, Callable[[Run, Record], Told]] = {
    STARTED: _started,
    STOPPING: _stopping,
    STOPPED: _stopped,
    ENDED_WELL: _ended_well,
    PROCESS_EXITED: _process_exited,
    FAILED: _failed,
    RESTART_SCHEDULED: _restart_scheduled,
}

_EXIT_KINDS = {"exited": os.CLD_EXITED, "killed": os.CLD_KILLED, "dumped": os.CLD_DUMPED}


def _last_end(run: Run) -> str | None:
    return last_end(
        ServiceFacts(
            active=ActiveState.FAILED,
            sub="failed",
            result=run.result,
            exit_kind=os.CLD_EXITED if run.exit_kind is None else run.exit_kind,
            exit_status=run.exit_status,
        )
    )


def _event(record: Record, kind: EventKind, cause: str | None, **details: str | int) -> Event:
    return Event(
        plugin_id=record.plugin_id, kind=kind, at=record.at, cause=cause, details=details, cursor=record.cursor
    )


def _number(record: Record, name: str) -> int | None:
    text = record.fields.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
