"""Messages between the core and a worker, in order, each with at most one descriptor."""

from __future__ import annotations

import array
import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress

PACKET_BYTES = 32 << 10
"""A packet has to fit into a socket's buffer whole; longer messages come in several."""
FULL = 256
"""Packets that wait to be sent. Beyond it no connection is taken; all else that is said is little."""
AT_ONCE = 64
"""Packets that are read before others have their turn."""

_LAST, _MORE = b"\x00", b"\x01"
_DESCRIPTOR = struct.Struct("i")

OnMessage = Callable[[bytes, int | None], None]


class Link:
    """For the event loop alone.

    `on_message` gets every message, and then its descriptor is the callee's. `on_lost` is called once, soon after the
    link has ended; but not where it was closed here.
    """

    def __init__(self, connection: socket.socket, on_message: OnMessage, on_lost: Callable[[Link], None]) -> None:
        connection.setblocking(False)  # noqa: FBT003  (as the standard library has it)
        self._connection = connection
        self._on_message = on_message
        self._on_lost = on_lost
        self._outgoing: deque[tuple[bytes, int | None]] = deque()
        self._parts: list[bytes] = []
        self._descriptor: int | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection.fileno(), self._read)

    @property
    def is_full(self) -> bool:
        """Whether no connection should be sent: they would wait here, or be lost where it has ended."""
        return len(self._outgoing) >= FULL or self._connection.fileno() < 0

    def send(self, message: bytes, descriptor: int | None = None) -> None:
        """The descriptor is the link's from now on."""
        if self._connection.fileno() < 0:
            _close(descriptor)
            return
        is_first = not self._outgoing
        for start in range(0, max(1, len(message)), PACKET_BYTES):
            part = message[start : start + PACKET_BYTES]
            mark = _MORE if start + PACKET_BYTES < len(message) else _LAST
            self._outgoing.append((mark + part, descriptor))
            descriptor = None
        if is_first:
            self._write()

    def close(self) -> None:
        """What was not sent is not sent any more."""
        if self._connection.fileno() < 0:
            return
        self._loop.remove_reader(self._connection.fileno())
        self._loop.remove_writer(self._connection.fileno())
        self._connection.close()
        for _, descriptor in self._outgoing:
            _close(descriptor)
        self._outgoing.clear()
        _close(self._descriptor)
        self._descriptor = None

    def _lose(self) -> None:
        if self._connection.fileno() >= 0:
            self.close()
            # Not in the middle of what somebody says here.
            self._loop.call_soon(self._on_lost, self)

    def _write(self) -> None:
        while self._outgoing:
            packet, descriptor = self._outgoing[0]
            rights = [] if descriptor is None else [_rights(descriptor)]
            try:
                self._connection.sendmsg([packet], rights)
            except BlockingIOError:
                self._loop.add_writer(self._connection.fileno(), self._write)
                return
            except OSError:
                self._lose()
                return
            _close(descriptor)
            self._outgoing.popleft()
        self._loop.remove_writer(self._connection.fileno())

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            if self._connection.fileno() < 0:
                return  # closed by who was told
            try:
                packet, ancillary, _, _ = self._connection.recvmsg(
                    PACKET_BYTES + 1, socket.CMSG_SPACE(_DESCRIPTOR.size), socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError:
                packet, ancillary = b"", []
            if not packet:
                self._lose()
                return
            for _level, _kind, rights in ancillary:
                (self._descriptor,) = _DESCRIPTOR.unpack_from(rights)
            self._parts.append(packet[1:])
            if packet[:1] == _LAST:
                message, descriptor = b"".join(self._parts), self._descriptor
                self._parts, self._descriptor = [], None
                self._on_message(message, descriptor)


def _rights(descriptor: int) -> tuple[int, int, array.array[int]]:
    return socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor])


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        with suppress(OSError):
            os.close(descriptor)
