"""The host's own figures: how busy it is, and how much room there is. Anybody may read them."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toru.domain import places

PROC = Path("/proc")

_KIB = 1024
_IDLE = (3, 4)
"""Where /proc/stat says how long processors had nothing to do: idle and iowait (proc(5))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A file system on which plugins have something."""

    paths: tuple[str, ...]
    total_bytes: int
    available_bytes: int
    """To everybody: a part is often kept for root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What all plugins use together: systemd's figures of toru-plugins.slice. None: not measured on this host."""

    memory_bytes: int | None = None
    tasks: int | None = None
    cpu_seconds: float | None = None
    cpu_percent: float | None = None
    """Of one processor, since the look before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFigures:
    """None: this host doesn't say."""

    at: float
    hostname: str
    system: str
    uptime_seconds: float
    processors: int
    cpu_percent: float | None
    """Of all processors together, since the look before."""
    load: tuple[float, ...] | None
    memory_total_bytes: int | None
    memory_available_bytes: int | None
    disks: tuple[Disk, ...]
    plugins: Envelope


class Host:
    """Looked at now and then; whoever asks in between is told what was seen last."""

    def __init__(
        self,
        plugins_dir: Path,
        *,
        seen: Sequence[Path] = (places.HOST_FIGURES, PROC),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._seen = seen
        self._clock = clock
        self._paths = (plugins_dir, *places.OF_PLUGINS)
        self._hostname = platform.node()
        self._system = _system()
        self._processor: tuple[int, int] | None = None
        self._figures: HostFigures | None = None

    @property
    def figures(self) -> HostFigures:
        return self._figures or self.look()

    def look(self, envelope: Envelope | None = None) -> HostFigures:
        """The figures as they are now. Without an envelope, what was known of that is still the best there is."""
        now = self._clock()
        memory = memory_of(self._read("meminfo"))
        self._figures = HostFigures(
            at=now,
            hostname=self._hostname,
            system=self._system,
            uptime_seconds=time.clock_gettime(time.CLOCK_BOOTTIME),
            processors=os.cpu_count() or 1,
            cpu_percent=self._cpu_percent(processor_time_of(self._read("stat"))),
            load=load_of(self._read("loadavg")),
            memory_total_bytes=memory.get("MemTotal"),
            memory_available_bytes=memory.get("MemAvailable"),
            disks=disks_of(self._paths),
            plugins=self._envelope(envelope, now),
        )
        return self._figures

    def _envelope(self, envelope: Envelope | None, now: float) -> Envelope:
        before = self._figures
        if envelope is None:
            return before.plugins if before else Envelope()
        if before is None or before.plugins.cpu_seconds is None or envelope.cpu_seconds is None:
            return envelope
        used, seconds = envelope.cpu_seconds - before.plugins.cpu_seconds, now - before.at
        # A slice that has ended and begun again counts from nothing.
        return envelope if used < 0 or seconds <= 0 else replace(envelope, cpu_percent=round(100 * used / seconds, 1))

    def _cpu_percent(self, times: tuple[int, int] | None) -> float | None:
        before, self._processor = self._processor, times
        if before is None or times is None or times[1] <= before[1]:
            return None
        busy, all_of_it = times[0] - before[0], times[1] - before[1]
        return round(100 * max(0, busy) / all_of_it, 1)

    def _read(self, name: str) -> str:
        """toru.service sees of /proc only what belongs to itself, so its unit shows it these files elsewhere."""
        for directory in self._seen:
            try:
                if text := (directory / name).read_text(encoding="ascii", errors="replace"):
                    return text
            except OSError:
                continue
        return ""


def memory_of(meminfo: str) -> Mapping[str, int]:
    """Bytes by name, from /proc/meminfo."""
    lines = (line.split() for line in meminfo.splitlines())
    return {words[0].rstrip(":"): int(words[1]) * _KIB for words in lines if len(words) == 3 and words[1].isdecimal()}


def processor_time_of(stat: str) -> tuple[int, int] | None:
    """How long processors have been busy, and how long they have been there, from /proc/stat; in its own unit."""
    kind, *numbers = (stat.partition("\n")[0] or "none").split()
    if kind != "cpu" or len(numbers) <= max(_IDLE):
        return None
    # The last two, of guests, are part of the first two.
    times = [int(number) for number in numbers[:8]]
    return sum(times) - sum(times[it] for it in _IDLE), sum(times)


def load_of(loadavg: str) -> tuple[float, ...] | None:
    """Over 1, 5 and 15 minutes, from /proc/loadavg."""
    numbers = loadavg.split()[:3]
    return tuple(map(float, numbers)) if numbers else None


def disks_of(paths: Sequence[Path]) -> tuple[Disk, ...]:
    """The file systems that these lie on, each once."""
    found: dict[int, list[Path]] = {}
    for path in paths:
        try:
            found.setdefault(path.stat().st_dev, []).append(path)
        except OSError:
            continue  # nobody has had to make it yet
    disks = []
    for together in found.values():
        try:
            room = os.statvfs(together[0])
        except OSError:
            continue
        disks.append(
            Disk(
                paths=tuple(map(str, together)),
                total_bytes=room.f_blocks * room.f_frsize,
                available_bytes=room.f_bavail * room.f_frsize,
            )
        )
    return tuple(disks)


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
