"""Connections to plugins, between the kernel and the event loop."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from pathlib import Path

import pytest

from tests.gateway.asking import run
from toru.gateway.bell import carry


class Speaks(asyncio.Protocol):
    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a stream has no other
        transport.write(b"to nobody")

    def connection_lost(self, _error: Exception | None) -> None:
        self.ended.set()


@pytest.mark.req("LIFE-6", "ISO-2")
def test_a_connection_that_ends_as_it_begins_is_closed_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "plugin.sock"))
            listener.listen()
            connection = socket.socket(socket.AF_UNIX)
            connection.setblocking(False)  # noqa: FBT003  (as the standard library has it)
            connection.connect(str(tmp_path / "plugin.sock"))
            listener.accept()[0].close()
        number = connection.fileno()
        _, protocol = await carry(Speaks, connection)
        await protocol.ended.wait()
        # The next connection gets the number, and keeps it.
        ours, theirs = socket.socketpair()
        assert number in {ours.fileno(), theirs.fileno()}
        del connection
        gc.collect()
        with ours, theirs:
            assert os.fstat(number)
            ours.sendall(b"x")
            assert theirs.recv(1) == b"x"

    run(scenario())
