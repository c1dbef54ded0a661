"""The process of a plugin under systemd: ready, alive, idle, stopping."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, NoReturn, Protocol

from toru_plugin import notify
from toru_plugin.exchange import Application
from toru_plugin.logs import log

if TYPE_CHECKING:
    from toru_plugin.link import Link

PER_WATCHDOG = 3
"""Signs of life within the time that systemd allows: one may be late."""


class Listening(Protocol):
    """Takes connections of one protocol, and gives their requests to the application."""

    def open(self) -> None: ...

    def push(self, name: str, data: object) -> bool:
        """In the loop: an event for the open views. False, where nobody can carry it now."""

    async def close(self, reason: str) -> None:
        """Takes nothing new; returns when all that was begun is answered."""


class Activity(Protocol):
    """Whoever wants to know how busy the plugin is."""

    def begun(self) -> None: ...

    def ended(self) -> None: ...

    def stop(self, reason: str) -> None: ...


class Process:
    """Serves an application until it is told to end, or until nobody has asked for `idle_timeout` seconds."""

    def __init__(
        self,
        application: Application,
        listening: Callable[[Activity], Listening],
        link: Link,
        *,
        idle_timeout: float | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._application = application
        self._listening = listening
        self._link = link
        self._idle_timeout = idle_timeout
        self._environment = environment
        self._under_way = 0
        self._idle: asyncio.TimerHandle | None = None
        self._reason = ""
        self._status = 0

    def run(self) -> int:
        """The status to exit with."""
        return asyncio.run(self.main())

    async def main(self) -> int:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, number.name)
        try:
            await self._application.start()
            listening = self._listening(self)
            listening.open()
            self._link.tie(listening, self._fail)
        except Exception:  # noqa: BLE001  (the top of the program)
            log.exception("the plugin can't start")
            return 1
        self._stay_alive()
        self._rest()
        self._say("READY=1")
        await self._stopping.wait()
        self._say("STOPPING=1")
        log.debug("stopping: %s", self._reason)
        await listening.close(self._reason)
        try:
            await self._application.stop()
        except Exception:  # noqa: BLE001  (the top of the program)
            log.exception("the plugin has trouble to stop")
            return 1
        return self._status

    def stop(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._stopping.set()

    def _fail(self, reason: str) -> None:
        self._status = 1
        self.stop(reason)

    # How busy it is.

    def begun(self) -> None:
        self._under_way += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def ended(self) -> None:
        self._under_way -= 1
        self._rest()

    def _rest(self) -> None:
        if self._idle_timeout is not None and self._under_way == 0:
            self._idle = self._loop.call_later(self._idle_timeout, self.stop, "idle")

    def _stay_alive(self) -> None:
        """From the loop that does the work: when it is stuck, systemd hears nothing."""
        seconds = notify.watchdog_seconds(self._environment)
        if seconds is not None:
            self._say("WATCHDOG=1")
            self._loop.call_later(seconds / PER_WATCHDOG, self._stay_alive)

    def _say(self, state: str) -> None:
        try:
            notify.notify(state, self._environment)
        except OSError as error:
            log.warning("systemd can't be told %s: %s", state, error)


def leave(status: int) -> NoReturn:
    """Ends the process, also where a handler's thread never ends."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class Accepting:
    """Accepts connections of a listening socket, which stays as it is when this ends."""

    def __init__(self, listener: socket.socket, factory: Callable[[], asyncio.Protocol]) -> None:
        self._listener = listener
        self._factory = factory
        self._loop = asyncio.get_running_loop()
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def open(self) -> None:
        self._listener.setblocking(False)  # noqa: FBT003  (its only parameter)
        self._loop.add_reader(self._listener.fileno(), self._accept)

    async def close(self) -> None:
        """Whoever connects from now on waits in the socket, which systemd goes on holding, for the next process."""
        self._loop.remove_reader(self._listener.fileno())
        pending: list[asyncio.Task[Any]] = list(self._tasks)
        if pending:
            await asyncio.wait(pending)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # whoever it was has left
        connection.setblocking(False)  # noqa: FBT003  (its only parameter)
        task = self._loop.create_task(self._loop.connect_accepted_socket(self._factory, connection))
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
