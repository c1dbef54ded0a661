"""Where requests for plugins go: a table in memory, kept true by what the observer sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from toru.core.overview import PluginView
from toru.domain.ids import PluginId
from toru.domain.manifest import Protocol
from toru.domain.policy import Policy
from toru.domain.state import State


class Availability(StrEnum):
    """What may come of a request to a plugin."""

    RUNNING = "running"
    ASLEEP = "asleep"
    """Connecting to its socket, or to its bell, starts it."""
    COMING = "coming"
    """It starts, or it stops while its socket goes on listening: whoever connects waits. One that binds for itself is
    reached when it is `RUNNING`."""
    PAUSED = "paused"
    """It stands still: whoever connects waits."""
    BACKING_OFF = "backing off"
    """It failed, and is started again at `retry_at`. Nobody knocks until then."""
    DOWN = "down"
    """Nothing will start it. Nobody knocks."""
    OFF = "off"
    """Disabled: there is no such route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A plugin as the gateway sees it. A change is a new value."""

    plugin: PluginId
    name: str
    route: str
    """`/clock`"""
    protocol: Protocol
    socket_path: str
    """Where requests are sent."""
    bell_path: str | None
    """For a plugin that binds for itself: a connection to it starts the plugin, and is never accepted."""
    availability: Availability
    reason: str | None = None
    """Why it is not as one would wish."""
    retry_at: float | None = None
    """In seconds since 1970; while backing off, where that is known."""
    timeout: float
    """Seconds that it has for the head of its answer."""
    max_body: int
    """Bytes."""
    max_concurrent: int
    """Requests that are with it at a time; few for toru/1, which takes them one by one."""

    @property
    def prefix(self) -> str:
        """The path that its requests begin with."""
        return f"/api/plugins/route{self.route}"


def target_of(view: PluginView, policy: Policy) -> Target | None:
    """The plugin as the gateway sees it; None where it has no route, because its file is gone."""
    manifest = view.manifest
    if manifest is None:
        return None
    limits = policy.requests_for(manifest)
    rings = manifest.rings
    return Target(
        plugin=view.id,
        name=manifest.name,
        route=manifest.route,
        protocol=manifest.protocol,
        socket_path=str(view.id.private_socket_path if rings else view.id.socket_path),
        bell_path=str(view.id.socket_path) if rings else None,
        availability=_AVAILABILITY[view.status.state] if view.enabled else Availability.OFF,
        reason=view.status.reason,
        retry_at=view.status.retry_at,
        timeout=limits.timeout,
        max_body=limits.max_body,
        max_concurrent=min(limits.max_concurrent, _MOST_OF_TORU_1)
        if manifest.protocol is Protocol.TORU_1
        else limits.max_concurrent,
    )


_AVAILABILITY: Mapping[State, Availability] = {
    State.STOPPED: Availability.DOWN,
    State.IDLE: Availability.ASLEEP,
    State.STARTING: Availability.COMING,
    State.RUNNING: Availability.RUNNING,
    State.PAUSED: Availability.PAUSED,
    State.BACKING_OFF: Availability.BACKING_OFF,
    State.STOPPING: Availability.COMING,
    State.FAILED: Availability.DOWN,
}

_MOST_OF_TORU_1 = 16
"""It takes one at a time, and each of the others holds up to 16 MiB meanwhile."""
