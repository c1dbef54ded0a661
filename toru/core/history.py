"""What plugins did over the last hour, in memory: charts begin with it."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from toru.domain.ids import PluginId

POINTS = 240
EVERY_SECONDS = 15.0
"""Between two points at least, however often is measured."""
KEPT_SECONDS = POINTS * EVERY_SECONDS

_MEASURED = ("memory_bytes", "tasks", "cpu_percent")
_COLUMNS = (*_MEASURED, "requests_per_second", "errors_per_second", "restarts")
_WIDTH = 1 + len(_COLUMNS)
_NOTHING = (0.0,) * len(_COLUMNS)


class Counts(NamedTuple):
    """What only rises: until it begins again at nothing, as when a plugin's slate is wiped."""

    requests: int = 0
    errors: int = 0
    restarts: int = 0


class Counters:
    """How much was counted from one look to the next."""

    def __init__(self) -> None:
        self._before: Mapping[PluginId, Counts] | None = None

    def risen(self, now: Mapping[PluginId, Counts]) -> dict[PluginId, Counts]:
        """Of each plugin of which anything was. At the first look nobody can say, so of none."""
        before, self._before = self._before, now
        if before is None:
            return {}
        rises = {
            plugin_id: Counts(*map(_rise, before.get(plugin_id, Counts()), counts))
            for plugin_id, counts in now.items()
            if counts != before.get(plugin_id)
        }
        return {plugin_id: rise for plugin_id, rise in rises.items() if any(rise)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Figures over time, as columns of the same length, oldest first. None: not measured."""

    at: list[float]
    memory_bytes: list[float | None]
    tasks: list[float | None]
    cpu_percent: list[float | None]
    requests_per_second: list[float | None]
    errors_per_second: list[float | None]
    restarts: list[float | None]
    """How many since the time before."""


class History:
    """Numbers in an array cost 56 bytes a point: an hour of 500 plugins is 7 MB."""

    def __init__(self) -> None:
        self._courses: dict[PluginId, array[float]] = {}
        self._all = array("d")
        self._times: deque[float] = deque(maxlen=POINTS)
        self._counters = Counters()

    def note(self, at: float, figures: Mapping[PluginId, Mapping[str, Any]], counts: Mapping[PluginId, Counts]) -> None:
        """Takes note of what was measured at one time, and had been counted by then: the same time for all."""
        if self._times and at < self._times[-1] - EVERY_SECONDS:
            self._forget()  # the clock was set back: until it is there again would be too long to wait
        seconds = at - self._times[-1] if self._times else math.inf
        if seconds < EVERY_SECONDS - 1:  # rounds are never quite on time
            return
        self._times.append(at)
        points = dict(_points_at(figures, self._counters.risen(counts), seconds))
        for plugin_id, point in points.items():
            _append(self._courses.setdefault(plugin_id, array("d")), at, point)
        # Added up once, and not by each who asks: that would be every point of every plugin.
        _append(self._all, at, _sum(points.values()))
        for plugin_id in [it for it, course in self._courses.items() if at - course[-_WIDTH] > KEPT_SECONDS]:
            del self._courses[plugin_id]

    def _forget(self) -> None:
        self._courses.clear()
        del self._all[:]
        self._times.clear()

    def course(self, plugin_id: PluginId) -> Course:
        """One plugin's; empty for one that has neither run nor been asked for an hour."""
        if (course := self._courses.get(plugin_id)) is None:
            return _course(())
        return _course((at, *point) for at, point in self._on_every_time(course))

    def total(self, plugin_ids: Iterable[PluginId] | None = None) -> Course:
        """The sum of several plugins' at each time. None: of all that there were."""
        if plugin_ids is None:
            return _course(_points(self._all))
        known = [self._courses[it] for it in plugin_ids if it in self._courses]
        sums = zip(*(map(itemgetter(1), self._on_every_time(course)) for course in known), strict=True)
        return _course((at, *_sum(points)) for at, points in zip(self._times, sums, strict=False))

    def _on_every_time(self, course: array[float]) -> Iterator[tuple[float, tuple[float, ...]]]:
        """Who had no process and was not asked used nothing, which is no reason for a gap."""
        own = {at: point for at, *point in _points(course)}
        return ((at, tuple(own.get(at, _NOTHING))) for at in self._times)


def _rise(before: int, now: int) -> int:
    return now - before if now >= before else now


def _points_at(
    figures: Mapping[PluginId, Mapping[str, Any]], rises: Mapping[PluginId, Counts], seconds: float
) -> Iterator[tuple[PluginId, tuple[float, ...]]]:
    for plugin_id in figures.keys() | rises.keys():
        rise = rises.get(plugin_id, Counts())
        measured = figures.get(plugin_id)
        used = _NOTHING[: len(_MEASURED)] if measured is None else [_number(measured[name]) for name in _MEASURED]
        yield plugin_id, (*used, rise.requests / seconds, rise.errors / seconds, rise.restarts)


def _number(measured: float | None) -> float:
    return math.nan if measured is None else float(measured)


def _append(course: array[float], at: float, point: Iterable[float]) -> None:
    course.append(at)
    course.extend(point)
    del course[: -POINTS * _WIDTH]


def _points(course: array[float]) -> Iterator[tuple[float, ...]]:
    return (tuple(course[start : start + _WIDTH]) for start in range(0, len(course), _WIDTH))


def _sum(points: Iterable[Iterable[float]]) -> tuple[float, ...]:
    """What isn't known adds nothing to what is. Of nobody it is nothing."""
    columns = list(zip(*points, strict=True))
    return tuple(map(_added_up, columns)) if columns else _NOTHING


def _added_up(column: Iterable[float]) -> float:
    known = [it for it in column if not math.isnan(it)]
    return math.fsum(known) if known else math.nan


def _course(points: Iterable[tuple[float, ...]]) -> Course:
    at, *columns = list(zip(*points, strict=True)) or [()] * _WIDTH
    known = [[None if math.isnan(it) else it for it in column] for column in columns]
    return Course(at=list(at), **dict(zip(_COLUMNS, known, strict=True)))
