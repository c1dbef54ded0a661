"""Times things, side by side, and says how they came out."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Moments = Mapping[str, float]
"""What one try came to: row → seconds."""


class Unit(StrEnum):
    TIME = "time"
    MEMORY = "memory"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, and what it is compared with: another row of the same table."""

    what: str
    samples: Sequence[float]
    peer: str | None = None
    unit: Unit = Unit.TIME

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        """The least sample that 95 of 100 do not exceed; of few samples, the greatest."""
        return sorted(self.samples)[math.ceil(0.95 * len(self.samples)) - 1]


@dataclass(frozen=True, slots=True)
class Line:
    """Several figures of one thing, and the line that they are compared with."""

    what: str
    figures: Mapping[str, Sequence[float]]
    """Column → turns."""
    peer: str | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """Things of which several figures are measured, in turns."""

    title: str
    columns: Mapping[str, Unit]
    lines: Sequence[Line]
    compared: Sequence[str] = ()
    """Columns with ratios: the median of those within each turn, so that what else the machine does hits both."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one step of a benchmark found out."""

    rows: Sequence[Row] = ()
    notes: Sequence[str] = ()
    grids: Sequence[Grid] = ()

    @classmethod
    def from_json(cls, content: Any) -> Part:
        rows = [Row(row["what"], row["samples"], row["peer"], Unit(row["unit"])) for row in content["rows"]]
        grids = [
            Grid(
                grid["title"],
                {name: Unit(unit) for name, unit in grid["columns"].items()},
                [Line(**line) for line in grid["lines"]],
                grid["compared"],
            )
            for grid in content["grids"]
        ]
        return cls(rows, content["notes"], grids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How thoroughly to measure. Steps that take long make fewer rounds of it."""

    rounds: int
    verbose: bool


Step = Callable[[Asked], Part]
"""Runs on the host, as root. Between two steps of a benchmark the host is rebooted."""


def took(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def side_by_side(
    rounds: int, cases: Sequence[Callable[[], Moments]], peers: Mapping[str, str], unit: Unit = Unit.TIME
) -> list[Row]:
    """Tries every case once a round, each round beginning with another, so that what else the machine does hits all.

    `peers` names the row that a row is compared with.
    """
    samples: dict[str, list[float]] = {}
    for number in range(rounds):
        first = number % len(cases)
        for case in (*cases[first:], *cases[:first]):
            for row, value in case().items():
                samples.setdefault(row, []).append(value)
    return [Row(what, values, peers.get(what), unit) for what, values in samples.items()]


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows in Markdown, which reads well enough as it is."""
    medians = {row.what: row.median for row in rows}
    lines: list[tuple[str, ...]] = [("", "n", "median", "p95", "ratio", "to")]
    for row in rows:
        compared = row.peer is not None and medians.get(row.peer)
        ratio = f"{row.median / medians[row.peer]:.2f}" if row.peer is not None and compared else ""
        shown = (_shown(row.median, row.unit), _shown(row.p95, row.unit))
        lines.append((row.what, str(len(row.samples)), *shown, ratio, row.peer or ""))
    return _in_markdown(lines)


@dataclass(frozen=True, slots=True)
class Case:
    """What makes a line of a grid."""

    what: str
    measure: Callable[[], Moments]
    """One turn: column → figure."""
    peer: str | None = None


def in_turns(rounds: int, cases: Sequence[Case]) -> list[Line]:
    """The same as `side_by_side`, for a grid."""
    turns: dict[str, dict[str, list[float]]] = {case.what: {} for case in cases}
    for number in range(rounds):
        first = number % len(cases)
        for case in (*cases[first:], *cases[:first]):
            for column, value in case.measure().items():
                turns[case.what].setdefault(column, []).append(value)
    return [Line(case.what, turns[case.what], case.peer) for case in cases]


def grid_table(grid: Grid) -> Iterator[str]:
    """The same for a grid: the medians, and behind each its ratio."""
    by_name = {line.what: line for line in grid.lines}
    header = [grid.title, "n"]
    for column in grid.columns:
        header += [column, "×"] if column in grid.compared else [column]
    lines = [tuple(header)]
    for line in grid.lines:
        cells = [line.what, str(max(map(len, line.figures.values())))]
        peer = None if line.peer is None else by_name[line.peer]
        for column, unit in grid.columns.items():
            samples = line.figures.get(column)
            cells.append(_shown(statistics.median(samples), unit) if samples else "")
            if column in grid.compared:
                cells.append(f"{_ratio(line, peer, column):.2f}" if peer is not None and samples else "")
        lines.append(tuple(cells))
    return _in_markdown(lines)


def _ratio(line: Line, peer: Line, column: str) -> float:
    pairs = zip(line.figures[column], peer.figures[column], strict=True)
    return statistics.median(one / other for one, other in pairs)


def _in_markdown(lines: list[tuple[str, ...]]) -> Iterator[str]:
    """The first line is the header. What is text is on the left, figures are on the right."""
    columns = list(zip(*lines, strict=True))
    widths = [max(3, *map(len, column)) for column in columns]
    is_text = [number == 0 or column[0] == "to" for number, column in enumerate(columns)]
    rule = ("-" * width if text else f"{'-' * (width - 1)}:" for width, text in zip(widths, is_text, strict=True))
    for line in (lines[0], tuple(rule), *lines[1:]):
        cells = zip(line, widths, is_text, strict=True)
        yield f"| {' | '.join(cell.ljust(width) if text else cell.rjust(width) for cell, width, text in cells)} |"


def _shown(value: float, unit: Unit) -> str:
    match unit:
        case Unit.TIME if value >= 10:
            return f"{value:.1f} s"
        case Unit.TIME if value < 0.0002:
            return f"{value * 1e6:.0f} µs"
        case Unit.TIME:
            return f"{value * 1000:.{1 if value < 0.1 else 0}f} ms"
        case Unit.MEMORY:
            return f"{value / 2**20:.1f} MiB"
        case Unit.COUNT:
            return f"{value:.0f}" if value >= 100 else f"{value:g}"
