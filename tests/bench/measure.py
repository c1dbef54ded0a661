"""Times things, side by side, and says how they came out."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
class Part:
    """What one step of a benchmark found out."""

    rows: Sequence[Row] = ()
    notes: Sequence[str] = ()

    @classmethod
    def from_json(cls, content: Any) -> Part:
        rows = [Row(row["what"], row["samples"], row["peer"], Unit(row["unit"])) for row in content["rows"]]
        return cls(rows, content["notes"])


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
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ("-" * widths[0], *(f"{'-' * max(2, width - 1)}:" for width in widths[1:-1]), "-" * widths[-1]))
    return (_line(line, widths) for line in lines)


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    first, *others, last = zip(cells, widths, strict=True)
    middle = " | ".join(cell.rjust(width) for cell, width in others)
    return f"| {first[0].ljust(first[1])} | {middle} | {last[0].ljust(last[1])} |"


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
            return f"{value:g}"
