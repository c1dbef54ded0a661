"""The gateway with the real API beside it, on real sockets, as in production but for systemd.

It runs in a thread; plugins are child processes that inherit their socket.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from tests.web.server import ADMIN, CLIENT, PASSWORD, Site
from toru.core.traffic import AllTraffic, Traffic
from toru.domain.ids import PluginId
from toru.domain.manifest import Protocol
from toru.domain.people import Role
from toru.domain.policy import GatewayPolicy, Policy
from toru.gateway.gateway import Gateway
from toru.gateway.http1.way import Http1
from toru.gateway.targets import Availability, Target
from toru.store.engine import Database
from toru.web.caller import Callers, PluginTokens

BEGINNING = """
import os, socket, sys, time
listener = socket.socket(fileno=int(sys.argv[1]))
def read_head(connection):
    head = b""
    while b"\\r\\n\\r\\n" not in head:
        part = connection.recv(65536)
        if not part:
            return None
        head += part
    return head
"""
"""What the plugins of these tests begin with."""


class Door:
    """The gateway, and everything around it that it needs."""

    def __init__(self, database: Database, directory: Path, policy: Policy) -> None:
        self._directory = directory
        self._plugins: dict[str, subprocess.Popen[bytes]] = {}
        self._listening: dict[str, socket.socket] = {}
        self.site = Site(database, directory)
        self.traffic = AllTraffic()
        callers = Callers(self.site.accounts, PluginTokens(self.site.tokens))
        self.gateway = Gateway(policy, self.site.accounts, callers, self.traffic, {Protocol.HTTP: Http1})
        self.targets: dict[str, Target] = {}
        self.policy = policy
        self.port = 0
        self.api_socket = directory / "gateway.sock"
        self.loop: asyncio.AbstractEventLoop
        self._server: uvicorn.Server

    @contextmanager
    def running(self) -> Iterator[None]:
        listening = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
        listening[1].bind(str(self.api_socket))
        self.port = listening[0].getsockname()[1]
        up = threading.Event()

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                up.set()

            @contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

        options: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "off", "ws": "none"}
        self._server = Server(uvicorn.Config(self.site.app, http=self.gateway.protocol(), **options))

        def serve() -> None:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                self.loop = self.site._loop = runner.get_loop()
                runner.run(self._server.serve(listening))
                self.gateway.close()

        thread = threading.Thread(target=serve)
        thread.start()
        assert up.wait(30)
        self.site.add_user(ADMIN, Role.ADMIN)
        self.site.add_user(CLIENT)
        try:
            yield
        finally:
            self.stop()
            thread.join()
            for plugin_id in list(self._plugins):
                self.end(plugin_id)
            for listener in self._listening.values():
                listener.close()

    def stop(self) -> None:
        """As SIGTERM does."""
        if not self._server.should_exit:
            self.do(self.gateway.stop)
            self._server.should_exit = True

    # Plugins.

    def plugin(self, plugin_id: str, program: str, **options: Any) -> None:
        """A program on an inherited socket, in service."""
        path = self._directory / f"{plugin_id}.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(4096)
        self._listening[plugin_id] = listener
        self.run(plugin_id, program)
        defaults = self.policy.gateway
        self.targets[plugin_id] = Target(
            plugin=PluginId(plugin_id),
            name=f"The {plugin_id}",
            route=options.pop("route", f"/{plugin_id}"),
            protocol=Protocol.HTTP,
            socket_path=str(path),
            bell_path=None,
            availability=Availability.RUNNING,
            timeout=options.pop("timeout", defaults.timeout),
            max_body=options.pop("max_body", defaults.max_body),
            max_concurrent=options.pop("max_concurrent", defaults.max_concurrent),
        )
        assert not options
        self.see(plugin_id)

    def run(self, plugin_id: str, program: str) -> None:
        """Another process on the same socket."""
        number = self._listening[plugin_id].fileno()
        self._plugins[plugin_id] = subprocess.Popen(
            [sys.executable, "-c", BEGINNING + program, str(number)], pass_fds=[number]
        )

    def see(self, plugin_id: str, **changes: Any) -> None:
        """What the observer would say of it."""
        target = self.targets[plugin_id] = replace(self.targets[plugin_id], **changes)
        self.do(lambda: self.gateway.aim(target.plugin, target))

    def end(self, plugin_id: str) -> None:
        with self._plugins.pop(plugin_id) as process:
            process.kill()

    def figures(self, plugin_id: str) -> Traffic:
        return self.traffic.of(PluginId(plugin_id))

    def do(self, work: Callable[[], Any]) -> Any:
        """On the event loop."""

        async def call() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(30)

    # Clients.

    def cookie(self, name: str = ADMIN) -> str:
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            body = f'{{"name": "{name}", "password": "{PASSWORD}"}}'
            connection.sendall(
                b"POST /api/auth/login HTTP/1.1\r\nHost: toru\r\nConnection: close\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body.encode())
            )
            return read_all(connection).partition(b"set-cookie: ")[2].partition(b";")[0].decode()

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(30)
        return connection

    def say(self, *parts: str) -> bytes:
        """Everything that comes back on a connection of its own, until it is closed."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part.encode("latin-1"))
            return read_all(connection)

    def ask(self, target: str, *lines: str, method: str = "GET", body: str = "", cookie: str | None = None) -> bytes:
        """One request of somebody who is signed in."""
        shown = [f"Cookie: {self.cookie() if cookie is None else cookie}"] if cookie != "" else []
        head = [f"{method} {target} HTTP/1.1", "Host: toru", "Connection: close", *shown, *lines]
        if body:
            head.append(f"Content-Length: {len(body)}")
        return self.say("\r\n".join([*head, "", body]))


def read_all(connection: socket.socket) -> bytes:
    answer = b""
    while part := connection.recv(1 << 16):
        answer += part
    return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def small(**gateway: Any) -> Policy:
    return Policy(gateway=GatewayPolicy(**gateway))
