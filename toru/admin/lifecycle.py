"""The operator's wishes: enable, disable, and at boot and shutdown all of them at once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from toru.admin import units
from toru.admin.files import locked, write_atomically
from toru.admin.restores import check_none_was_cut_off
from toru.admin.scan import has_changed, read_catalogue, scan
from toru.admin.wishes import WishesFile
from toru.domain import places
from toru.domain.catalogue import Catalogue, Plugin
from toru.domain.errors import NotEnabled, RejectedPlugin, ToruError, UnknownPlugin
from toru.domain.ids import PluginId
from toru.domain.manifest import Start
from toru.domain.policy import Policy
from toru.domain.state import last_end
from toru.systemd import notify, transient
from toru.systemd.transient import Job, NoSuchUnit, Systemd


def enable(plugin_id: PluginId, policy: Policy) -> str:
    """From now on, and after every boot, the plugin is there. Returns when its socket listens.

    The wish is on the disk before anything runs, and taken back if systemd can't make the units: a kill in between
    leaves a plugin that is wanted and comes up at the next boot.
    """
    check_none_was_cut_off()
    plugin = _find(plugin_id, policy)
    deadline = time.monotonic() + units.SOCKET_WITHIN
    with transient.connect() as systemd:
        with locked(places.LOCK):
            wishes = WishesFile(policy.plugins_dir)
            before = wishes.load()
            wishes.save(before.with_enabled(plugin_id))
            if plugin_id in units.listening_plugins(systemd):
                return f"{plugin_id} is enabled already"
            try:
                units.clear(systemd, plugin_id, policy)
                units.created(systemd, plugin, policy, units.create(systemd, plugin, policy, instance_id()))
            except (ToruError, OSError):
                wishes.save(before)
                raise
        _record(plugin_id, "enabled")
        if plugin.manifest.start is Start.EAGER:
            units.started(systemd, plugin, systemd.start(plugin_id.service), deadline - time.monotonic())
    return f"{plugin_id} is enabled"


def disable(plugin_id: PluginId, policy: Policy) -> str:
    """The plugin is told to end, is ended if it does not, and stays off until somebody enables it.

    systemd runs this too, when a plugin's socket has failed because its service used up its starts: then the reason is
    kept for whoever looks for it.
    """
    check_none_was_cut_off()
    with transient.connect() as systemd, locked(places.LOCK):
        wishes = WishesFile(policy.plugins_dir)
        before = wishes.load()
        loaded = plugin_id in units.loaded_plugins(systemd)
        if not loaded and not before.names(plugin_id):
            read_catalogue().plugin(plugin_id)  # an id that nobody knows is an error
        because = _why_it_gave_up(systemd, plugin_id) if loaded else None
        # One that has been off since it gave up keeps its reason.
        wishes.save(before.with_disabled(plugin_id, because or before.why_disabled(plugin_id)))
        units.clear(systemd, plugin_id, policy)
    if because is None:
        _record(plugin_id, "disabled")
    else:
        _record(plugin_id, "disabled", because=because["reason"])
    return f"{plugin_id} is disabled"


def pause(plugin_id: PluginId) -> str:
    """Every process of the plugin stands still. What connects to it waits."""
    with _of_a_running(plugin_id) as systemd:
        systemd.freeze(plugin_id.service)
    _record(plugin_id, "paused")
    return f"{plugin_id} is paused"


def resume(plugin_id: PluginId) -> str:
    """A paused plugin goes on where it stood."""
    with _of_a_running(plugin_id) as systemd:
        systemd.thaw(plugin_id.service)
    _record(plugin_id, "resumed")
    return f"{plugin_id} goes on"


@contextmanager
def _of_a_running(plugin_id: PluginId) -> Iterator[Systemd]:
    """systemd, for what can be done only with a service that is there."""
    with transient.connect() as systemd:
        try:
            yield systemd
        except NoSuchUnit:
            raise NotEnabled(f"{plugin_id} is not running: enable it first", id=plugin_id) from None


def up(policy: Policy) -> str:
    """Brings up every enabled plugin that is not up already. One that can't come up keeps no other from it."""
    return _bring_up(scan(policy.plugins_dir), policy, also_what_ops_stopped=True)


def down(policy: Policy) -> str:
    """Stops every plugin's units. What the operator wants stays as it is, and `up` brings them up again."""
    with transient.connect() as systemd, locked(places.LOCK):
        plugin_ids = units.loaded_plugins(systemd)
        units.stop(systemd, plugin_ids, policy)
    return f"{len(plugin_ids)} plugins are down"


def look_for_newcomers(policy: Policy) -> str:
    """Looks for plugins, and brings up those that are wanted and have not been up since boot.

    Not those whose units ops stopped: what they did is respected.
    """
    catalogue = scan(policy.plugins_dir)
    found = f"{len(catalogue.plugins)} plugins, {len(catalogue.rejected)} rejected files"
    return f"{found}; {_bring_up(catalogue, policy, also_what_ops_stopped=False)}"


def scan_again_if_changed(policy: Policy) -> str:
    """Finds what arrived in the moment between a scan's last look and systemd watching the directory again."""
    if not has_changed(policy.plugins_dir):
        return "nothing has changed since the last scan"
    with transient.connect() as systemd:
        systemd.start("toru-scan.service")
    return "something has changed since the last scan: looking again"


def instance_id() -> str:
    """This installation's UUID, made once."""
    try:
        return places.INSTANCE_ID.read_text().strip()
    except FileNotFoundError:
        made = str(uuid.uuid4())
        write_atomically(places.INSTANCE_ID, f"{made}\n".encode())
        return made


def _find(plugin_id: PluginId, policy: Policy) -> Plugin:
    """The plugin as the last scan saw it, or as a scan sees it now: its file may have arrived a moment ago."""
    try:
        return read_catalogue().plugin(plugin_id)
    except (UnknownPlugin, RejectedPlugin):
        return scan(policy.plugins_dir).plugin(plugin_id)


def _bring_up(catalogue: Catalogue, policy: Policy, *, also_what_ops_stopped: bool) -> str:
    """Makes the units of all that are wanted and not up, and starts the eager ones.

    Each step for all of them before the next: systemd works on one while we ask for another.
    """
    failures: list[PluginId] = []

    @contextmanager
    def one(plugin: Plugin) -> Iterator[None]:
        """What happens to this plugin keeps no other from coming up."""
        try:
            yield
        except (ToruError, OSError) as error:
            failures.append(plugin.id)
            notify.log(notify.ERROR, f"{plugin.id} did not come up: {error}", TORU_PLUGIN=plugin.id)

    with transient.connect() as systemd:
        sockets: list[tuple[Plugin, Job]] = []
        services: list[tuple[Plugin, Job]] = []
        with locked(places.LOCK):
            wishes = WishesFile(policy.plugins_dir).load()
            listening, loaded = units.listening_plugins(systemd), units.loaded_plugins(systemd)
            wanted = [
                plugin
                for plugin in catalogue.plugins
                if wishes.enabled(plugin.id, auto_enable=policy.auto_enable)
                and (also_what_ops_stopped or not units.was_brought_up(plugin.id))
                and plugin.id not in listening
            ]
            for plugin in wanted:
                with one(plugin):
                    if plugin.id in loaded:
                        units.clear(systemd, plugin.id, policy)
                    sockets.append((plugin, units.create(systemd, plugin, policy, instance_id())))
            for plugin, job in sockets:
                with one(plugin):
                    units.created(systemd, plugin, policy, job)
                    if plugin.manifest.start is Start.EAGER:
                        services.append((plugin, systemd.start(plugin.id.service)))
        deadline = time.monotonic() + policy.start_timeout
        for plugin, job in services:
            with one(plugin):
                units.started(systemd, plugin, job, max(0, deadline - time.monotonic()))
    return f"brought up {len(wanted) - len(failures)} of {len(wanted)}"


def _why_it_gave_up(systemd: Systemd, plugin_id: PluginId) -> dict[str, Any] | None:
    """Why systemd gave the plugin up, if it did: only the socket's result tells (the service keeps its last run's)."""
    given_up = systemd.own_property(plugin_id.socket, "Result", "s")
    if given_up == "success":
        return None
    last = units.last_run(systemd, plugin_id.service)
    invocation = bytes(systemd.unit_property(plugin_id.service, "InvocationID", "ay"))
    reason = "it failed too many times in a row" if "start-limit" in given_up else f"its socket failed ({given_up})"
    if (end := last_end(last)) is not None:
        reason += f"; at last {end}"
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "reason": reason,
        "result": last.result,
        "exit_status": last.exit_status,
        "invocation_id": invocation.hex(),
    }


def _record(plugin_id: PluginId, event: str, because: str | None = None) -> None:
    """One journal entry for what is to be found again: `journalctl TORU_EVENT=disabled`."""
    if because is None:
        notify.record(notify.NOTICE, f"{event} {plugin_id}", TORU_PLUGIN=plugin_id, TORU_EVENT=event)
    else:
        message = f"{event} {plugin_id} because {because}"
        notify.record(notify.ERROR, message, TORU_PLUGIN=plugin_id, TORU_EVENT=event, TORU_REASON=because)
