"""From journal entries to events, in the very orders that systemd 252 and 257 write them in."""

from __future__ import annotations

import itertools

import pytest

from toru.domain.events import (
    ENDED_WELL,
    FAILED,
    NO_RUN,
    PROCESS_EXITED,
    RESTART_SCHEDULED,
    STARTED,
    STOPPED,
    STOPPING,
    Event,
    Record,
    tell,
)
from toru.domain.ids import PluginId

pytestmark = pytest.mark.req("OBS-2")

CLOCK = PluginId("clock")
FIRST, SECOND, THIRD = "1" * 32, "2" * 32, "3" * 32

Entry = tuple[str, str, dict[str, str]]
"""Message id, run, fields."""


def exited(run: str, code: str = "exited", status: str = "3", command: str = "ExecStart") -> Entry:
    return PROCESS_EXITED, run, {"COMMAND": command, "EXIT_CODE": code, "EXIT_STATUS": status}


def failed(run: str, result: str = "exit-code") -> Entry:
    return FAILED, run, {"UNIT_RESULT": result}


def scheduled(run: str, count: int) -> Entry:
    return RESTART_SCHEDULED, run, {"N_RESTARTS": str(count)}


def stopped(run: str, job: str) -> Entry:
    return STOPPED, run, {"JOB_TYPE": job}


def story(*entries: Entry | Record) -> list[Event]:
    events, run = [], NO_RUN
    for number, entry in zip(itertools.count(), entries, strict=False):
        if isinstance(entry, Record):
            record = entry
        else:
            message_id, invocation_id, fields = entry
            fields = {"INVOCATION_ID": invocation_id, **fields}
            record = Record(cursor=f"c{number}", at=number, plugin_id=CLOCK, message_id=message_id, fields=fields)
        run, event = tell(run, record)
        if event is not None:
            events.append(event)
    return events


def told(*entries: Entry | Record) -> list[tuple[str, str | None]]:
    return [(str(event.kind), event.cause) for event in story(*entries)]


def wish(event: str, reason: str | None = None) -> Record:
    fields = {"TORU_EVENT": event} | ({"TORU_REASON": reason} if reason else {})
    return Record(cursor="w", at=0, plugin_id=CLOCK, fields=fields)


GAVE_UP = Record(
    cursor="s",
    at=0,
    plugin_id=CLOCK,
    of_socket=True,
    message_id=FAILED,
    fields={"UNIT_RESULT": "service-start-limit-hit"},
)

STATUS_3 = "it exited with status 3"


def test_a_start_and_a_stop_on_request() -> None:
    assert told((STARTED, FIRST, {}), (STOPPING, FIRST, {}), (ENDED_WELL, FIRST, {}), stopped(FIRST, "stop")) == [
        ("started", None),
        ("stopped", "on request"),
    ]


def test_going_to_sleep() -> None:
    assert told((STARTED, FIRST, {}), (ENDED_WELL, FIRST, {})) == [
        ("started", None),
        ("stopped", "it ended by itself, without an error"),
    ]


@pytest.mark.parametrize("version", [252, 257])
def test_a_crash_and_the_restart_after_it(version: int) -> None:
    between = [stopped(FIRST, "restart")] if version == 252 else []
    assert told(
        (STARTED, FIRST, {}), exited(FIRST), failed(FIRST), scheduled(FIRST, 1), *between, (STARTED, SECOND, {})
    ) == [("started", None), ("crashed", STATUS_3), ("restarted", "after a crash")]


def test_a_crash_says_how_the_run_ended() -> None:
    (_, event) = story((STARTED, FIRST, {}), exited(FIRST, "killed", "9"), failed(FIRST, "signal"))
    assert event.cause == "it was killed by SIGKILL"
    assert event.details == {"invocation_id": FIRST, "result": "signal", "signal": 9}


def test_a_restart_by_the_core_after_a_crash_which_systemd_did_not_schedule() -> None:
    assert told(
        (STARTED, FIRST, {}), exited(FIRST), failed(FIRST), stopped(FIRST, "restart"), (STARTED, SECOND, {})
    ) == [("started", None), ("crashed", STATUS_3), ("restarted", "after a crash")]


def test_a_restart_on_request_is_one_event() -> None:
    assert told(
        (STARTED, FIRST, {}),
        (STOPPING, FIRST, {}),
        (ENDED_WELL, FIRST, {}),
        stopped(FIRST, "restart"),
        (STARTED, SECOND, {}),
        (STOPPING, SECOND, {}),
        (ENDED_WELL, SECOND, {}),
        stopped(SECOND, "stop"),
    ) == [("started", None), ("restarted", "on request"), ("stopped", "on request")]


@pytest.mark.parametrize("version", [252, 257])
def test_giving_up_is_no_crash_of_its_own(version: int) -> None:
    between = [stopped(SECOND, "restart")] if version == 252 else []
    assert told(
        (STARTED, FIRST, {}),
        exited(FIRST),
        failed(FIRST),
        scheduled(FIRST, 1),
        exited(SECOND),  # too quickly for systemd to say that it had started
        failed(SECOND),
        scheduled(SECOND, 2),
        *between,
        failed(SECOND),
        GAVE_UP,
        wish("disabled", "it failed too many times in a row"),
        wish("enabled"),
        (STARTED, THIRD, {}),
    ) == [
        ("started", None),
        ("crashed", STATUS_3),
        ("crashed", STATUS_3),
        ("gave-up", "it failed too many times in a row"),
        ("disabled", "it failed too many times in a row"),
        ("enabled", None),
        ("started", None),
    ]


def test_ending_well_too_often_is_given_up_without_a_crash() -> None:
    assert told((STARTED, FIRST, {}), (ENDED_WELL, FIRST, {}), failed(FIRST, "start-limit-hit"), GAVE_UP) == [
        ("started", None),
        ("stopped", "it ended by itself, without an error"),
        ("gave-up", "it failed too many times in a row"),
    ]


def test_an_end_that_systemd_tells_before_the_start_comes_after_it() -> None:
    assert [kind for kind, _ in told((ENDED_WELL, FIRST, {}), (STARTED, FIRST, {}))] == ["started", "stopped"]


def test_a_failure_that_systemd_tells_before_the_start_is_a_crash() -> None:
    assert told(exited(FIRST), failed(FIRST), (STARTED, FIRST, {})) == [("crashed", STATUS_3)]


def test_a_plugin_that_must_be_killed_to_stop_has_not_crashed() -> None:
    assert told(
        (STARTED, FIRST, {}),
        (STOPPING, FIRST, {}),
        exited(FIRST, "killed", "9"),
        failed(FIRST, "timeout"),
        stopped(FIRST, "stop"),
    ) == [("started", None), ("stopped", "on request; it took too long to start or stop")]


def test_a_plugin_that_never_answered_on_its_socket() -> None:
    assert told(exited(FIRST, "exited", "1", "ExecStartPost"), failed(FIRST), scheduled(FIRST, 1)) == [
        ("crashed", "it did not answer on its socket in time")
    ]


def test_a_stop_while_its_socket_is_waited_for_is_no_crash() -> None:
    ended = exited(FIRST, "killed", "15", "ExecStartPost")
    assert told(ended, failed(FIRST, "signal"), stopped(FIRST, "stop")) == [("stopped", "on request")]


def test_a_stop_between_a_crash_and_the_restart() -> None:
    assert told((STARTED, FIRST, {}), exited(FIRST), failed(FIRST), stopped(FIRST, "stop"), (STARTED, SECOND, {})) == [
        ("started", None),
        ("crashed", STATUS_3),
        ("stopped", "on request, while it waited to be restarted"),
        ("started", None),
    ]


def test_restarts_are_counted_as_systemd_counts_them() -> None:
    events = story(exited(FIRST), failed(FIRST), scheduled(FIRST, 4), (STARTED, SECOND, {}))
    assert events[-1].details == {"invocation_id": SECOND, "restarts": 4}


@pytest.mark.parametrize(
    "fields",
    [{}, {"TORU_EVENT": "exploded"}, {"EXIT_STATUS": "x" * 5000, "N_RESTARTS": "٣", "COMMAND": "", "UNIT_RESULT": ""}],
)
@pytest.mark.parametrize("message_id", ["", "0" * 32, STARTED, FAILED, PROCESS_EXITED, RESTART_SCHEDULED, STOPPED])
def test_no_entry_is_too_odd(message_id: str, fields: dict[str, str]) -> None:
    for of_socket in (False, True):
        record = Record(cursor="c", at=0, plugin_id=CLOCK, message_id=message_id, fields=fields, of_socket=of_socket)
        tell(NO_RUN, record)
