"""How to reach a plugin, asleep or awake.

One that inherits its socket is started by whoever connects to it. One that binds a path of its own is not: systemd's
socket is its bell. A connection there starts it and is never accepted; when the plugin runs, it listens on its own path
(`toru-admin greet` has seen to that). What systemd reports says when: nothing here asks twice for what it will be told.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from toru.gateway import refusals
from toru.gateway.refusals import Refusal
from toru.gateway.targets import Availability, Target
from toru.systemd.own_socket import own_socket

P = TypeVar("P", bound=asyncio.Protocol)

NEWS_WITHIN = 5.0
"""Who can't be reached though it runs has ended a moment ago, most often. We hear of it within so many seconds."""
RETRY_SECONDS = 0.02
"""A full backlog makes no event that one could wait for."""


class Unreachable(Exception):
    """There is no way to the plugin now; `refusal` is what to answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class Bell:
    """The door of one plugin. Has to be told of every change of it (`see`)."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._news = asyncio.Event()

    def see(self, target: Target) -> None:
        self._target = target
        self._news.set()
        self._news = asyncio.Event()

    async def reach(self) -> socket.socket:
        """A connection to the plugin itself, woken and waited for as long as it takes; `Unreachable`, when it is over.

        Cancel it when the time is up.
        """
        while True:
            news, target = self._news, self._target
            match target.availability:
                case Availability.RUNNING:
                    if (connection := await self._connect(target)) is not None:
                        return connection
                    await _wait(news, within=NEWS_WITHIN, otherwise=_deaf(target))
                case Availability.ASLEEP if target.bell_path is not None:
                    _ring(target.bell_path)
                    await news.wait()
                case Availability.COMING | Availability.PAUSED if target.bell_path is not None:
                    await news.wait()
                case Availability.ASLEEP | Availability.COMING | Availability.PAUSED:
                    if (connection := await self._connect(target)) is not None:
                        return connection
                    await _wait(news, within=NEWS_WITHIN, otherwise=_deaf(target))
                case Availability.BACKING_OFF | Availability.DOWN | Availability.OFF:
                    raise Unreachable(refusals.for_now(target))

    async def _connect(self, target: Target) -> socket.socket | None:
        """None: nobody listens there."""
        while target is self._target:
            try:
                connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            except OSError as error:  # there is no descriptor left
                raise Unreachable(refusals.unavailable(f"can't be reached: {error.strerror}", 1)) from None
            connection.setblocking(False)  # noqa: FBT003  (as the standard library has it)
            try:
                _connect_to(connection, target)
            except BlockingIOError:
                connection.close()
                await asyncio.sleep(RETRY_SECONDS)
            except OSError:
                connection.close()
                return None
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        return None


def _connect_to(connection: socket.socket, target: Target) -> None:
    if target.bell_path is None:
        connection.connect(target.socket_path)
        return
    with own_socket(Path(target.socket_path)) as path:
        if path is None:
            raise FileNotFoundError(target.socket_path)
        connection.connect(path)


def _ring(bell_path: str) -> None:
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        # Whatever is wrong with the bell, such as that it has just been taken down: systemd says so too. With a full
        # backlog others have rung.
        connection.setblocking(False)  # noqa: FBT003  (as the standard library has it)
        connection.connect(bell_path)


async def carry(protocol: Callable[[], P], connection: socket.socket) -> tuple[asyncio.Transport, P]:
    """A transport for this connection, which belongs to it from now on, also when this fails."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_unix_connection(protocol, sock=connection)
    finally:
        # uvloop closes the descriptor. Of a connection that ends before this returns, it leaves the number in the
        # socket object (seen in 0.23.0), which would close it again: by then it may be another connection's.
        connection.detach()


async def _wait(news: asyncio.Event, *, within: float, otherwise: Refusal) -> None:
    try:
        async with asyncio.timeout(within):
            await news.wait()
    except TimeoutError:
        raise Unreachable(otherwise) from None


def _deaf(target: Target) -> Refusal:
    return refusals.no_answer(f"does not listen at {target.socket_path}")
