"""What people read, on a terminal or in a pipe: amounts, times and remarks in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from toru import __version__
from toru.core import rows
from toru.core.overview import PluginView
from toru.domain.levels import LEVELS
from toru.domain.quantities import Limits
from toru.domain.state import Health, ServiceFacts, State

if TYPE_CHECKING:
    from toru.cli.look import Summary
    from toru.systemd.journal import LogLine

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def state(view: PluginView) -> str:
    """What the plugin is doing, and "disabled" for one that is to do nothing."""
    is_off = not view.enabled and view.status.state is State.STOPPED
    return Health.DISABLED if is_off else view.status.state


def remark(view: PluginView, *, now: float) -> str | None:
    """Why a plugin is not as one would wish, and when that may change."""
    said = [view.status.reason] if view.status.reason else []
    if view.disabled_because:
        said.append(_why_disabled(view.disabled_because, now=now))
    elif not view.enabled and view.manifest and view.status.state is not State.STOPPED:
        said.append("disabled, but somebody has started it")
    if (wait := rows.seconds_to_retry(view, now=now)) is not None:
        said.append(f"next try within {wait:.0f} s")
    if view.manifest is None:
        said.append("its file is gone or was rejected")
    return "; ".join(said) or None


def _why_disabled(because: Mapping[str, Any], *, now: float) -> str:
    """What config.json says of it, which anybody with an editor may have written."""
    try:
        ago = f" {duration(now - datetime.fromisoformat(str(because.get('at'))).timestamp())} ago"
    except (OverflowError, ValueError):
        ago = ""
    return f"switched off{ago}: {because.get('reason')}"


def facts(view: PluginView, *, now: float) -> Iterator[tuple[str, str]]:
    """The lines of a plugin's card: a word, and what there is to say."""
    manifest, service = view.manifest, view.facts.service
    changed_at = service.changed_at if service else 0
    yield "state", f"{state(view)}{since(changed_at, now=now) if changed_at else ''}"
    if said := remark(view, now=now):
        yield "reason", said
    if service is not None and (ended := rows.last_end(service)) and ended not in (said or ""):
        yield "last run", ended
    if service is not None:
        yield from _facts_of(service, view.limits)
    asked = rows.asked_sandbox(view)
    yield "sandbox", f"{view.sandbox} (asks for {asked})" if asked else view.sandbox
    yield "unit", view.id.service
    yield "socket", str(view.id.socket_path)
    if manifest is None:
        return
    if manifest.rings:
        yield "own socket", str(view.id.private_socket_path)
    yield "protocol", f"{manifest.protocol}, starts {manifest.start}"
    yield "route", manifest.route
    yield "file", view.path or "-"
    for name, text in (("author", manifest.author), ("homepage", manifest.homepage)):
        if text:
            yield name, text


def _facts_of(service: ServiceFacts, limits: Limits) -> Iterator[tuple[str, str]]:
    if service.main_pid:
        yield "pid", str(service.main_pid)
        yield "memory", _used(_size(service.memory_bytes), _size(limits.memory_bytes))
        yield "tasks", _used(_count(service.tasks), _count(limits.tasks))
        seconds = None if service.cpu_seconds is None else f"{service.cpu_seconds:.2f} s so far"
        yield "cpu", _used(seconds, _percent(limits.cpu_percent), ", at most")
    yield "restarts", str(service.restarts)


def summary_facts(summary: Summary) -> Iterator[tuple[str, str]]:
    """The lines of the host's card."""
    plugins, rejected = summary.overview.plugins, summary.overview.rejected
    yield "plugins", f"{len(plugins)} ({_counts(summary.by_health())})" if plugins else "none"
    yield "state", _counts(summary.by_state()) or "-"
    yield "rejected", f"{len(rejected)} {'file' if len(rejected) == 1 else 'files'}"
    yield "directory", str(summary.plugins_dir)
    yield "versions", f"Toru {__version__}, systemd {summary.systemd}"


def _counts(counts: Mapping[Health, int] | Mapping[State, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def since(moment: float, *, now: float) -> str:
    """` since 14:03:22 (5 min ago)`, with the day where that was another one."""
    then, today = datetime.fromtimestamp(moment).astimezone(), datetime.fromtimestamp(now).astimezone()
    clock = then.strftime("%H:%M:%S" if then.date() == today.date() else "%Y-%m-%d %H:%M:%S")
    return f" since {clock} ({duration(now - moment)} ago)"


def duration(seconds: float) -> str:
    """About how long, in the largest unit that fits."""
    if seconds < 2 * _MINUTE:
        return f"{max(0, seconds):.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.0f} h"
    return f"{seconds / _DAY:.0f} days"


def _size(size_bytes: int | None) -> str | None:
    """In the units that limits are written in: 1024s."""
    if size_bytes is None:
        return None
    amount, unit = float(size_bytes), "B"
    for larger in "KMGT":
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f}{unit}" if unit == "B" or amount >= 100 or amount == int(amount) else f"{amount:.1f}{unit}"


def _count(number: int | None) -> str | None:
    return None if number is None else str(number)


def _percent(cpu_percent: int | None) -> str | None:
    return None if cpu_percent is None else f"{cpu_percent}% of a processor"


def _used(now: str | None, most: str | None, of: str = " of") -> str:
    """What there is of it, and the limit. systemd can measure only where the kernel lets it."""
    if now is None:
        return f"at most {most} (not measured here)" if most else "not measured here"
    return f"{now}{of} {most}" if most else now


def log_fields(line: LogLine) -> tuple[str, str, str, str]:
    """A log line in a pipe: when, how urgent, whose, and what."""
    when = line.at.astimezone().isoformat(timespec="milliseconds")
    return when, LEVELS[line.priority], "systemd" if line.of_systemd else "plugin", line.message
