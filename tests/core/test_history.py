from __future__ import annotations

from typing import Any

import pytest

from toru.core.history import EVERY_SECONDS, KEPT_SECONDS, POINTS, Counters, Counts, History
from toru.domain.ids import PluginId

pytestmark = pytest.mark.req("UI-5")

A, B, C = PluginId("a"), PluginId("b"), PluginId("c")


def figures(memory: int | None, cpu: float | None = None) -> dict[str, Any]:
    return {"memory_bytes": memory, "tasks": 1, "cpu_seconds": 0.0, "cpu_percent": cpu}


def test_what_was_measured_comes_back_in_columns() -> None:
    history = History()
    history.note(100, {A: figures(5)}, {})
    history.note(115, {A: figures(6, 2.5)}, {})
    course = history.course(A)
    assert (course.at, course.memory_bytes, course.tasks) == ([100, 115], [5, 6], [1, 1])
    assert course.cpu_percent == [None, 2.5]


def test_a_plugin_that_never_ran_has_an_empty_course() -> None:
    history = History()
    assert history.course(A).at == []
    history.note(0, {B: figures(1)}, {A: Counts()})
    assert history.course(A).at == []


def test_points_keep_their_distance_however_often_is_measured() -> None:
    history = History()
    for at in range(0, 60, 3):
        history.note(at, {A: figures(at)}, {})
    assert history.course(A).at == [0, 15, 30, 45]


def test_an_hour_is_kept_and_no_more() -> None:
    history = History()
    for number in range(POINTS + 10):
        history.note(number * EVERY_SECONDS, {A: figures(number)}, {})
    for course in (history.course(A), history.total(), history.total([A])):
        assert len(course.at) == POINTS
        assert course.memory_bytes[0] == 10


def test_a_clock_that_is_set_back_begins_anew_rather_than_stand_still() -> None:
    history = History()
    history.note(7200, {A: figures(1)}, {A: Counts(100)})
    history.note(7215, {A: figures(2)}, {A: Counts(130)})
    history.note(7205, {A: figures(2)}, {A: Counts(140)})
    assert history.course(A).at == [7200, 7215], "a little is waited for"
    history.note(10, {A: figures(3)}, {A: Counts(150)})
    history.note(25, {A: figures(4)}, {A: Counts(180)})
    for course in (history.course(A), history.total(), history.total([A])):
        assert (course.at, course.memory_bytes, course.requests_per_second) == ([10, 25], [3, 4], [0, 2])


def test_who_has_not_run_for_an_hour_is_forgotten() -> None:
    history = History()
    history.note(0, {A: figures(1)}, {})
    history.note(KEPT_SECONDS + 1, {B: figures(1)}, {})
    assert history.course(A).at == []


def test_who_sleeps_uses_nothing_which_is_no_gap() -> None:
    history = History()
    history.note(0, {A: figures(7, 1.0)}, {})
    history.note(15, {}, {})
    history.note(30, {A: figures(8, 2.0)}, {})
    course = history.course(A)
    assert (course.at, course.memory_bytes, course.cpu_percent) == ([0, 15, 30], [7, 0, 8], [1.0, 0, 2.0])
    assert history.total().memory_bytes == [7, 0, 8]


def test_requests_errors_and_restarts_are_told_as_they_rise() -> None:
    history = History()
    history.note(0, {A: figures(1)}, {A: Counts(100, 10, 2)})
    history.note(15, {A: figures(1)}, {A: Counts(130, 13, 2)})
    history.note(35, {A: figures(1)}, {A: Counts(150, 13, 5)})
    course = history.course(A)
    # What had been counted before anybody looked is of no time that is known.
    assert course.requests_per_second == [0, 2, 1]
    assert course.errors_per_second == [0, 0.2, 0]
    assert course.restarts == [0, 0, 3]


def test_who_is_asked_though_asleep_has_a_course() -> None:
    history = History()
    history.note(0, {}, {A: Counts()})
    history.note(15, {}, {A: Counts(30, 30)})
    course = history.course(A)
    assert course.memory_bytes == [0, 0]
    assert course.errors_per_second == [0, 2]


def test_a_count_that_begins_again_has_risen_from_nothing() -> None:
    counters = Counters()
    assert counters.risen({A: Counts(restarts=5), B: Counts(7)}) == {}
    assert counters.risen({A: Counts(restarts=2), B: Counts(7), C: Counts(4)}) == {A: Counts(restarts=2), C: Counts(4)}
    assert counters.risen({A: Counts(restarts=3)}) == {A: Counts(restarts=1)}


def test_a_total_adds_what_is_known_at_each_time() -> None:
    history = History()
    history.note(0, {A: figures(1)}, {})
    history.note(15, {A: figures(2), B: figures(10, 1.5)}, {A: Counts(15), B: Counts(30, 15)})
    history.note(30, {A: figures(None), B: figures(None)}, {A: Counts(15), B: Counts(30, 15, 1)})
    for total in (history.total(), history.total([A, B])):
        assert total.at == [0, 15, 30]
        assert total.memory_bytes == [1, 12, None]
        assert total.cpu_percent[1:] == [1.5, None]
        assert total.requests_per_second == [0, 3, 0]
        assert total.errors_per_second == [0, 1, 0]
        assert total.restarts == [0, 0, 1]


def test_a_total_is_of_those_who_were_asked_for() -> None:
    history = History()
    history.note(0, {A: figures(1), B: figures(10), C: figures(100)}, {})
    assert history.total([A, C]).memory_bytes == [101]
    assert history.total().memory_bytes == [111]
    assert history.total([]).at == []
