"""The core, from its parts: observer, pacing, web. What `toru serve` and toru.service run."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import uvicorn
import uvloop

from toru.core import first_admin
from toru.core.accounts import Accounts
from toru.core.chronicle import Chronicle
from toru.core.housekeeping import Housekeeping
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
from toru.domain.errors import SystemdRefused
from toru.domain.ids import PluginId
from toru.domain.manifest import Protocol
from toru.domain.policy import Policy
from toru.domain.state import UnitFacts
from toru.gateway.gateway import Gateway
from toru.gateway.http1.way import Http1
from toru.gateway.lane import MakeWay
from toru.gateway.toru1.room import Memory
from toru.gateway.toru1.way import Toru1
from toru.gateway.toru2.way import Toru2
from toru.settings import load_policy
from toru.store.engine import Database
from toru.store.events import StoredEvent
from toru.systemd import bus as system_bus
from toru.systemd import notify
from toru.systemd.activation import handed_over_sockets
from toru.systemd.bus import Bus
from toru.systemd.seccomp import forbid_programs
from toru.web.app import Parts, make_app
from toru.web.caller import Callers, PluginTokens

STOP_WITHIN = 20
"""Requests in flight have so many seconds to end; toru.service allows 30 (TimeoutStopSec=)."""

PICTURE_WITHIN = 5
"""Seconds that the first look at all plugins may take. It takes milliseconds."""


def main(port: int | None = None) -> None:
    """Serves until SIGTERM or SIGINT: on the sockets systemd hands over, else on this port of 127.0.0.1."""
    policy = load_policy()
    database = Database(policy.database_url)
    # Not earlier: to find its library, a database's driver may run ldconfig.
    _run_no_program()
    sockets = _sockets(port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(policy, database, sockets))


async def _serve(policy: Policy, database: Database, sockets: list[socket.socket]) -> None:
    async with system_bus.connect() as bus:
        version = await bus.version()
    systemd = _CurrentBus()
    pacing = Pacing(policy.restart, version, restart=systemd.restart, forget_failures=systemd.forget_failures)
    live = Live()
    accounts = Accounts(database, Passwords(), on_change=live.cut_off)
    plugin_tokens = PluginTokens()
    traffic = AllTraffic()
    ways: dict[Protocol, MakeWay] = {
        Protocol.HTTP: Http1,
        Protocol.TORU_1: partial(Toru1, memory=Memory()),
        Protocol.TORU_2: partial(Toru2, on_push=lambda *push: live.publish(plugin_pushed(*push))),
    }
    gateway = Gateway(policy, accounts, Callers(accounts, plugin_tokens), traffic, ways)

    def on_view(plugin_id: PluginId, view: PluginView | None) -> None:
        gateway.see(plugin_id, view)
        live.publish(plugin_changed(plugin_id, view, traffic.of(plugin_id)))

    plugins = Plugins(
        policy, pacing, on_view=on_view, on_rejected=lambda rejected: live.publish(rejected_changed(rejected))
    )
    for view in plugins.overview().plugins:
        gateway.see(view.id, view)

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
        live=live,
        journals=journals,
        database=database,
        kv=kv,
        traffic=traffic,
    )
    sampling = Sampling(plugins, traffic, live, systemd.bus)
    server = _Server(
        uvicorn.Config(
            make_app(parts),
            http=gateway.protocol(),
            ws="none",  # the API has no WebSockets, and those of plugins are the gateway's
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_WITHIN,
            lifespan="off",
            # By itself uvicorn would believe everybody on this host.
            proxy_headers=bool(policy.trusted_proxies),
            forwarded_allow_ips=list(policy.trusted_proxies),
        )
    )

    def stop() -> None:
        gateway.stop()
        server.stop()
        live.close()  # streams have no end of their own, and are nothing to wait for

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    tried = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        background = [
            tasks.create_task(observing(observer, systemd.use)),
            tasks.create_task(pacing.run()),
            tasks.create_task(sampling.run()),
            tasks.create_task(plugins.watch_files()),
            tasks.create_task(_on_database(parts, tried.set)),
            tasks.create_task(_signs_of_life()),
        ]
        # Who waited for READY shall find the first admin, and plugins as they are. A database that is away keeps
        # nobody waiting.
        await tried.wait()
        # Nor for ever a systemd that does not answer.
        with suppress(TimeoutError):
            async with asyncio.timeout(PICTURE_WITHIN):
                await observer.first_look()
        # What is there now stays. The collector needn't look at it again and again, while requests wait.
        gc.collect()
        gc.freeze()
        await server.serve(sockets)
        gateway.close()
        for task in background:
            task.cancel()
    journals.close()
    database.close()


async def _on_database(parts: Parts, after_first_try: Callable[[], None]) -> None:
    """What goes on in the background once there are tables."""
    database, keep_seconds = parts.database, parts.policy.events.keep_seconds
    await first_admin.prepare(database, parts.accounts, after_first_try=after_first_try)

    def tell(events: Sequence[StoredEvent]) -> None:
        for event in events:
            parts.live.publish(event_recorded(event))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Chronicle(database, keep_seconds, tell).run())
        tasks.create_task(Housekeeping(database, parts.kv, keep_seconds).run())


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


class _Server(uvicorn.Server):
    """uvicorn that tells systemd when it serves, and leaves signals to us."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            notify.ready("serving")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        notify.stopping("finishing requests in flight")
        self.should_exit = True


async def _signs_of_life() -> None:
    """Twice as often as systemd asks for, and only from the event loop: a stuck loop is a dead core."""
    if (limit := notify.watchdog_seconds()) is None:
        return
    while True:
        notify.still_alive()
        await asyncio.sleep(limit / 2)


def _run_no_program() -> None:
    try:
        forbid_programs()
    except OSError as error:
        notify.log(notify.WARNING, f"the core could run programs, if somebody took it over: {error}")


def _sockets(port: int | None) -> list[socket.socket]:
    if port is None and (handed_over := handed_over_sockets()):
        return handed_over
    return [socket.create_server(("127.0.0.1", 3000 if port is None else port), backlog=4096)]
