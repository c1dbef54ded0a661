"""What plugins used over the last hour, in memory: charts begin with it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toru.domain.ids import PluginId

POINTS = 240
EVERY_SECONDS = 15.0
"""Between two points at least, however often is measured."""
KEPT_SECONDS = POINTS * EVERY_SECONDS

_NAMES = ("memory_bytes", "tasks", "cpu_percent")
_WIDTH = 1 + len(_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Figures over time, as columns of the same length, oldest first. None: not measured."""

    at: list[float]
    memory_bytes: list[float | None]
    tasks: list[float | None]
    cpu_percent: list[float | None]


class History:
    """Numbers in an array cost 32 bytes a point: an hour of 500 plugins is 4 MB."""

    def __init__(self) -> None:
        self._courses: dict[PluginId, array[float]] = {}
        self._noted_at = -math.inf

    def note(self, at: float, figures: Mapping[PluginId, Mapping[str, Any]]) -> None:
        """Takes note of what was measured at one time: the same for all, so that they can be added up."""
        if at - self._noted_at < EVERY_SECONDS - 1:  # rounds are never quite on time
            return
        self._noted_at = at
        for plugin_id, measured in figures.items():
            course = self._courses.setdefault(plugin_id, array("d"))
            course.append(at)
            course.extend(math.nan if measured[name] is None else float(measured[name]) for name in _NAMES)
            del course[: -POINTS * _WIDTH]
        for plugin_id in [it for it, course in self._courses.items() if at - course[-_WIDTH] > KEPT_SECONDS]:
            del self._courses[plugin_id]

    def course(self, plugin_id: PluginId) -> Course:
        """One plugin's; empty for one that has not run for an hour."""
        return _course(_points(self._courses.get(plugin_id, array("d"))))

    def total(self, plugin_ids: Iterable[PluginId]) -> Course:
        """The sum of several plugins' at each time. All of them are measured together."""
        sums: dict[float, list[float]] = {}
        for plugin_id in plugin_ids:
            for at, *figures in _points(self._courses.get(plugin_id, array("d"))):
                before = sums.get(at)
                sums[at] = figures if before is None else list(map(_plus, before, figures))
        return _course((at, *figures) for at, figures in sorted(sums.items()))


def _points(course: array[float]) -> Iterator[tuple[float, ...]]:
    return (tuple(course[start : start + _WIDTH]) for start in range(0, len(course), _WIDTH))


def _plus(a: float, b: float) -> float:
    """What isn't known adds nothing to what is."""
    return b if math.isnan(a) else a if math.isnan(b) else a + b


def _course(points: Iterable[tuple[float, ...]]) -> Course:
    columns = list(zip(*points, strict=True)) or [()] * _WIDTH
    known: list[list[float | None]] = [[None if math.isnan(it) else it for it in column] for column in columns[1:]]
    return Course(at=list(columns[0]), memory_bytes=known[0], tasks=known[1], cpu_percent=known[2])
