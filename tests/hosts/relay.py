"""Leads from one socket to another, for who can't reach that: into a host, and out of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Connect = Callable[[], socket.socket]


class Relay:
    """Bytes both ways, as they come, until either end has said all. Who isn't there is an end at once."""

    def __init__(self, listening: socket.socket, connect: Connect) -> None:
        self._listening = listening
        self._connect = connect
        self._goes_on = threading.Event()
        self._goes_on.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self) -> None:
        """From now on nothing comes through, as behind a broken network: nobody is told that it is so."""
        self._goes_on.clear()

    def go_on(self) -> None:
        self._goes_on.set()

    def close(self) -> None:
        self._goes_on.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listening.accept()
            except OSError:
                return
            try:
                theirs = self._connect()
            except OSError:
                ours.close()
                continue
            for source, target in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._goes_on.wait()
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()


@contextmanager
def from_path(path: Path, connect: Connect) -> Iterator[Relay]:
    """A relay that listens at this path."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    path.chmod(0o777)
    listening.listen()
    relay = Relay(listening, connect)
    try:
        yield relay
    finally:
        path.unlink(missing_ok=True)
        relay.close()


@contextmanager
def from_port(connect: Connect) -> Iterator[int]:
    """The port of a relay that listens on this machine."""
    listening = socket.create_server(("127.0.0.1", 0))
    relay = Relay(listening, connect)
    try:
        yield listening.getsockname()[1]
    finally:
        relay.close()


def to_path(path: Path) -> Connect:
    def connect() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            raise
        return connection

    return connect
