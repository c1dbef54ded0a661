"""The core, from its parts: observer, pacing, web. What `toru serve` and toru.service run."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Sequence
from contextlib import suppress

import uvloop

from toru.core import first_admin
from toru.core.accounts import Accounts
from toru.core.chronicle import Chronicle
from toru.core.history import History
from toru.core.host import Host
from toru.core.housekeeping import Housekeeping
from toru.core.inspection import Inspector
from toru.core.journals import Journals
from toru.core.kv import Kv
from toru.core.live import Live, event_recorded, plugin_changed, plugin_pushed, rejected_changed
from toru.core.observer import Observer, observing
from toru.core.overview import PluginView
from toru.core.pacing import Pacing
from toru.core.passwords import Passwords
from toru.core.plugins import Plugins
from toru.core.sampling import Sampling
from toru.core.traffic import AllTraffic
from toru.core.wishing import Wishing
from toru.domain.errors import NewerDatabase, SystemdRefused
from toru.domain.ids import PluginId
from toru.domain.policy import Policy
from toru.domain.state import UnitFacts
from toru.gateway.gateway import Gateway
from toru.gateway.server import Server, begun_with, run_no_program, signs_of_life, told_to_end
from toru.gateway.targets import target_of
from toru.gateway.ways import ways_to_plugins
from toru.settings import load_policy
from toru.store.engine import Database
from toru.store.events import StoredEvent
from toru.systemd import bus as system_bus
from toru.systemd import notify
from toru.systemd.activation import HandedOver, Keeper
from toru.systemd.bus import Bus
from toru.web.app import Parts, make_app
from toru.web.caller import Callers, PluginTokens
from toru.workers.changes import Changes
from toru.workers.crew import Crew

PICTURE_WITHIN = 5
"""Seconds that the first look at all plugins may take. It takes milliseconds."""

NO_USE_IN_TRYING = os.EX_CONFIG
"""The exit status of a core that would end in the same way again: units/toru.service names it."""


def main(port: int | None = None) -> None:
    """Serves until SIGTERM or SIGINT: on the sockets systemd hands over, else on this port of 127.0.0.1."""
    policy = load_policy()
    database = Database(policy.database_url)
    # Not earlier: to find its library, a database's driver may run ldconfig.
    run_no_program()
    found = begun_with(port)
    refused = ""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(policy, database, found))
    except* NewerDatabase as refusals:
        refused = str(refusals.exceptions[0])
    if refused:
        notify.fail(refused, exit_status=NO_USE_IN_TRYING)


async def _serve(  # noqa: PLR0915  (the parts list of the program)
    policy: Policy, database: Database, found: HandedOver
) -> None:
    async with system_bus.connect() as bus:
        version = await bus.version()
    systemd = _CurrentBus()
    pacing = Pacing(policy.restart, version, restart=systemd.restart, forget_failures=systemd.forget_failures)
    live = Live()
    changes = Changes()
    history = History()
    host = Host(policy.plugins_dir)

    def may_do_less(name: str) -> None:
        changes.count()
        live.cut_off(name)

    accounts = Accounts(database, Passwords(), on_change=may_do_less)
    plugin_tokens = PluginTokens()
    traffic = AllTraffic()

    def on_push(plugin_id: PluginId, name: str, data: str, dropped: int) -> None:
        live.publish(plugin_pushed(plugin_id, name, data, dropped))

    gateway = Gateway(policy, accounts, Callers(accounts, plugin_tokens), traffic, ways_to_plugins(on_push))
    crew = Crew(gateway, traffic, changes, on_push=on_push)

    def on_view(plugin_id: PluginId, view: PluginView | None) -> None:
        crew.aim(plugin_id, None if view is None else target_of(view, policy))
        live.publish(plugin_changed(plugin_id, view, traffic.of(plugin_id)))

    plugins = Plugins(
        policy, pacing, on_view=on_view, on_rejected=lambda rejected: live.publish(rejected_changed(rejected))
    )
    for view in plugins.overview().plugins:
        crew.aim(view.id, target_of(view, policy))

    def on_change(plugin_id: PluginId, facts: UnitFacts, at_first_sight: bool) -> None:  # noqa: FBT001
        # Pacing first: what it decides is part of the picture.
        pacing.see(plugin_id, facts, at_first_sight=at_first_sight)
        plugins.see(plugin_id, facts)

    observer = Observer(on_change, on_files=plugins.look_at_files)
    journals = Journals()
    kv = Kv(database, policy.kv)
    parts = Parts(
        policy=policy,
        observer=observer,
        accounts=accounts,
        plugin_tokens=plugin_tokens,
        plugins=plugins,
        wishing=Wishing(plugins, observer, systemd.bus),
        inspector=Inspector(systemd.bus),
        live=live,
        history=history,
        host=host,
        journals=journals,
        database=database,
        kv=kv,
        traffic=traffic,
    )
    sampling = Sampling(plugins, traffic, live, history, host=host, bus=systemd.bus)
    server = Server(make_app(parts), gateway, policy)
    end = told_to_end()

    async def stop() -> None:
        await end.wait()
        await crew.pause()
        server.stop()
        gateway.stop(Keeper())
        live.close()  # streams have no end of their own, and are nothing to wait for

    tried = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        background = [
            tasks.create_task(observing(observer, systemd.use)),
            tasks.create_task(pacing.run()),
            tasks.create_task(sampling.run()),
            tasks.create_task(plugins.watch_files()),
            tasks.create_task(_on_database(parts, tried.set, crew.database_is_open)),
            tasks.create_task(stop()),
            tasks.create_task(signs_of_life()),
        ]
        # Who waited for READY shall find the first admin, and plugins as they are. A database that is away keeps
        # nobody waiting.
        await tried.wait()
        # Nor for ever a systemd that does not answer.
        with suppress(TimeoutError):
            async with asyncio.timeout(PICTURE_WITHIN):
                await observer.first_look()
        await crew.meet(server.adopt)
        crew.begin()
        background.append(tasks.create_task(crew.run()))
        # What is there now stays. The collector needn't look at it again and again, while requests wait.
        gc.collect()
        gc.freeze()
        for descriptor in found.connections:
            server.adopt(descriptor, b"")
        await server.serve(found.listening)
        gateway.close()
        for task in background:
            task.cancel()
    crew.close()
    changes.close()
    journals.close()
    database.close()


async def _on_database(parts: Parts, after_first_try: Callable[[], None], when_open: Callable[[], None]) -> None:
    """What goes on in the background once there are tables."""
    database, keep_seconds = parts.database, parts.policy.events.keep_seconds
    await first_admin.prepare(database, parts.accounts, after_first_try=after_first_try)
    when_open()

    def tell(events: Sequence[StoredEvent]) -> None:
        for event in events:
            parts.live.publish(event_recorded(event))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Chronicle(database, keep_seconds, tell).run())
        tasks.create_task(Housekeeping(database, parts.kv, keep_seconds).run())
        tasks.create_task(parts.accounts.keep_seen())


class _CurrentBus:
    """systemd over the connection that is open now."""

    def __init__(self) -> None:
        self._bus: Bus | None = None

    def use(self, bus: Bus) -> None:
        self._bus = bus

    def bus(self) -> Bus:
        if self._bus is None:
            raise SystemdRefused("systemd is not connected")
        return self._bus

    async def restart(self, plugin_id: PluginId) -> None:
        await self._manage("RestartUnit", "ss", plugin_id.service, "replace")

    async def forget_failures(self, plugin_id: PluginId) -> None:
        await self._manage("ResetFailedUnit", "s", plugin_id.service)

    async def _manage(self, method: str, signature: str, *arguments: str) -> None:
        await self.bus().manage(method, signature, *arguments)
