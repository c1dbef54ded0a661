"""Brings a plugin's two units up and takes them down."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress

from toru.admin.files import let_core_in, write_atomically
from toru.domain import places
from toru.domain.catalogue import Plugin
from toru.domain.errors import NotStarted, SystemdRefused
from toru.domain.ids import UNIT_PATTERNS, PluginId
from toru.domain.manifest import Sandbox
from toru.domain.policy import Policy
from toru.domain.state import ActiveState, ServiceFacts, last_end
from toru.domain.units import units_for
from toru.systemd.transient import Job, Systemd

SOCKET_WITHIN = 2.0
"""LIFE-1: an enabled plugin's socket is there within so many seconds, or the operator hears why not."""


def loaded_plugins(systemd: Systemd) -> set[PluginId]:
    """Plugins of which systemd has a unit in memory."""
    ids = (PluginId.of_unit(unit.name) for unit in systemd.loaded(UNIT_PATTERNS))
    return {plugin_id for plugin_id in ids if plugin_id is not None}


def was_brought_up(plugin_id: PluginId) -> bool:
    """Whether Toru has made its units since boot, and not cleared them; ops may have stopped them since."""
    return plugin_id.token_path.exists()


def listening_plugins(systemd: Systemd) -> set[PluginId]:
    """Plugins whose socket systemd holds open."""
    ids = (PluginId.of_unit(unit.name) for unit in systemd.loaded(["toru-plugin-*.socket"]) if unit.active == "active")
    return {plugin_id for plugin_id in ids if plugin_id is not None}


def create(systemd: Systemd, plugin: Plugin, policy: Policy, instance_id: str) -> Job:
    """Begins to make both units; `created` tells how it went. Nothing may be left of earlier ones: see `clear`."""
    _write_token(plugin.id)
    _lay_profile(plugin.id, policy.sandbox_for(plugin.manifest))
    try:
        return systemd.create(*units_for(plugin, policy, systemd.version, instance_id))
    except SystemdRefused:
        clear(systemd, plugin.id, policy)
        raise


def created(systemd: Systemd, plugin: Plugin, policy: Policy, job: Job) -> None:
    """Returns when the socket listens. SystemdRefused says why it does not; then nothing is left of the units."""
    ending = systemd.wait(job, SOCKET_WITHIN)
    if ending != "done":
        result = systemd.own_property(plugin.id.socket, "Result", "s")
        clear(systemd, plugin.id, policy)
        raise SystemdRefused(f"systemd could not start {plugin.id.socket}: {result} ({ending})")


def started(systemd: Systemd, plugin: Plugin, job: Job, within: float) -> None:
    """Waits for an eager plugin's first start. NotStarted says how it ended instead; systemd goes on trying."""
    ending = systemd.wait(job, within)
    if ending == "waiting" and plugin.manifest.rings:
        raise NotStarted(f"{plugin.id} is enabled, but does not listen yet; systemd goes on trying", id=plugin.id)
    if ending in {"done", "waiting"}:
        return  # a plugin that takes its time has its socket already, and requests wait there
    unit = plugin.id.service
    raise NotStarted(f"{plugin.id} did not start: {last_end(last_run(systemd, unit)) or ending}", id=plugin.id)


def last_run(systemd: Systemd, service: str) -> ServiceFacts:
    """How a service's last run ended. Its unit must still be loaded."""
    return ServiceFacts(
        active=ActiveState.FAILED,
        sub="failed",
        result=systemd.own_property(service, "Result", "s"),
        exit_kind=systemd.own_property(service, "ExecMainCode", "i"),
        exit_status=systemd.own_property(service, "ExecMainStatus", "i"),
    )


def clear(systemd: Systemd, plugin_id: PluginId, policy: Policy) -> None:
    """Stops both units and leaves nothing of them, whatever state they are in."""
    stop(systemd, [plugin_id], policy)
    plugin_id.token_path.unlink(missing_ok=True)
    plugin_id.profile_drop_in.unlink(missing_ok=True)
    with suppress(OSError):  # not there, or ops have something of their own in it
        plugin_id.profile_drop_in.parent.rmdir()


def stop(systemd: Systemd, plugin_ids: Iterable[PluginId], policy: Policy) -> None:
    """Stops all of these together: sockets first, so that no request wakes what is being stopped."""
    plugin_ids = list(plugin_ids)
    # The shutdown message, SIGTERM and SIGKILL each have their time, and systemd some to notice.
    within = 3 * policy.stop_timeout + 10
    for suffix in ("socket", "service"):
        units = [getattr(plugin_id, suffix) for plugin_id in plugin_ids]
        jobs = [job for unit in units if (job := systemd.stop(unit)) is not None]
        # 252 stops what is paused; newer versions (seen on 257) refuse to.
        frozen = [job.unit for job in jobs if systemd.wait(job, within) == "frozen"]
        for unit in frozen:
            systemd.thaw(unit)
        for job in [systemd.stop(unit) for unit in frozen]:
            if job is not None:
                systemd.wait(job, within)
    for plugin_id in plugin_ids:
        # The service first: the socket holds it, and with the socket gone there may be nothing left to reset.
        systemd.reset_failed(plugin_id.service)
        systemd.reset_failed(plugin_id.socket)


def _write_token(plugin_id: PluginId) -> None:
    """The plugin's secret, new each time. root hands it over as a credential; the core reads it to know the plugin by.

    Not SetCredential=: that stands in the unit, which everybody on the host may read over D-Bus.
    """
    places.TOKENS.mkdir(mode=0o750, parents=True, exist_ok=True)
    write_atomically(plugin_id.token_path, secrets.token_urlsafe(32).encode(), mode=0o640)
    let_core_in(plugin_id.token_path)


def _lay_profile(plugin_id: PluginId, sandbox: Sandbox) -> None:
    """Every plugin has a profile of its own, if only an empty one.

    systemd applies toru-plugin-a-.service.d to toru-plugin-a-b.service too (systemd.unit(5)), but a file of the same
    name in a more specific directory counts instead: so the profile of a plugin "a-" never reaches "a-b".
    """
    link = plugin_id.profile_drop_in
    link.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to("/dev/null" if sandbox is Sandbox.DEFAULT else places.PROFILES / f"{sandbox}.conf")
