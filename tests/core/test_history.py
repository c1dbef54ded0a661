from __future__ import annotations

from typing import Any

import pytest

from toru.core.history import EVERY_SECONDS, KEPT_SECONDS, POINTS, History
from toru.domain.ids import PluginId

A, B = PluginId("a"), PluginId("b")


def figures(memory: int | None, cpu: float | None = None) -> dict[str, Any]:
    return {"memory_bytes": memory, "tasks": 1, "cpu_seconds": 0.0, "cpu_percent": cpu}


@pytest.mark.req("UI-5")
def test_what_was_measured_comes_back_in_columns() -> None:
    history = History()
    history.note(100, {A: figures(5)})
    history.note(115, {A: figures(6, 2.5)})
    course = history.course(A)
    assert (course.at, course.memory_bytes, course.tasks) == ([100, 115], [5, 6], [1, 1])
    assert course.cpu_percent == [None, 2.5]


def test_a_plugin_that_never_ran_has_an_empty_course() -> None:
    assert History().course(A).at == []


def test_points_keep_their_distance_however_often_is_measured() -> None:
    history = History()
    for at in range(0, 60, 3):
        history.note(at, {A: figures(at)})
    assert history.course(A).at == [0, 15, 30, 45]


def test_an_hour_is_kept_and_no_more() -> None:
    history = History()
    for number in range(POINTS + 10):
        history.note(number * EVERY_SECONDS, {A: figures(number)})
    assert len(history.course(A).at) == POINTS
    assert history.course(A).memory_bytes[0] == 10


def test_who_has_not_run_for_an_hour_is_forgotten() -> None:
    history = History()
    history.note(0, {A: figures(1)})
    history.note(KEPT_SECONDS + 1, {B: figures(1)})
    assert history.course(A).at == []


def test_a_total_adds_what_is_known_at_each_time() -> None:
    history = History()
    history.note(0, {A: figures(1)})
    history.note(15, {A: figures(2), B: figures(10, 1.5)})
    history.note(30, {B: figures(None, None)})
    total = history.total([A, B])
    assert total.at == [0, 15, 30]
    assert total.memory_bytes == [1, 12, None]
    assert total.cpu_percent == [None, 1.5, None]
    assert history.total([B]).memory_bytes == [10, None]
