"""The two units of a plugin, as one value.

`units_for` is Toru's whole restart and security posture: everything that systemd will do for a plugin is in what it
returns, or in the drop-in files beside it (units/toru-plugin-.service.d), which ops can read and override.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toru.domain import places
from toru.domain.catalogue import Plugin
from toru.domain.manifest import Protocol
from toru.domain.policy import Policy

Command = tuple[str, list[str], bool]
"""A program, its arguments from argv[0] on, and whether its failure is ignored."""
Value = bool | int | str | list[str] | list[tuple[str, str]] | list[Command]

INFINITY = 2**64 - 1

FIRST_WITH_RESTART_STEPS = 254
"""Earlier versions of systemd can't lengthen the delay by themselves: the core shortens it (core/pacing)."""

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
        # toru/1 knows nothing of it, but may be watched all the same.
        "NotifyAccess": "none" if manifest.protocol is Protocol.TORU_1 and manifest.watchdog is None else "main",
        "ExecStart": [command(plugin.path)],
        "Environment": _environment(plugin, policy, instance_id),
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


def command(path: Path, *arguments: str) -> tuple[str, list[str], bool]:
    """An ExecStart= that takes a path as it is: a dollar sign in it would begin a variable, two are one.

    Not ExecStartEx with no-env-expand: systemd 252 writes that to the unit's file under a name it can't read back, and
    the unit is lost at the next daemon-reload.
    """
    return (str(path), [word.replace("$", "$$") for word in (str(path), *arguments)], False)


def _environment(plugin: Plugin, policy: Policy, instance_id: str) -> list[str]:
    plugin_id, manifest = plugin.id, plugin.manifest
    variables = {
        "TORU_PLUGIN_ID": plugin_id,
        "TORU_INSTANCE_ID": instance_id,
        "TORU_PLUGIN_SOCKET": plugin_id.private_socket_path if manifest.rings else plugin_id.socket_path,
        "TORU_API_SOCKET": places.API_SOCKET,
    }
    # Options of the two commands in units/toru-plugin-.service.d/20-messages.conf; without them they do nothing.
    if manifest.rings:
        # Ends before systemd would, so that the journal says what was missing. Whoever enables hears after two seconds
        # that the plugin does not listen yet; to end it then would end every slow starter, again and again.
        variables["TORU_GREET"] = f"--protocol={manifest.protocol} --within={policy.start_timeout * 0.8:g}"
    if manifest.protocol is Protocol.TORU_1:
        # Ends before systemd would call it overdue, so that a busy plugin still gets its SIGTERM.
        variables["TORU_FAREWELL"] = f"--within={policy.stop_timeout * 0.8:g}"
    return [f"{name}={value}" for name, value in variables.items()]


def _usec(seconds: float) -> int:
    return round(seconds * 1_000_000)
