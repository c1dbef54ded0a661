"""A worker as a process, with a core that the test plays."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toru import __version__
from toru.workers.changes import Changes

PROGRAM = """
import asyncio, pathlib, sys
import uvloop
from toru.domain.policy import Policy
from toru.store.engine import Database
from toru.workers.process import serve
directory = pathlib.Path(sys.argv[1])
database = Database(f"sqlite:///{directory}/toru.db")
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(serve("1", Policy(), database, [], directory=directory, tokens=directory))
database.close()
"""

PIPELINED = (
    b"GET /api/health HTTP/1.1\r\nHost: toru\r\n\r\nGET /api/plugins/route/nobody/ HTTP/1.1\r\nHost: toru\r\n\r\n"
)


class PlayedCore:
    def __init__(self, directory: Path, changes: Changes) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(directory)])
        self._path = directory / "1.sock"
        self._changes = changes
        self.link: socket.socket

    def connect(self) -> Any:
        """What the worker says first."""
        deadline = time.monotonic() + 60
        while not self._path.exists():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link.settimeout(60)
        self.link.connect(str(self._path))
        hello = self.hear()
        descriptor = self._changes.for_reading()
        socket.send_fds(self.link, [b'\0o{"kind":"welcome"}'], [descriptor])
        os.close(descriptor)
        return hello

    def say(self, **said: Any) -> None:
        self.link.send(b"\0o" + json.dumps(said).encode())

    def hear(self) -> Any:
        packet = self.link.recv(1 << 16)
        assert packet[:2] == b"\0o", packet
        return json.loads(packet[2:])

    def hand_on(self, read: bytes) -> socket.socket:
        """The client's end of a connection that the worker has from now on."""
        client, other = socket.socketpair()
        client.settimeout(60)
        with other:
            socket.send_fds(self.link, [b"\0c" + read], [other.fileno()])
        return client

    def take(self) -> tuple[socket.socket, bytes]:
        packet, descriptors, _, _ = socket.recv_fds(self.link, 1 << 16, 1)
        assert packet[:2] == b"\0c", packet
        return socket.socket(fileno=descriptors[0]), packet[2:]


@pytest.fixture
def core(tmp_path: Path) -> Iterator[PlayedCore]:
    changes = Changes()
    core = PlayedCore(tmp_path, changes)
    yield core
    core.process.kill()
    core.process.wait()
    core.link.close()
    changes.close()


def test_what_is_for_another_process_comes_back_with_all_that_was_read(core: PlayedCore) -> None:
    assert core.connect() == {"kind": "hello", "version": __version__, "plugins": []}
    with core.hand_on(PIPELINED) as client:
        client.sendall(b"GET /api/events HTTP/1.1\r\nHost: toru\r\n\r\n")
        connection, read = core.take()
        with connection:
            connection.settimeout(60)
            while b"/api/events" not in read:
                read += connection.recv(1 << 16)  # the kernel kept what came too late to be handed on
            assert read.startswith(PIPELINED)
            connection.sendall(b"an answer")
            assert client.recv(100) == b"an answer"
        assert client.recv(100) == b"", "nobody else holds it"


@pytest.mark.req("OPS-2")
def test_one_that_the_core_sends_away_gives_back_what_is_idle_and_ends_well(core: PlayedCore) -> None:
    core.connect()
    with core.hand_on(b"") as client:
        core.say(kind="leave")
        assert core.hear() == {"kind": "leave"}
        core.say(kind="farewell")
        connection, read = core.take()
        assert read == b""
        assert core.process.wait(60) == 0
        with connection:
            client.sendall(b"a request")
            assert connection.recv(100) == b"a request"


def test_while_the_core_ends_connections_are_kept_for_the_next_one(core: PlayedCore) -> None:
    core.connect()
    core.say(kind="wait")
    assert core.hear() == {"kind": "wait"}
    with core.hand_on(PIPELINED):
        core.link.close()
        core.connect()
        connection, read = core.take()
        connection.close()
        assert read == PIPELINED
