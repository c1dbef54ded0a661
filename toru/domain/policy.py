"""What ops decided: restarts, limits, sandboxes. Plugins can only tighten it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toru.domain import places
from toru.domain.events import EventKind
from toru.domain.ids import PluginId
from toru.domain.manifest import Manifest, Sandbox
from toru.domain.quantities import Limits

DEFAULT_LIMITS = Limits(memory_bytes=512 << 20, tasks=256, cpu_percent=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    first_delay: float = 1
    max_delay: float = 16
    failures: int = 10
    """So many in a row disable the plugin."""
    stable_after: float = 60
    """Healthy for so long, a plugin has a clean slate."""

    @property
    def steps(self) -> int:
        """From the first delay to the longest in so many doublings (systemd's RestartSteps=)."""
        return max(1, round(math.log2(self.max_delay / self.first_delay)))

    def delay_before_restart(self, failures_in_a_row: int) -> float:
        """The wait after the nth failure in a row: the first delay, then doubled up to the longest."""
        doublings = min(failures_in_a_row - 1, 64)
        return min(self.first_delay * 2.0**doublings, self.max_delay)


@dataclass(frozen=True, slots=True, kw_only=True)
class KvPolicy:
    """What a plugin may keep in its storage."""

    value_bytes: int = 1 << 20
    total_bytes: int = 64 << 20
    keys: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsPolicy:
    keep_days: float = 7

    @property
    def keep_seconds(self) -> float:
        return self.keep_days * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """Of requests to one plugin. None: nothing said."""

    timeout: float | None = None
    """Seconds to the beginning of the answer."""
    max_body: int | None = None
    """Bytes of a request."""
    max_concurrent: int | None = None
    """Requests that are with the plugin at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPolicy:
    """What holds for every plugin, unless its metadata asks for less or ops decided otherwise."""

    timeout: float = 30
    max_body: int = 4 << 30
    max_concurrent: int = 256
    max_waiting: int = 1000
    """Requests that wait for their turn, for each plugin; more are told to come again."""
    max_head: int = 32 << 10
    """Bytes of a request's head, be it for a plugin or for Toru."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HooksPolicy:
    """What hooks are told."""

    events: frozenset[EventKind] = frozenset({EventKind.CRASHED, EventKind.DISABLED})
    burst: int = 5
    """So many events of a kind, of each plugin, at once; and then"""
    interval: float = 60
    """one in so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPolicy:
    """The files for outside agents."""

    max_file: int = 10 << 20
    """Bytes, at which a file is set aside for a new one."""
    keep: int = 5
    """So many that were set aside, of each."""
    keep_days: float = 30
    """Files that nothing was written to for so long are removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginOverride:
    """What ops decided for one plugin."""

    sandbox: Sandbox | None = None
    limits: Limits = Limits()
    requests: RequestLimits = RequestLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    plugins_dir: Path = places.PLUGINS
    database_url: str = f"sqlite:///{places.DATABASE}"
    """Any that SQLAlchemy knows; postgresql+psycopg://… for several hosts on one database."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose word for where a request comes from counts (X-Forwarded-For, X-Forwarded-Proto)."""
    auto_enable: bool = True
    restart: RestartPolicy = RestartPolicy()
    start_timeout: float = 10
    stop_timeout: float = 5
    """For each step of a stop: the shutdown message, then SIGTERM; after the second, SIGKILL."""
    limits: Limits = DEFAULT_LIMITS
    kv: KvPolicy = KvPolicy()
    events: EventsPolicy = EventsPolicy()
    gateway: GatewayPolicy = GatewayPolicy()
    hooks: HooksPolicy = HooksPolicy()
    export: ExportPolicy = ExportPolicy()
    overrides: Mapping[str, PluginOverride] = field(default_factory=dict)

    def limits_for(self, manifest: Manifest) -> Limits:
        """The defaults, tightened by the manifest; what ops said of this very plugin counts over both."""
        return self.limits.tightened_by(manifest.limits).overridden_by(self._override(manifest.id).limits)

    def requests_for(self, manifest: Manifest) -> GatewayPolicy:
        """The gateway's limits for this plugin, decided in the same way."""
        decided = self._override(manifest.id).requests

        def limit(name: str) -> Any:
            if (by_ops := getattr(decided, name)) is not None:
                return by_ops
            default, asked = getattr(self.gateway, name), getattr(manifest, name)
            return default if asked is None else min(default, asked)

        return replace(
            self.gateway,
            timeout=limit("timeout"),
            max_body=limit("max_body"),
            max_concurrent=limit("max_concurrent"),
        )

    def sandbox_for(self, manifest: Manifest) -> Sandbox:
        """`strict` is granted to whoever asks; `trusted` only by ops."""
        if (decided := self._override(manifest.id).sandbox) is not None:
            return decided
        return Sandbox.STRICT if manifest.sandbox is Sandbox.STRICT else Sandbox.DEFAULT

    def _override(self, plugin_id: PluginId) -> PluginOverride:
        return self.overrides.get(plugin_id, PluginOverride())
