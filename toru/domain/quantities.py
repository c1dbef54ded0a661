"""Amounts of memory, tasks and processor time, as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIZE = re.compile(r"(?P<number>[0-9]{1,15})(?P<unit>[KMGT]?)", re.ASCII)
UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_PERCENT = re.compile(r"(?P<number>[0-9]{1,6})%", re.ASCII)

# Less would not even hold the interpreter that greets the plugin inside its own cgroup.
LEAST_MEMORY_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Upper bounds for one plugin. None: nothing said."""

    memory_bytes: int | None = None
    tasks: int | None = None
    cpu_percent: int | None = None
    """Of one processor: 200 is two of them."""

    def tightened_by(self, other: Limits) -> Limits:
        """The smaller of both, bound by bound."""
        return Limits(
            memory_bytes=_smaller(self.memory_bytes, other.memory_bytes),
            tasks=_smaller(self.tasks, other.tasks),
            cpu_percent=_smaller(self.cpu_percent, other.cpu_percent),
        )

    def overridden_by(self, other: Limits) -> Limits:
        """What the other says, and this where it says nothing."""
        return Limits(
            memory_bytes=self.memory_bytes if other.memory_bytes is None else other.memory_bytes,
            tasks=self.tasks if other.tasks is None else other.tasks,
            cpu_percent=self.cpu_percent if other.cpu_percent is None else other.cpu_percent,
        )

    def as_said(self) -> dict[str, int]:
        """As a manifest or a settings file would say it."""
        said = {"memory": self.memory_bytes, "tasks": self.tasks, "cpu": self.cpu_percent}
        return {name: amount for name, amount in said.items() if amount is not None}


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


def parse_memory_bytes(value: object) -> int:
    """`"64M"` or a whole number of bytes; K, M, G and T count in 1024s, as in systemd."""
    size = _size(value)
    if size is None or not LEAST_MEMORY_BYTES <= size < 2**63:
        raise ValueError(f'must be a size like "64M" or a number of bytes, at least {LEAST_MEMORY_BYTES >> 20}M')
    return size


def parse_size(value: object, *, least: int, most: int) -> int:
    """The same within bounds."""
    size = _size(value)
    if size is None or not least <= size <= most:
        raise ValueError(f'must be a size like "64M" or a number of bytes, {least} to {most}')
    return size


def _size(value: object) -> int | None:
    if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
        return int(match["number"]) << UNITS[match["unit"]]
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parse_tasks(value: object) -> int:
    """A number of processes and threads."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**32:
        raise ValueError("must be a whole number of processes and threads, at least 1")
    return value


def parse_cpu_percent(value: object) -> int:
    """`"50%"` or 50: of one processor."""
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
        value = int(match["number"])
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise ValueError('must be a percentage of one processor like "50%" or 50')
    return value
