"""uvicorn with the gateway's connections, as a unit of systemd's: those it accepts, and those that it is handed."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from toru.domain.policy import Policy
from toru.gateway.gateway import Gateway
from toru.systemd import notify
from toru.systemd.activation import HandedOver, handed_over
from toru.systemd.seccomp import forbid_programs

STOP_WITHIN = 20
"""Requests in flight have so many seconds to end; the units allow 30 (TimeoutStopSec=)."""


class Server(uvicorn.Server):
    """uvicorn that tells systemd when it serves, and leaves signals to us."""

    def __init__(self, app: Any, gateway: Gateway, policy: Policy, *, status: str = "serving") -> None:
        super().__init__(
            uvicorn.Config(
                app,
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
        self._status = status
        self._early: list[tuple[int, bytes]] = []
        self._adopting: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        early, self._early = self._early, []
        for descriptor, read in early:
            self.adopt(descriptor, read)
        notify.ready(self._status)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        notify.stopping("finishing requests in flight")
        self.should_exit = True

    def adopt(self, descriptor: int, read: bytes) -> None:
        """Goes on with a connection that another process has accepted, and of which that has read this."""
        if not self.started:
            self._early.append((descriptor, read))
            return
        task = asyncio.get_running_loop().create_task(self._adopt(socket.socket(fileno=descriptor), read))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    async def _adopt(self, connection: socket.socket, read: bytes) -> None:
        def protocol() -> asyncio.Protocol:
            made: Any = self.config.http_protocol_class(
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
            )  # type: ignore[call-arg]  # as uvicorn itself calls it
            made.brought = read
            assert isinstance(made, asyncio.Protocol)  # noqa: S101  (ours is)
            return made

        try:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
        except OSError:
            connection.close()  # the client has gone


def told_to_end() -> asyncio.Event:
    """Set by SIGTERM and SIGINT."""
    end, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    return end


async def signs_of_life() -> None:
    """Twice as often as systemd asks for, and only from the event loop: a stuck loop is a dead process."""
    if (limit := notify.watchdog_seconds()) is None:
        return
    while True:
        notify.still_alive()
        await asyncio.sleep(limit / 2)


def run_no_program() -> None:
    """From now on; see toru/systemd/seccomp.py."""
    try:
        forbid_programs()
    except OSError as error:
        notify.log(notify.WARNING, f"the core could run programs, if somebody took it over: {error}")


def begun_with(port: int | None) -> HandedOver:
    """What systemd hands over, else a socket that listens on this port of 127.0.0.1."""
    if port is None and (found := handed_over()).listening:
        return found
    return HandedOver([socket.create_server(("127.0.0.1", 3000 if port is None else port), backlog=4096)])
