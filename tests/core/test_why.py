"""A plugin's last run, from what systemd wrote of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from toru.core.why import run_of, runs_in
from toru.systemd.runs import Entry, Moment

pytestmark = pytest.mark.req("SUP-5")

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def entry(moment: Moment, second: float, run: str = "a", **facts: str) -> Entry:
    return Entry(moment=moment, at=BEGIN + timedelta(seconds=second), invocation_id=run, **facts)


def started(second: float, run: str = "a") -> list[Entry]:
    return [entry(Moment.STARTING, second, run), entry(Moment.STARTED, second + 0.1, run)]


def test_a_run_that_was_killed() -> None:
    entries = [
        *started(0),
        entry(Moment.PROCESS_EXITED, 5, exit_code="killed", exit_status="9", command="ExecStart"),
        entry(Moment.FAILED, 5, result="signal"),
        entry(Moment.STOPPED, 21),  # 252 says so at the next start
        *started(21, "b"),
    ]
    run = run_of(reversed(entries))
    assert run is not None
    assert (run.invocation_id, run.result, run.signal, run.exit_code) == ("a", "signal", "SIGKILL", None)
    assert (run.seconds, run.reason) == (5, "it was killed by SIGKILL")


def test_a_run_that_exited() -> None:
    exited = entry(Moment.PROCESS_EXITED, 1, exit_code="exited", exit_status="3", command="ExecStart")
    run = run_of(reversed([*started(0), exited, entry(Moment.FAILED, 1, result="exit-code")]))
    assert run is not None
    assert (run.exit_code, run.signal, run.reason) == (3, None, "it exited with status 3")


def test_a_run_that_ended_well() -> None:
    run = run_of(reversed([*started(0), entry(Moment.SUCCEEDED, 2), entry(Moment.STOPPED, 2)]))
    assert run is not None
    assert (run.result, run.exit_code, run.signal, run.reason, run.seconds) == ("success", 0, None, None, 2)


def test_a_command_beside_the_plugin_is_not_the_plugin() -> None:
    beside = entry(Moment.PROCESS_EXITED, 2, exit_code="exited", exit_status="1", command="ExecStartPost")
    own = entry(Moment.PROCESS_EXITED, 2.1, exit_code="killed", exit_status="15", command="ExecStart")
    run = run_of(reversed([*started(0), beside, own, entry(Moment.FAILED, 2.1, result="exit-code")]))
    assert run is not None
    assert (run.signal, run.exit_code, run.reason) == ("SIGTERM", None, "it did not answer on its socket in time")


def test_only_the_newest_run_that_ended_counts() -> None:
    older = [*started(0, "old"), entry(Moment.SUCCEEDED, 1, "old")]
    newer = [*started(10, "new"), entry(Moment.SUCCEEDED, 13, "new")]
    run = run_of(reversed([*older, *newer, *started(20, "now")]))
    assert run is not None
    assert (run.invocation_id, run.seconds) == ("new", 3)


def test_a_start_that_the_journal_has_forgotten_leaves_the_duration_open() -> None:
    run = run_of([entry(Moment.FAILED, 5, result="timeout")])
    assert run is not None
    assert (run.started_at, run.seconds, run.result) == (None, None, "timeout")


def test_without_an_end_there_is_no_run_to_tell_of() -> None:
    assert run_of(reversed(started(0))) is None
    assert run_of([]) is None


def test_runs_are_told_newest_first_with_the_one_that_goes_on() -> None:
    first = [
        *started(0, "first"),
        entry(Moment.PROCESS_EXITED, 5, "first", exit_code="killed", exit_status="9", command="ExecStart"),
        entry(Moment.FAILED, 5, "first", result="signal"),
        entry(Moment.STOPPED, 21, "first"),  # 252 says so at the next start
    ]
    second = [
        *started(21, "second"),
        entry(Moment.STOPPING, 30, "second"),
        entry(Moment.SUCCEEDED, 31, "second"),
        entry(Moment.STOPPED, 31, "second"),
    ]
    page = runs_in(reversed([*first, *second, *started(40, "now")]), 10)
    assert page.next_cursor is None
    now, asked, killed = page.runs
    assert (now.invocation_id, now.result, now.ended_at, now.seconds) == ("now", None, None, None)
    assert (asked.result, asked.on_request, asked.seconds) == ("success", True, 10)
    assert (killed.signal, killed.on_request, killed.seconds) == ("SIGKILL", False, 5)


def test_who_is_told_to_end_while_it_still_starts_ended_on_request() -> None:
    run = run_of(reversed([entry(Moment.STARTING, 0), entry(Moment.SUCCEEDED, 1), entry(Moment.STOPPED, 1)]))
    assert run is not None
    assert run.on_request
    by_itself = run_of(reversed([*started(0), entry(Moment.SUCCEEDED, 1)]))
    assert by_itself is not None
    assert not by_itself.on_request


def test_a_page_of_runs_ends_where_its_oldest_run_begins() -> None:
    entries = [it for run in "abcd" for it in (*started(0, run), entry(Moment.SUCCEEDED, 1, run))]
    entries = [replace(it, cursor=f"s={number}") for number, it in enumerate(entries)]
    page = runs_in(reversed(entries), 2)
    assert [run.invocation_id for run in page.runs] == ["d", "c"]
    assert page.next_cursor == "s=6"
    rest = runs_in(reversed(entries[:6]), 2)
    assert [run.invocation_id for run in rest.runs] == ["b", "a"]
    assert rest.next_cursor is None


def test_a_run_whose_beginning_the_journal_has_forgotten_is_told_all_the_same() -> None:
    page = runs_in(reversed([entry(Moment.FAILED, 5, "old", result="timeout"), *started(9, "now")]), 10)
    assert [(run.invocation_id, run.result, run.started_at is None) for run in page.runs] == [
        ("now", None, False),
        ("old", "timeout", True),
    ]
