"""The core's side, with workers that a test plays over a real socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.programs import TELLS
from tests.gateway.server import Door, small, status_of
from toru import __version__
from toru.domain.ids import PluginId
from toru.gateway.elsewhere import WAIT_SECONDS
from toru.store.engine import Database
from toru.workers.changes import Changes
from toru.workers.crew import Crew
from toru.workers.custody import CORE, owner_of

NAMES = [f"tells-{number}" for number in range(100)]
THEIRS = next(name for name in NAMES if owner_of(PluginId(name), [CORE, "1"]) == "1")


class Played:
    """A worker, as far as the core sees it."""

    def __init__(self, directory: Path) -> None:
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(str(directory / ".1.sock"))
        self._listening.listen(1)
        (directory / ".1.sock").rename(directory / "1.sock")
        self._listening.settimeout(20)
        self.link: socket.socket

    def meet(self, version: str = __version__, plugins: tuple[str, ...] = ()) -> None:
        self.link, _ = self._listening.accept()
        self.link.settimeout(20)
        self.say(kind="hello", version=version, plugins=plugins)

    def say(self, **said: Any) -> None:
        self.link.send(b"\0o" + json.dumps(said).encode())

    def hear(self, kind: str) -> Any:
        """The next message of this kind."""
        while True:
            packet = self.link.recv(1 << 16)
            assert packet, f"the link has ended without {kind}"
            if packet[:2] == b"\0o" and (said := json.loads(packet[2:]))["kind"] == kind:
                return said

    def hear_connection(self) -> tuple[socket.socket, bytes]:
        """The next connection that is handed on, and what was read of it."""
        packet, descriptors, _, _ = socket.recv_fds(self.link, 1 << 16, 1)
        assert packet[:2] == b"\0c", packet
        return socket.socket(fileno=descriptors[0]), packet[2:]

    def end(self) -> None:
        self.link.close()

    def close(self) -> None:
        self.link.close()
        self._listening.close()


@pytest.fixture
def door(database: Database, tmp_path: Path) -> Iterator[Door]:
    database.migrate()
    door = Door(database, tmp_path, small())
    with door.running():
        yield door


@pytest.fixture
def worker(door: Door, tmp_path: Path) -> Iterator[Played]:
    """One that the core is about to meet. The plugin that it will have is with the core."""
    directory = tmp_path / "workers"
    directory.mkdir()
    changes, tasks = Changes(), []

    def begin() -> Crew:
        crew = Crew(door.gateway, door.traffic, changes, on_push=lambda *_: None, directory=directory)
        crew.begin()
        tasks.append(door.loop.create_task(crew.run()))
        return crew

    crew = door.do(begin)
    door.plugin(THEIRS, TELLS)
    target = door.targets[THEIRS]
    door.do(lambda: crew.aim(target.plugin, target))
    played = Played(directory)
    yield played
    door.do(tasks[0].cancel)
    door.do(crew.close)
    played.close()
    changes.close()


def ask(door: Door, connection: socket.socket, cookie: str) -> None:
    lines = f"GET /api/plugins/route/{THEIRS}/x HTTP/1.1\r\nHost: toru\r\nCookie: {cookie}\r\n\r\n"
    connection.sendall(lines.encode())


@pytest.mark.req("PROTO-5")
def test_a_request_that_is_under_way_ends_where_it_began_and_the_next_one_goes_over(door: Door, worker: Played) -> None:
    cookie = door.cookie()
    with door.connect() as busy, door.connect() as free:
        busy.sendall(
            f"GET /api/plugins/route/{THEIRS}/hold/it HTTP/1.1\r\nHost: toru\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        door.ask(f"/api/plugins/route/{THEIRS}/held/it", cookie=cookie)
        worker.meet()
        assert worker.hear("aim")["target"]["plugin"] == THEIRS
        ask(door, free, cookie)
        connection, read = worker.hear_connection()
        with connection:
            assert read.startswith(f"GET /api/plugins/route/{THEIRS}/x HTTP/1.1\r\n".encode())
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert free.recv(1 << 16) == b"HTTP/1.1 204 No Content\r\n\r\n"
        worker.end()
        assert status_of(door.ask(f"/api/plugins/route/{THEIRS}/release/it", cookie=cookie)) == 200
        assert status_of(busy.recv(1 << 16)) == 200


@pytest.mark.req("OPS-2")
def test_a_worker_of_another_release_is_told_to_begin_again_and_its_plugins_are_nobodys_until_it_ends(
    door: Door, worker: Played
) -> None:
    worker.meet(version="0.0.1")
    worker.hear("leave")
    worker.hear("farewell")
    assert status_of(door.ask(f"/api/plugins/route/{THEIRS}/")) == 200, "the core had it, and keeps it"


@pytest.mark.req("PROTO-5")
def test_who_asks_while_a_plugin_changes_hands_waits_for_the_new_ones(door: Door, worker: Played) -> None:
    cookie = door.cookie()
    worker.meet()
    worker.hear("aim")
    worker.say(kind="leave")
    worker.hear("let-go")
    worker.hear("farewell")
    with door.connect() as connection:
        ask(door, connection, cookie)
        door.ask("/api/health", cookie=cookie)  # by now the core has read that, too
        worker.say(kind="let-go", plugin=THEIRS)
        assert status_of(connection.recv(1 << 16)) == 200


@pytest.mark.req("PROTO-5")
def test_who_waits_too_long_is_told_to_come_again(door: Door, worker: Played) -> None:
    cookie = door.cookie()
    worker.meet()
    worker.hear("aim")
    worker.say(kind="leave")
    worker.hear("farewell")
    with door.connect() as connection:
        ask(door, connection, cookie)
        door.ask("/api/health", cookie=cookie)  # by now the core has read that, too
        door.do(lambda: door.gateway.on_look(door.gateway.now + WAIT_SECONDS + 1))
        answer = connection.recv(1 << 16)
        assert status_of(answer) == 503
        assert b"Retry-After: 1\r\n" in answer


@pytest.mark.req("OBS-4")
def test_what_was_in_flight_in_a_worker_that_has_gone_is_so_no_more(door: Door, worker: Played) -> None:
    worker.meet()
    worker.hear("aim")
    more = [0] * 28
    more[2], more[-1] = 5, 3
    worker.say(kind="figures", of={THEIRS: more})
    worker.say(kind="wait")
    worker.end()
    traffic = door.figures(THEIRS)
    cookie = door.cookie()
    assert status_of(door.ask(f"/api/plugins/route/{THEIRS}/", cookie=cookie)) == 200  # which the core serves again
    assert (traffic.by_class[2], traffic.in_flight) == (6, 0)


@pytest.mark.req("SEC-5")
def test_what_makes_no_sense_ends_the_link_and_not_the_core(door: Door, worker: Played) -> None:
    worker.meet()
    worker.hear("aim")
    worker.link.send(b"\0onot JSON")
    assert status_of(door.ask(f"/api/plugins/route/{THEIRS}/")) == 200
