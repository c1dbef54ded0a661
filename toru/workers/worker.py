"""A worker's side of it: the plugins that it was given, and the core, which has everything else."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from toru import __version__
from toru.core.traffic import AllTraffic
from toru.domain.ids import PluginId
from toru.gateway.elsewhere import Elsewhere
from toru.gateway.gateway import Gateway
from toru.gateway.routes import name_in
from toru.gateway.targets import Target
from toru.store.engine import Database
from toru.systemd import notify
from toru.workers import messages
from toru.workers.changes import WorkersAccounts
from toru.workers.figures import Untold
from toru.workers.link import Link

FIGURES_SECONDS = 0.5
"""Between two looks whether there is something to tell. What was counted since the last one is lost by `kill -9`."""
FAREWELL_WITHIN = 3.0


class Worker:
    """For the event loop alone. `on_leave`: the core wants it to end."""

    def __init__(  # noqa: PLR0913  (it stands between as many)
        self,
        name: str,
        gateway: Gateway,
        accounts: WorkersAccounts,
        database: Database,
        traffic: AllTraffic,
        *,
        adopt: Callable[[int, bytes], None],
        on_leave: Callable[[], None],
    ) -> None:
        self._name = name
        self._gateway = gateway
        self._accounts = accounts
        self._database = database
        self._adopt = adopt
        self._on_leave = on_leave
        self._untold = Untold(traffic)
        self._core = Elsewhere()
        self._link: Link | None = None
        self._listening: socket.socket | None = None
        self._plugins: dict[PluginId, Target] = {}
        self._leaving: set[PluginId] = set()
        """Those that others shall have, while somebody is with them here."""
        self._shadowed: frozenset[PluginId] = frozenset()
        self._names: frozenset[bytes] = frozenset()
        self._farewell = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        gateway.beyond = self._beyond
        gateway.on_look = self._core.look

    # Its life.

    def listen(self, directory: Path) -> None:
        """From now on a core finds it."""
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.setblocking(False)  # noqa: FBT003  (as the standard library has it)
        path, unborn = directory / f"{self._name}.sock", directory / f".{self._name}.sock"
        unborn.unlink(missing_ok=True)
        self._listening.bind(str(unborn))
        self._listening.listen(8)
        asyncio.get_running_loop().add_reader(self._listening.fileno(), self._accept)
        unborn.rename(path)  # it listens already when it can be seen

    async def run(self) -> None:
        """Tells the core what is counted. For ever."""
        while True:
            await asyncio.sleep(FIGURES_SECONDS)
            self._tell_figures()

    async def leave(self) -> None:
        """Returns when the core sends nothing more. What is idle goes to the core."""
        if self._link is not None:
            self._link.send(messages.of("leave"))
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_WITHIN):
                    await self._farewell.wait()
        for client in list(self._gateway.clients):
            if client.is_idle and self._core.is_open:
                client.go_elsewhere(self._core)

    def close(self) -> None:
        self._tell_figures()
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening.fileno())
            self._listening.close()
        if self._link is not None:
            self._link.close()
        self._accounts.listen(None)
        for task in self._tasks:
            task.cancel()

    # The core.

    @property
    def is_full(self) -> bool:
        return self._link is None or self._link.is_full

    def hand_on(self, descriptor: int, read: bytes) -> None:
        if self._link is None:
            os.close(descriptor)
        else:
            self._link.send(messages.connection(read), descriptor)

    def push(self, plugin_id: PluginId, name: str, data: str, dropped: int) -> None:
        """What a plugin has to say to its views."""
        self._say(messages.of("push", plugin=plugin_id, name=name, data=data, dropped=dropped))

    def _say(self, message: bytes) -> None:
        if self._link is not None:
            self._link.send(message)

    def _tell_figures(self) -> None:
        if self._link is not None and (news := self._untold.tell()):
            self._link.send(messages.of("figures", of=news))

    def _accept(self) -> None:
        assert self._listening is not None  # noqa: S101  (it is what is read from)
        try:
            connection, _ = self._listening.accept()
        except BlockingIOError:
            return
        _pid, uid, _gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid != os.geteuid():
            connection.close()
            return
        if self._link is not None:
            self._link.close()  # that of a core that is no more
            self._lost(self._link)
        self._link = Link(connection, self._hear, self._lost)
        self._untold.new_listener()
        self._say(messages.of("hello", version=__version__, plugins=sorted({*self._plugins, *self._leaving})))

    def _lost(self, link: Link) -> None:
        if link is not self._link:
            return
        self._link = None
        self._core.shut()
        self._accounts.listen(None)
        self._farewell.set()

    def _hear(self, message: bytes, descriptor: int | None) -> None:
        try:
            said = messages.parse(message)
            if isinstance(said, bytes):
                if descriptor is not None:
                    self._adopt(descriptor, said)
                return
            if descriptor is not None:
                self._accounts.listen(descriptor)
                os.close(descriptor)
            self._do(said)
        except Exception:  # noqa: BLE001  (the top of a callback; another process must not end this one)
            notify.log(notify.ERROR, f"the core: {traceback.format_exc()}")
            if self._link is not None:
                self._link.close()
                self._lost(self._link)

    def _do(self, said: Any) -> None:
        match said["kind"]:
            case "welcome":
                self._core.open(self)
            case "aim":
                self._aim(messages.target_of(said))
            case "drop":
                self._plugins.pop(plugin_id := PluginId(said["plugin"]), None)
                self._lay_names()
                self._gateway.aim(plugin_id, None)
            case "let-go":
                task = asyncio.get_running_loop().create_task(self._let_go(PluginId(said["plugin"])))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case "shadow":
                self._shadowed = frozenset(map(PluginId, said["plugins"]))
                self._gateway.shadow(self._shadowed)
                self._lay_names()
            case "database":
                self._database.join()
            case "wait":
                self._core.shut()
                self._say(messages.of("wait"))
            case "leave":
                self._on_leave()
            case "farewell":
                self._farewell.set()

    # Plugins.

    def _aim(self, target: Target) -> None:
        self._plugins[target.plugin] = target
        self._gateway.aim(target.plugin, target)
        self._lay_names()

    async def _let_go(self, plugin_id: PluginId) -> None:
        self._plugins.pop(plugin_id, None)
        self._leaving.add(plugin_id)
        self._lay_names()
        await self._gateway.let_go(plugin_id)
        self._leaving.discard(plugin_id)
        self._say(messages.of("let-go", plugin=plugin_id))

    def _lay_names(self) -> None:
        routes = {target.route[1:].encode() for target in self._plugins.values()}
        ids = {plugin_id.encode() for plugin_id in self._plugins if plugin_id not in self._shadowed}
        self._names = frozenset(routes | ids)
        self._gateway.reception.forget()
        notify.status(f"plugins that it serves: {len(self._plugins)}")

    def _beyond(self, target: bytes) -> Elsewhere | None:
        return None if name_in(target) in self._names else self._core
