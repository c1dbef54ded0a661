"""The core, from its parts: observer, pacing, web. What `toru serve` and toru.service run."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
import uvloop

from toru.core.observer import Observer, observing
from toru.core.pacing import Pacing
from toru.domain.errors import SystemdRefused
from toru.domain.ids import PluginId
from toru.domain.policy import Policy
from toru.domain.state import UnitFacts
from toru.settings import load_policy
from toru.systemd import bus as system_bus
from toru.systemd import notify
from toru.systemd.activation import handed_over_sockets
from toru.systemd.bus import Bus
from toru.web.app import make_app

STOP_WITHIN = 20
"""Requests in flight have so many seconds to end; toru.service allows 30 (TimeoutStopSec=)."""


def main(port: int | None = None) -> None:
    """Serves until SIGTERM or SIGINT: on the sockets systemd hands over, else on this port of 127.0.0.1."""
    policy = load_policy()
    sockets = _sockets(port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(policy, sockets))


async def _serve(policy: Policy, sockets: list[socket.socket]) -> None:
    async with system_bus.connect() as bus:
        version = await bus.version()
    systemd = _CurrentBus()
    pacing = Pacing(policy.restart, version, restart=systemd.restart, forget_failures=systemd.forget_failures)

    def on_change(plugin_id: PluginId, facts: UnitFacts, at_first_sight: bool) -> None:  # noqa: FBT001
        pacing.see(plugin_id, facts, at_first_sight=at_first_sight)

    observer = Observer(on_change)
    server = _Server(
        uvicorn.Config(
            make_app(observer), http="httptools", log_config=None, timeout_graceful_shutdown=STOP_WITHIN, lifespan="off"
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    async with asyncio.TaskGroup() as tasks:
        background = [
            tasks.create_task(observing(observer, systemd.use)),
            tasks.create_task(pacing.run()),
            tasks.create_task(_signs_of_life()),
        ]
        await server.serve(sockets)
        for task in background:
            task.cancel()


class _CurrentBus:
    """systemd over the connection that is open now."""

    def __init__(self) -> None:
        self._bus: Bus | None = None

    def use(self, bus: Bus) -> None:
        self._bus = bus

    async def restart(self, plugin_id: PluginId) -> None:
        await self._manage("RestartUnit", "ss", plugin_id.service, "replace")

    async def forget_failures(self, plugin_id: PluginId) -> None:
        await self._manage("ResetFailedUnit", "s", plugin_id.service)

    async def _manage(self, method: str, signature: str, *arguments: str) -> None:
        if self._bus is None:
            raise SystemdRefused("systemd is not connected")
        await self._bus.manage(method, signature, *arguments)


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


def _sockets(port: int | None) -> list[socket.socket]:
    if port is None and (handed_over := handed_over_sockets()):
        return handed_over
    return [socket.create_server(("127.0.0.1", 3000 if port is None else port), backlog=4096)]
