"""What programs see: plugins, rejected files and log lines as JSON objects. The names are promises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from toru.core.overview import Overview, PluginView
from toru.core.traffic import Traffic
from toru.domain import state
from toru.domain.catalogue import Rejection
from toru.domain.levels import LEVELS
from toru.domain.loglines import Said, understood
from toru.domain.manifest import Sandbox
from toru.domain.state import ServiceFacts, State

if TYPE_CHECKING:
    from toru.core.why import Run, RunPage
    from toru.store.events import StoredEvent
    from toru.systemd.journal import LogLine

_CLD_EXITED = 1  # waitid(2): it ended by itself


def overview_document(overview: Overview, *, now: float) -> dict[str, Any]:
    """Everything: `{"plugins": […], "rejected": […]}`."""
    return {
        "plugins": [plugin_row(view, now=now) for view in overview.plugins],
        "rejected": [rejection_row(rejection) for rejection in overview.rejected],
    }


def plugin_row(view: PluginView, *, now: float, traffic: Traffic | None = None) -> dict[str, Any]:
    """A plugin. The first ten names are those that front ends in the field know; null: nothing known, or none.

    `traffic` is the core's: without it, nothing is known of requests.
    """
    manifest, service, status = view.manifest, view.facts.service, view.status
    return {
        "id": view.id,
        "name": manifest.name if manifest else view.id,
        "version": manifest and manifest.version,
        "author": manifest and manifest.author,
        "icon": manifest and manifest.icon,
        "route": manifest and manifest.route,
        "enabled": view.enabled,
        "running": status.state in {State.RUNNING, State.PAUSED},
        "health": status.health,
        "pid": (service and service.main_pid) or None,
        "socket_path": str(view.id.socket_path),
        "state": status.state,
        "reason": status.reason,
        "retry_in_seconds": seconds_to_retry(view, now=now),
        "restarts": service.restarts if service else 0,
        "last_end": service and last_end(service),
        "description": manifest and manifest.description,
        "homepage": manifest and manifest.homepage,
        "protocol": manifest and manifest.protocol,
        "activation": manifest and manifest.activation,
        "start": manifest and manifest.start,
        "private_socket_path": str(view.id.private_socket_path) if manifest and manifest.rings else None,
        "sandbox": view.sandbox,
        "sandbox_asked": asked_sandbox(view),
        "limits": {
            "memory_bytes": view.limits.memory_bytes,
            "tasks": view.limits.tasks,
            "cpu_percent": view.limits.cpu_percent,
        },
        "memory_bytes": service and service.memory_bytes,
        "tasks": service and service.tasks,
        "cpu_seconds": service and service.cpu_seconds,
        "requests": traffic and traffic.requests,
        "request_errors": traffic and traffic.errors,
        "requests_in_flight": traffic and traffic.in_flight,
        "unit": view.id.service,
        "socket_unit": view.id.socket,
        "path": view.path,
        "changed_at": (service and service.changed_at) or None,
        "invocation_id": (service and service.invocation_id) or None,
        "disabled_because": dict(view.disabled_because) if view.disabled_because else None,
    }


def why_document(view: PluginView, run: Run | None, newest_first: Sequence[LogLine], *, now: float) -> dict[str, Any]:
    """Why a plugin is as it is: its last run that has ended, and what that wrote last, oldest first."""
    row = plugin_row(view, now=now)
    same = ("id", "state", "health", "enabled", "reason", "retry_in_seconds", "restarts", "disabled_because")
    return {
        **{name: row[name] for name in same},
        "last_run": None if run is None else run_row(run),
        "logs": [log_row(line) for line in newest_first[::-1]],
    }


def runs_document(found: RunPage, current: str | None) -> dict[str, Any]:
    """Some of a plugin's runs, newest first. `current`: the one that has a process now."""
    return {"runs": [_any_run_row(run, current) for run in found.runs], "next": found.next_cursor}


def run_document(run: Run, newest_first: Sequence[LogLine], current: str | None) -> dict[str, Any]:
    """One of them, and what it wrote last, oldest first."""
    return {"run": _any_run_row(run, current), "logs": [log_row(line) for line in newest_first[::-1]]}


def _any_run_row(run: Run, current: str | None) -> dict[str, Any]:
    return {**run_row(run), "running": run.invocation_id == current}


def run_row(run: Run) -> dict[str, Any]:
    """One life of a plugin's process."""
    return {
        "invocation_id": run.invocation_id,
        "result": run.result,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "reason": run.reason,
        "started_at": None if run.started_at is None else run.started_at.isoformat(),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
        "seconds": run.seconds,
        "on_request": run.on_request,
    }


def rejection_row(rejection: Rejection) -> dict[str, Any]:
    """A file that is no plugin."""
    return {"file": rejection.file, "reason": rejection.reason, "id": rejection.id}


def log_row(line: LogLine) -> dict[str, Any]:
    """A journal entry of a plugin. `source`: `plugin`, or `systemd` for what systemd wrote of its units.

    `at` is the journal's clock. A JSON line of the plugin's is taken apart: `timestamp` is what it says of time, and
    `fields` whatever has no name of its own here.
    """
    said = (
        Said(priority=line.priority, message=line.message)
        if line.of_systemd
        else understood(line.message, line.priority)
    )
    return {
        "at": line.at.isoformat(timespec="microseconds"),
        "timestamp": said.timestamp,
        "priority": said.priority,
        "level": LEVELS[said.priority],
        "message": said.message,
        "fields": dict(said.fields),
        "source": "systemd" if line.of_systemd else "plugin",
        "plugin_id": line.plugin_id,
        "pid": line.pid,
        "invocation_id": line.invocation_id or None,
        "cursor": line.cursor,
    }


def seconds_to_retry(view: PluginView, *, now: float) -> float | None:
    """How long until systemd tries again, while it waits."""
    retry_at = view.status.retry_at
    return None if retry_at is None else round(max(0.0, retry_at - now), 1)


def asked_sandbox(view: PluginView) -> Sandbox | None:
    """The sandbox profile that the manifest asks for and only ops can grant, where they have not."""
    asked = view.manifest.sandbox if view.manifest else None
    return asked if asked is Sandbox.TRUSTED and view.sandbox is not Sandbox.TRUSTED else None


def last_end(service: ServiceFacts) -> str | None:
    """How the last run ended, well or not; None while it runs, and where there was none."""
    if service.main_pid or service.exit_kind == 0:
        return None
    if (badly := state.last_end(service)) is not None:
        return badly
    return "it exited with status 0" if service.exit_kind == _CLD_EXITED else "it was told to end"


def event_row(event: StoredEvent) -> dict[str, Any]:
    """Something that happened to a plugin."""
    return {
        "id": event.id,
        "plugin_id": event.plugin_id,
        "event_type": event.kind,
        "timestamp": datetime.fromtimestamp(event.at, UTC).isoformat(timespec="microseconds"),
        "cause": event.cause,
        "details": event.details,
        "host": event.host,
    }
