"""What people read, on a terminal or in a pipe: amounts, times and remarks in words. Of rows, which are JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from toru import __version__
from toru.cli.way import Row
from toru.domain.state import Health, State

if TYPE_CHECKING:
    from toru.cli.look import Summary

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def state(row: Row) -> str:
    """What the plugin is doing, and "disabled" for one that is to do nothing."""
    is_off = not row["enabled"] and row["state"] == State.STOPPED
    return Health.DISABLED if is_off else str(row["state"])


def remark(row: Row, *, now: float) -> str | None:
    """Why a plugin is not as one would wish, and when that may change."""
    has_file = row.get("path", "") is not None  # where nothing is said of it, it is of no interest
    said = [str(row["reason"])] if row["reason"] else []
    if row["disabled_because"]:
        said.append(_why_disabled(row["disabled_because"], now=now))
    elif not row["enabled"] and has_file and row["state"] != State.STOPPED:
        said.append("disabled, but somebody has started it")
    if row["retry_in_seconds"] is not None:
        said.append(f"next try within {row['retry_in_seconds']:.0f} s")
    if not has_file:
        said.append("its file is gone or was rejected")
    return "; ".join(said) or None


def _why_disabled(because: Mapping[str, Any], *, now: float) -> str:
    """What config.json says of it, which anybody with an editor may have written."""
    try:
        ago = f" {duration(now - datetime.fromisoformat(str(because.get('at'))).timestamp())} ago"
    except (OverflowError, ValueError):
        ago = ""
    return f"switched off{ago}: {because.get('reason')}"


def facts(row: Row, *, now: float) -> Iterator[tuple[str, str]]:
    """The lines of a plugin's card: a word, and what there is to say."""
    yield "state", f"{state(row)}{since(row['changed_at'], now=now) if row['changed_at'] else ''}"
    if said := remark(row, now=now):
        yield "reason", said
    if row["last_end"] and row["last_end"] not in (said or ""):
        yield "last run", row["last_end"]
    if row["pid"]:
        yield from _used_by(row)
    if row["state"] != State.STOPPED:
        yield "restarts", str(row["restarts"])
    if row["requests"]:
        yield "requests", _requests(row)
    asked = row["sandbox_asked"]
    yield "sandbox", f"{row['sandbox']} (asks for {asked})" if asked else row["sandbox"]
    yield "unit", row["unit"]
    yield "socket", row["socket_path"]
    if row["path"] is None:
        return
    if row["private_socket_path"]:
        yield "own socket", row["private_socket_path"]
    yield "protocol", f"{row['protocol']}, starts {row['start']}"
    yield "route", row["route"]
    yield "file", row["path"]
    for name in ("author", "homepage"):
        if row[name]:
            yield name, row[name]


def _used_by(row: Row) -> Iterator[tuple[str, str]]:
    limits = row["limits"]
    yield "pid", str(row["pid"])
    yield "memory", _used(_size(row["memory_bytes"]), _size(limits["memory_bytes"]))
    yield "tasks", _used(_count(row["tasks"]), _count(limits["tasks"]))
    seconds = None if row["cpu_seconds"] is None else f"{row['cpu_seconds']:.2f} s so far"
    yield "cpu", _used(seconds, _percent(limits["cpu_percent"]), ", at most")


def _requests(row: Row) -> str:
    errors, now = row["request_errors"], row["requests_in_flight"]
    return f"{row['requests']} since the core started, {errors} of them with an error; {now} under way"


def why_facts(document: Row, *, now: float) -> Iterator[tuple[str, str]]:
    """The lines of the card on how a plugin's last run ended."""
    yield "state", state(document)
    if said := remark(document, now=now):
        yield "reason", said
    yield "restarts", str(document["restarts"])
    run = document["last_run"]
    if run is None:
        yield "last run", "none has ended, as far as the journal goes back"
        return
    yield "last run", run["reason"] or "it ended well"
    yield "ended", at(datetime.fromisoformat(run["ended_at"]).timestamp(), now=now)
    if lasted := _lasted(run["seconds"]):
        yield "lasted", lasted
    yield "run", run["invocation_id"]


def run_fields(row: Row) -> tuple[str, str | None, str | None, str | None, str]:
    """A run in a pipe: which one, from when, until when, how many seconds, and how it ended."""
    started, ended = (row[name] and _here(row[name]) for name in ("started_at", "ended_at"))
    seconds = None if row["seconds"] is None else f"{row['seconds']:.3f}"
    return row["invocation_id"], started, ended, seconds, run_end(row)


def run_cells(row: Row, *, now: float) -> tuple[str, str, str, str]:
    """A run for people: from when, how long, how it ended, and which one."""
    started = at(datetime.fromisoformat(row["started_at"]).timestamp(), now=now) if row["started_at"] else "-"
    return started, _lasted(row["seconds"]) or "-", run_end(row), row["invocation_id"]


def run_facts(row: Row, *, now: float) -> Iterator[tuple[str, str]]:
    """The lines of a run's card."""
    yield "run", row["invocation_id"]
    yield "end", run_end(row)
    for name, moment in (("started", row["started_at"]), ("ended", row["ended_at"])):
        if moment is not None:
            yield name, at(datetime.fromisoformat(moment).timestamp(), now=now)
    if said := _lasted(row["seconds"]):
        yield "lasted", said


def run_end(row: Row) -> str:
    """How a run ended, if it has."""
    if row["running"]:
        return "it goes on"
    if row["result"] is None:
        return "nobody saw it end"
    return str(row["reason"] or ("it ended on request" if row["on_request"] else "it ended well"))


def _lasted(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def sandbox_facts(document: Row) -> Iterator[tuple[str, str]]:
    """The lines of a sandbox's card, but for the walls that are down."""
    yield "id", document["id"]
    sandbox = document["sandbox"]
    if sandbox is None:
        yield "grade", "none: it is off, so systemd has nothing in force for it"
        return
    yield "grade", sandbox["grade"]
    yield "profile", sandbox["profile"]
    units = loaded_units(document)
    for unit in units:
        if unit["needs_reload"]:
            yield "reload", f"files of {unit['name']} have changed since systemd read them: systemctl daemon-reload"
    for drop_in in (it for unit in units for it in unit["drop_ins"]):
        if drop_in["newer_than_run"]:
            yield "restart", f"{drop_in['path']} is newer than the run: it holds from the next start on"


def loaded_units(document: Row) -> list[Row]:
    return [unit for unit in (document["service"], document["socket"]) if unit is not None]


def setting_value(row: Row) -> str:
    """A setting's value for people. Who wants to know hundreds of system calls asks in a pipe."""
    value = str(row["value"])
    if row["kind"] == "calls" and value:
        return f"{len(value.split())} system calls"
    if row["kind"] == "bytes" and value.isdecimal():
        return size(int(value))
    if row["kind"] == "seconds" and value not in {"", "infinity"}:
        return f"{value} s"
    return value or "-"


def host_facts(row: Row) -> Iterator[tuple[str, str]]:
    """The lines of the host's own card."""
    yield "host", row["hostname"]
    yield "system", row["system"]
    yield "up", duration(row["uptime_seconds"])
    busy = "" if row["cpu_percent"] is None else f"{row['cpu_percent']:.0f}% of "
    yield "cpu", f"{busy}{row['processors']} processor{'' if row['processors'] == 1 else 's'}"
    if row["load"] is not None:
        yield "load", ", ".join(f"{load:.2f}" for load in row["load"])
    if row["memory_total_bytes"] is not None and row["memory_available_bytes"] is not None:
        used = row["memory_total_bytes"] - row["memory_available_bytes"]
        yield "memory", f"{size(used)} of {size(row['memory_total_bytes'])}"
    for disk in row["disks"]:
        room = f"{size(disk['available_bytes'])} of {size(disk['total_bytes'])} free"
        yield "disk", f"{room}: {', '.join(disk['paths'])}"
    plugins = row["plugins"]
    share = None if plugins["cpu_percent"] is None else f"{plugins['cpu_percent']:.1f}% of a processor"
    tasks = None if plugins["tasks"] is None else f"{plugins['tasks']} tasks"
    memory = None if plugins["memory_bytes"] is None else size(plugins["memory_bytes"])
    yield "plugins", ", ".join(it for it in (memory, tasks, share) if it) or "not measured here"


def figure_cells(at: float, memory: float | None, *rest: float | None) -> tuple[str, ...]:
    """Figures of one moment for people: when, memory, tasks, processor, requests, errors, restarts."""
    clock = datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")
    return (clock, "-" if memory is None else size(int(memory)), *("-" if it is None else f"{it:.4g}" for it in rest))


def summary_facts(summary: Summary) -> Iterator[tuple[str, str]]:
    """The lines of the host's card."""
    plugins, rejected = summary.plugins["plugins"], summary.plugins["rejected"]
    yield "plugins", f"{len(plugins)} ({_counts(summary.by_health())})" if plugins else "none"
    yield "state", _counts(summary.by_state()) or "-"
    yield "rejected", f"{len(rejected)} {'file' if len(rejected) == 1 else 'files'}"
    yield "directory", str(summary.plugins_dir)
    yield "versions", f"Toru {__version__}, systemd {summary.systemd}"


def _counts(counts: Mapping[Health, int] | Mapping[State, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def since(moment: float, *, now: float) -> str:
    """` since 14:03:22 (5 min ago)`."""
    return f" since {at(moment, now=now)}"


def at(moment: float, *, now: float) -> str:
    """`14:03:22 (5 min ago)`, with the day where that was another one."""
    then, today = datetime.fromtimestamp(moment).astimezone(), datetime.fromtimestamp(now).astimezone()
    clock = then.strftime("%H:%M:%S" if then.date() == today.date() else "%Y-%m-%d %H:%M:%S")
    return f"{clock} ({duration(now - moment)} ago)"


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
    return None if size_bytes is None else size(size_bytes)


def size(size_bytes: int) -> str:
    """In the units that limits are written in: 1024s."""
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


def log_fields(line: Row) -> tuple[str, str, str, str]:
    """A log line in a pipe: when, how urgent, whose, and what."""
    return _here(line["at"]), line["level"], line["source"], message(line)


def event_fields(row: Row) -> tuple[str, str, str, str | None]:
    """An event in a pipe: when, to whom, what, and why."""
    return _here(row["timestamp"]), row["plugin_id"], row["event_type"], row["cause"]


def _here(moment: str) -> str:
    """A moment in a pipe: in this host's time."""
    return datetime.fromisoformat(moment).astimezone().isoformat(timespec="milliseconds")


def message(line: Row) -> str:
    """What a log line says; of one that is JSON its message, and then the rest as it was."""
    rest = f" {json.dumps(line['fields'], ensure_ascii=False)}" if line["fields"] else ""
    return f"{line['message']}{rest}"
