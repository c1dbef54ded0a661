"""The two units of a plugin, as one value.

`units_for` is Toru's whole restart and security posture: everything that systemd will do for a plugin is in what it
returns, or in the drop-in files beside it (units/toru-plugin-.service.d), which ops can read and override.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toru.domain import places
from toru.domain.catalogue import Plugin
from toru.domain.ids import PluginId
from toru.domain.manifest import Protocol
from toru.domain.policy import Policy

Value = bool | int | str | list[str] | list[tuple[str, str]] | list[tuple[str, list[str], list[str]]]

INFINITY = 2**64 - 1

FIRST_WITH_RESTART_STEPS = 254
"""Earlier versions of systemd can't lengthen the delay by themselves: the core shortens it (core/pacing)."""

GREET_WITHIN = 2.0
"""A plugin that binds for itself must answer within so many seconds of its start (LIFE-1)."""

SLICE = "toru-plugins.slice"


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """A transient unit: its name, and its properties by their D-Bus names."""

    name: str
    properties: Mapping[str, Value]


def units_for(plugin: Plugin, policy: Policy, systemd_version: int, instance_id: str) -> tuple[UnitSpec, UnitSpec]:
    """The socket that listens from enable to disable, and the service that it starts."""
    return _socket(plugin), _service(plugin, policy, systemd_version, instance_id)


def _socket(plugin: Plugin) -> UnitSpec:
    properties: dict[str, Value] = {
        "Description": f"Socket of Toru plugin {plugin.manifest.name}",
        "Listen": [("Stream", str(plugin.id.socket_path))],
        "SocketUser": "root",
        "SocketGroup": "toru",
        "SocketMode": 0o660,
        "Accept": False,
        # Clients that connect while the service restarts wait in the backlog. The kernel lowers it to somaxconn.
        "Backlog": 4096,
        "RemoveOnStop": True,
        "FileDescriptorName": "plugin",
        "Slice": SLICE,
        # The socket fails once, when its service has used up StartLimitBurst=; then it is over, core or no core.
        "OnFailure": [plugin.id.disable_unit],
    }
    if plugin.manifest.rings:
        # Nobody accepts what rang the bell; unflushed, it would wake the service again as soon as that ends.
        properties["FlushPending"] = True
    return UnitSpec(plugin.id.socket, properties)


def _service(plugin: Plugin, policy: Policy, systemd_version: int, instance_id: str) -> UnitSpec:
    manifest, plugin_id = plugin.manifest, plugin.id
    notifies = manifest.protocol is Protocol.TORU_2
    own = [f"{places.OWN_DIRECTORY}/{plugin_id}"]
    limits = policy.limits_for(manifest)
    properties: dict[str, Value] = {
        "Description": f"Toru plugin {manifest.name}",
        # With Type=simple a missing interpreter would count as started (systemd.service(5)).
        "Type": "notify" if notifies else "exec",
        "NotifyAccess": "main" if notifies or manifest.watchdog else "none",
        # A file name may hold a dollar sign: no-env-expand keeps systemd from reading it as a variable.
        "ExecStartEx": [(str(plugin.path), [str(plugin.path)], ["no-env-expand"])],
        "Environment": _environment(plugin, instance_id),
        "LoadCredential": [("toru-token", str(plugin_id.token_path))],
        "DynamicUser": True,
        "StateDirectory": own,
        "CacheDirectory": own,
        "LogsDirectory": own,
        "RuntimeDirectory": own,
        "StateDirectoryMode": 0o700,
        "CacheDirectoryMode": 0o700,
        "LogsDirectoryMode": 0o700,
        # 0711 lets the core reach a socket in it whose name it knows, and list nothing.
        "RuntimeDirectoryMode": 0o711,
        "Slice": SLICE,
        "SyslogIdentifier": f"toru-plugin-{plugin_id}",
        "LogExtraFields": [f"TORU_PLUGIN={plugin_id}"],
        "KillMode": "mixed",
        "TimeoutStartUSec": _usec(policy.start_timeout),
        "TimeoutStopUSec": _usec(policy.stop_timeout),
        # Without it a failed service would outlive its socket, and could not be made again (UnitExists).
        "CollectMode": "inactive-or-failed",
        **_restart(policy, systemd_version),
    }
    if limits.memory_bytes is not None:
        properties["MemoryMax"] = limits.memory_bytes
    if limits.tasks is not None:
        properties["TasksMax"] = limits.tasks
    if limits.cpu_percent is not None:
        properties["CPUQuotaPerSecUSec"] = limits.cpu_percent * 10_000
    if manifest.watchdog is not None:
        properties["WatchdogUSec"] = _usec(manifest.watchdog)
    if manifest.rings:
        within = min(GREET_WITHIN, policy.start_timeout * 0.8)
        properties["ExecStartPostEx"] = [
            _as_root(plugin_id, "greet", f"--protocol={manifest.protocol}", f"--within={within:g}")
        ]
        if manifest.protocol is Protocol.TORU_1:
            # Ends before systemd would call it overdue, so that a busy plugin still gets its SIGTERM.
            properties["ExecStopEx"] = [_as_root(plugin_id, "farewell", f"--within={policy.stop_timeout * 0.8:g}")]
    return UnitSpec(plugin_id.service, properties)


def _restart(policy: Policy, systemd_version: int) -> dict[str, Value]:
    restart = policy.restart
    delays: dict[str, Value]
    if systemd_version >= FIRST_WITH_RESTART_STEPS:
        delays = {
            "RestartUSec": _usec(restart.first_delay),
            "RestartSteps": restart.steps,
            "RestartMaxDelayUSec": _usec(restart.max_delay),
        }
    else:
        delays = {"RestartUSec": _usec(restart.max_delay)}
    return {
        "Restart": "on-failure",
        **delays,
        # "In a row" has no time limit: the core wipes the slate after a healthy while.
        "StartLimitIntervalUSec": INFINITY,
        "StartLimitBurst": restart.failures,
    }


def _environment(plugin: Plugin, instance_id: str) -> list[str]:
    socket_path = plugin.id.private_socket_path if plugin.manifest.rings else plugin.id.socket_path
    return [
        f"TORU_PLUGIN_ID={plugin.id}",
        f"TORU_INSTANCE_ID={instance_id}",
        f"TORU_PLUGIN_SOCKET={socket_path}",
        f"TORU_API_SOCKET={places.API_SOCKET}",
    ]


def _as_root(plugin_id: PluginId, *command: str) -> tuple[str, list[str], list[str]]:
    """A command that runs beside the plugin, outside its sandbox. "--": an id may begin with a hyphen."""
    return (places.ADMIN_PROGRAM, [places.ADMIN_PROGRAM, *command, "--", str(plugin_id)], ["privileged"])


def _usec(seconds: float) -> int:
    return round(seconds * 1_000_000)
