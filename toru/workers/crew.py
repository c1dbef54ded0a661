"""The core's side of it: which workers there are, what they are told, and what they say.

A worker binds a socket of its own in a directory, and the core connects to it, when it comes up and when the worker
does. So the core has no place where it could write, and connecting to it would not start it again where ops stopped it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import traceback
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from toru import __version__
from toru.core.traffic import AllTraffic
from toru.domain import places
from toru.domain.ids import PluginId
from toru.gateway.gateway import Gateway
from toru.gateway.targets import Target
from toru.gateway.toru2.pushes import OnPush
from toru.systemd import notify
from toru.systemd.inotify import changes as changes_in
from toru.workers import figures, messages
from toru.workers.changes import Changes
from toru.workers.custody import CORE, Custody
from toru.workers.doors import Doors
from toru.workers.link import Link

HELLO_WITHIN = 3.0
"""Seconds that a worker has to say who it is, and the core to be told that connections are kept."""

Adopt = Callable[[int, bytes], None]


class _Worker:
    """One that there is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.link: Link
        self.said_hello = asyncio.Event()
        self.keeps_connections = asyncio.Event()
        self.is_member = False
        self.in_flight: defaultdict[PluginId, float] = defaultdict(float)

    @property
    def is_full(self) -> bool:
        return self.link.is_full

    def hand_on(self, descriptor: int, read: bytes) -> None:
        self.link.send(messages.connection(read), descriptor)


class Crew:
    """For the event loop alone."""

    def __init__(
        self,
        gateway: Gateway,
        traffic: AllTraffic,
        changes: Changes,
        *,
        on_push: OnPush,
        directory: Path = places.WORKERS,
    ) -> None:
        self._gateway = gateway
        self._traffic = traffic
        self._changes = changes
        self._adopt: Adopt = lambda _descriptor, _read: None
        self._on_push = on_push
        self._directory = directory
        self._workers: dict[str, _Worker] = {}
        self._custody = Custody(self)
        self._doors = Doors(gateway, self._custody)
        self._database_is_open = False
        self._letting_go: set[asyncio.Task[None]] = set()

    # What the core says.

    def aim(self, plugin_id: PluginId, target: Target | None) -> None:
        """A plugin as it is from now on; None: there is none of this id."""
        self._custody.aim(plugin_id, target)
        self._lay_ways()

    async def meet(self, adopt: Adopt) -> None:
        """Everybody who is there already, with what they have. What they hand on goes to `adopt`."""
        self._adopt = adopt
        self._look_around()
        with suppress(TimeoutError):
            async with asyncio.timeout(HELLO_WITHIN):
                for worker in list(self._workers.values()):
                    await worker.said_hello.wait()

    def begin(self) -> None:
        """All plugins are known, as they are."""
        self._custody.begin()
        self._lay_ways()

    async def run(self) -> None:
        """Meets whoever comes. Not before `meet`."""
        try:
            async for _ in changes_in([self._directory, self._directory.parent]):
                self._look_around()
        except OSError as error:
            notify.log(notify.WARNING, f"workers that come from now on are not seen: {error}")

    def database_is_open(self) -> None:
        self._database_is_open = True
        self._tell_all(messages.of("database"))

    async def pause(self) -> None:
        """The core is about to end. Returns when workers keep what they would hand on."""
        self._tell_all(messages.of("wait"))
        with suppress(TimeoutError):
            async with asyncio.timeout(HELLO_WITHIN):
                for worker in list(self._workers.values()):
                    await worker.keeps_connections.wait()

    def close(self) -> None:
        for worker in self._workers.values():
            worker.link.close()
        self._workers.clear()
        for task in self._letting_go:
            task.cancel()

    # What custody wants done.

    def give(self, name: str, target: Target) -> None:
        if name == CORE:
            self._gateway.aim(target.plugin, target)
        else:
            self._workers[name].link.send(messages.aim(target))

    def drop(self, name: str, plugin_id: PluginId) -> None:
        if name == CORE:
            self._gateway.aim(plugin_id, None)
        elif name in self._workers:
            self._workers[name].link.send(messages.of("drop", plugin=plugin_id))

    def ask_back(self, name: str, plugin_id: PluginId) -> None:
        if name != CORE:
            self._workers[name].link.send(messages.of("let-go", plugin=plugin_id))
            return
        task = asyncio.get_running_loop().create_task(self._let_go(plugin_id))
        self._letting_go.add(task)
        task.add_done_callback(self._letting_go.discard)

    async def _let_go(self, plugin_id: PluginId) -> None:
        await self._gateway.let_go(plugin_id)
        self._custody.let_go(plugin_id, CORE)
        self._lay_ways()

    def _lay_ways(self) -> None:
        """What leads to whom, after any change."""
        shadowed = self._doors.shadowed
        self._doors.lay(self._workers)
        if self._doors.shadowed != shadowed:
            self._tell_all(messages.of("shadow", plugins=sorted(self._doors.shadowed)))

    # Workers.

    def _look_around(self) -> None:
        """Connects to every worker that there is no link to."""
        for path in sorted(self._directory.glob("[!.]*.sock")):
            if path.stem in self._workers or path.stem == CORE:
                continue
            # Not what one has left behind that is no more.
            with suppress(OSError), ExitStack() as opened:
                connection = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
                connection.setblocking(False)  # noqa: FBT003  (as the standard library has it)
                connection.connect(str(path))
                number = self._changes.for_reading()
                opened.pop_all()
                self._link(path.stem, connection, number)

    def _link(self, name: str, connection: socket.socket, changes_number: int) -> None:
        worker = self._workers[name] = _Worker(name)
        worker.link = Link(
            connection,
            lambda message, descriptor: self._hear(worker, message, descriptor),
            lambda _link: self._lost(worker),
        )
        worker.link.send(messages.of("welcome"), changes_number)
        worker.link.send(messages.of("shadow", plugins=sorted(self._doors.shadowed)))
        if self._database_is_open:
            worker.link.send(messages.of("database"))

    def _tell_all(self, message: bytes) -> None:
        for worker in list(self._workers.values()):
            worker.link.send(message)

    def _hear(self, worker: _Worker, message: bytes, descriptor: int | None) -> None:
        try:
            said = messages.parse(message)
            if isinstance(said, bytes):
                if descriptor is not None:
                    self._adopt(descriptor, said)
                return
            if descriptor is not None:
                os.close(descriptor)
            self._do(worker, said)
        except Exception:  # noqa: BLE001  (the top of a callback; another process must not end this one)
            notify.log(notify.ERROR, f"worker {worker.name}: {traceback.format_exc()}")
            worker.link.close()
            self._lost(worker)

    def _do(self, worker: _Worker, said: Any) -> None:
        match said["kind"]:
            case "hello":
                self._greet(worker, said["version"], [PluginId(plugin_id) for plugin_id in said["plugins"]])
            case "let-go":
                self._custody.let_go(PluginId(said["plugin"]), worker.name)
                self._lay_ways()
            case "figures":
                for name, more in said["of"].items():
                    plugin_id = PluginId(name)
                    figures.added(self._traffic.of(plugin_id), more)
                    worker.in_flight[plugin_id] += more[figures.IN_FLIGHT]
            case "push":
                self._on_push(PluginId(said["plugin"]), said["name"], said["data"], said["dropped"])
            case "wait":
                worker.keeps_connections.set()
            case "leave":
                self._part(worker, f"worker {worker.name} ends")

    def _greet(self, worker: _Worker, version: str, has: list[PluginId]) -> None:
        worker.said_hello.set()
        if version == __version__:
            worker.is_member = True
            self._custody.joined(worker.name, has)
            self._lay_ways()
            notify.log(notify.INFO, f"worker {worker.name} is here")
        else:
            # Such as one from before an upgrade. It begins again with the new release.
            worker.link.send(messages.of("leave"))
            self._custody.leaves(worker.name, has)
            self._part(worker, f"worker {worker.name} is of release {version}, and has to begin again")

    def _part(self, worker: _Worker, why: str) -> None:
        """It gets nothing more. What is with it still comes to its end there."""
        notify.log(notify.INFO, why)
        self._custody.leaves(worker.name)
        self._lay_ways()
        worker.link.send(messages.of("farewell"))

    def _lost(self, worker: _Worker) -> None:
        if self._workers.get(worker.name) is not worker:
            return
        del self._workers[worker.name]
        worker.said_hello.set()
        worker.keeps_connections.set()
        for plugin_id, count in worker.in_flight.items():
            self._traffic.of(plugin_id).in_flight -= int(count)
        notify.log(notify.INFO, f"worker {worker.name} has gone")
        self._custody.gone(worker.name)
        self._lay_ways()
        self._look_around()  # its successor may have come already
