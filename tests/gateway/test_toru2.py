"""A plugin of toru/2, a process of its own, and the way to it over real sockets."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.asking import Asked, Plugin, run
from toru.domain.ids import PluginId
from toru.gateway.targets import Availability
from toru.gateway.toru2 import frames
from toru.gateway.toru2.carrier import KEPT_BYTES
from toru.gateway.toru2.connection import Connection
from toru.gateway.toru2.conversation import CREDIT
from toru.gateway.toru2.pushes import AT_ONCE, Pushes
from toru.gateway.toru2.way import CONNECTIONS_AT_MOST, CROWDED, Toru2

pytestmark = pytest.mark.req("PROTO-1", "PROTO-4")

MIB = 1 << 20
Pushed = list[tuple[str, str, Any, int]]


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Plugin]:
    plugin = Plugin(tmp_path / "two", "toru2.py")
    try:
        plugin.start()
        yield plugin
    finally:
        plugin.close()


class Way(Toru2):
    """As the core makes it, with what was pushed in a list."""

    def __init__(self, plugin: Plugin, availability: Availability = Availability.RUNNING) -> None:
        self.events: Pushed = []
        self.pushed_something = asyncio.Event()
        self._something_lost = asyncio.Event()
        super().__init__(plugin.target(availability, bell_path=None), on_push=self._note)

    def _note(self, plugin_id: PluginId, name: str, data: str, dropped: int) -> None:
        self.events.append((plugin_id, name, json.loads(data), dropped))
        self.pushed_something.set()

    async def closed(self) -> None:
        """When nobody is connected any more."""
        self.close()
        while self._connections:
            self._something_lost.clear()
            await self._something_lost.wait()

    def lost(self, connection: Connection, *, unread: bool) -> None:
        super().lost(connection, unread=unread)
        self._something_lost.set()


@contextmanager
def scripted(path: Path, *connections: Callable[[socket.socket], None]) -> Iterator[None]:
    """A plugin that does on each connection, one after the other, what a script says."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(10)
    listener.settimeout(20)

    def serve() -> None:
        for script in connections:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(20)
                script(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        thread.join(30)
        listener.close()


def read_frame(connection: socket.socket) -> tuple[int, bytes]:
    """Its kind and content; (-1, b"") where nothing more comes."""
    head = read_exactly(connection, 4)
    return (head[0], read_exactly(connection, int.from_bytes(head[1:], "big"))) if head else (-1, b"")


def read_exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (part := connection.recv(count - len(data))):
        data += part
    return data


def say(connection: socket.socket, kind: str, payload: dict[str, Any], **more: Any) -> None:
    connection.sendall(frames.message({"type": kind, "payload": payload, **more}))


def greet(connection: socket.socket) -> None:
    frame = read_frame(connection)
    assert json.loads(frame[1])["payload"]["action"] == "hello"
    say(connection, "lifecycle", {"action": "hello", "version": 2})


def test_a_request_arrives_whole_and_so_does_its_answer(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        headers = ("X-A: 1", "x-a: 2", "x-name: Jörg")
        asked = Asked(way, "/a%20b?c=d", method="PUT", headers=headers, body=b"\xffbody")
        said = json.loads(await asked.text())
        assert asked.status == 200
        assert dict(asked.headers)[b"content-type"] == b"application/json"
        assert [value for name, value in asked.headers if name == b"set-cookie"] == [b"a=1", b"b=2"]
        assert asked.length == len(asked.body)
        assert said == {
            "pid": plugin.pid,
            "method": "PUT",
            "path": "/a%20b?c=d",
            "headers": {"x-a": ["1", "2"], "x-name": ["Jörg".encode().decode("latin-1")], "content-length": ["5"]},
            "body": "ÿbody",
        }
        await way.closed()

    run(scenario())


def test_many_requests_are_under_way_on_one_connection_and_answered_as_each_is_ready(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        held = [Asked(way, "/hold") for _ in range(20)]
        quick = [Asked(way, f"/{number}") for number in range(10)]
        paths = [json.loads(await it.text())["path"] for it in quick]
        assert paths == [f"/{number}" for number in range(10)]
        await asyncio.to_thread(plugin.wait_for, "holding", 20)
        assert not any(it.over for it in held)
        await Asked(way, "/release").text()
        assert {(await it.answer()).outcome for it in held} == {(200, "")}
        assert len(way._connections) == 1
        await way.closed()

    run(scenario())


def test_a_crowd_gets_more_connections_but_no_more_than_a_few(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        crowd = [Asked(way, "/slow?0.5") for _ in range(CONNECTIONS_AT_MOST * 200)]
        assert {(await it.answer()).outcome for it in crowd} == {(200, "")}
        assert 1 < len(way._connections) <= CONNECTIONS_AT_MOST
        await way.closed()

    run(scenario())
    assert CROWDED < 100


@pytest.mark.parametrize("size", [0, 1, 65_532, 65_533, 1_000_000, 40 * MIB])
def test_bodies_of_any_size_are_echoed(plugin: Plugin, size: int) -> None:
    async def scenario() -> None:
        way, part = Way(plugin), bytes(range(256)) * 256
        whole = (part * (size // len(part) + 1))[:size]
        asked = Asked(way, "/echo", method="POST", body=None)
        for start in range(0, size, 100_000):
            if asked.body_paused:
                await asked.until(lambda it: not it.body_paused)
            asked.send(whole[start : start + 100_000])
        asked.end_of_body()
        await asked.answer()
        assert (asked.outcome, len(asked.body), asked.body == whole) == ((200, ""), size, True)
        await way.closed()

    run(scenario())


def test_a_slow_client_holds_up_its_own_answer_alone_and_little_of_it_piles_up(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        slow = Asked(way, f"/bytes?{10 * MIB}", reads=False)
        quick = Asked(way, f"/bytes?{10 * MIB}")
        assert len((await quick.answer()).body) == 10 * MIB
        assert len(slow.body) <= CREDIT
        slow.read_again()
        assert len((await slow.answer()).body) == 10 * MIB
        await way.closed()

    run(scenario())


def test_a_plugin_that_reads_slowly_holds_up_its_own_client_alone(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / "two", "toru2.py", credit=1000, connection_credit=100_000)
    plugin.start()

    async def scenario() -> None:
        way = Way(plugin)
        held = Asked(way, "/hold", method="POST", body=None)
        await held.until(lambda it: it.invited)
        held.send(b"x" * 5000)
        assert held.body_paused, "beyond the credit of 1000 bytes"
        count = Asked(way, "/count", method="POST", body=b"y" * 1_000_000)
        assert await count.text() == "1000000"
        await Asked(way, "/release").text()
        held.end_of_body()
        assert (await held.answer()).outcome == (200, "")
        await way.closed()

    try:
        run(scenario())
    finally:
        plugin.close()


def test_an_answer_may_come_before_the_body_has(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        asked = Asked(way, "/early", method="POST", body=None)
        assert await asked.text() == "no"
        assert asked.status == 403
        assert (await Asked(way).answer()).outcome == (200, "")
        await way.closed()

    run(scenario())


def test_who_leaves_is_cancelled_at_the_plugin_and_the_connection_goes_on(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        dripping, slow = Asked(way, "/drip"), Asked(way, "/slow?100")
        await dripping.until(lambda it: it.body.count(b"drip") == 2)
        await asyncio.to_thread(plugin.wait_for, "slow 100")
        dripping.leave()
        slow.leave()
        await asyncio.to_thread(plugin.wait_for, "cancelled GET /drip")
        await asyncio.to_thread(plugin.wait_for, "cancelled GET /slow?100")
        assert (await Asked(way).answer()).outcome == (200, "")
        assert len(way._connections) == 1
        await way.closed()

    run(scenario())


@pytest.mark.req("PROTO-5")
@pytest.mark.parametrize(
    ("path", "status", "outcome"),
    [
        ("/fail", None, (502, "no-answer")),
        ("/fail_late", 200, (502, "no-answer")),
        ("/status?99", None, (502, "bad-answer")),
        ("/status?204", 204, (204, "")),
    ],
)
def test_a_request_that_fails_fails_alone(
    plugin: Plugin, path: str, status: int | None, outcome: tuple[int, str]
) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        beside = Asked(way, "/slow?0.2")
        asked = await Asked(way, path).answer()
        assert (asked.status, asked.outcome) == (status, outcome)
        if asked.refusal is not None and outcome[1] == "no-answer":
            assert "this went wrong" in (asked.refusal.log or "")
            assert "this went wrong" not in asked.refusal.detail
        assert (await beside.answer()).outcome == (200, "")
        assert len(way._connections) == 1
        await way.closed()

    run(scenario())


@pytest.mark.req("PROTO-5")
def test_a_crash_fails_what_is_under_way_once_and_nothing_later(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        beside = Asked(way, "/slow?100")
        asked = Asked(way, "/crash")
        assert (await asked.answer()).outcome == (502, "no-answer")
        assert (await beside.answer()).outcome == (502, "no-answer")
        await asyncio.to_thread(plugin.start)
        assert (await Asked(way).answer()).outcome == (200, "")
        assert sum("slow 100" in line for line in plugin.log()) == 1, "it was not sent again"
        await way.closed()

    run(scenario())


@pytest.mark.req("PROTO-5")
@pytest.mark.parametrize("sent", [b"HTTP/1.1 200 OK\r\n\r\n", frames.data(77, b"x", is_last=False)])
def test_a_plugin_that_breaks_the_protocol_is_told_and_gets_a_new_connection(plugin: Plugin, sent: bytes) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        asked = await Asked(way, "/raw", method="POST", body=sent).answer()
        assert asked.outcome == (502, "bad-answer")
        assert (await Asked(way).answer()).outcome == (200, "")
        await way.closed()

    run(scenario())


@pytest.mark.req("PROTO-5")
def test_a_head_that_fits_in_no_message_is_a_431(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        asked = await Asked(way, headers=(f"x: {'y' * 65_536}",)).answer()
        assert asked.outcome == (431, "head-too-large")
        assert (await Asked(way).answer()).outcome == (200, "")
        await way.closed()

    run(scenario())


def test_a_web_socket_is_refused_by_name(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        assert Asked(way, upgrade=b"websocket").outcome == (501, "not-supported")
        await Asked(way).text()
        await way.closed()

    run(scenario())


# Ends in good order.


@pytest.mark.req("LIFE-6")
def test_a_plugin_that_stops_answers_what_it_began_and_its_next_process_the_rest(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        first = plugin.pid
        begun = [Asked(way, "/slow?0.5") for _ in range(5)]
        await asyncio.to_thread(plugin.wait_for, "slow 0.5", 5)
        plugin.process.send_signal(signal.SIGTERM)  # type: ignore[union-attr]
        await asyncio.to_thread(plugin.wait_for, "goodbye")
        later = [Asked(way, "/count", method="POST", body=b"x" * 1000) for _ in range(5)]
        answers = [json.loads(await it.text())["pid"] for it in begun]
        assert answers == [first] * 5
        await asyncio.to_thread(plugin.process.wait, 20)  # type: ignore[union-attr]
        await asyncio.to_thread(plugin.start)
        assert [await it.text() for it in later] == ["1000"] * 5
        assert plugin.pid != first
        await way.closed()

    run(scenario())


@pytest.mark.req("LIFE-6")
def test_a_request_that_crosses_a_goodbye_is_sent_again_with_what_was_sent_of_its_body(tmp_path: Path) -> None:
    path = tmp_path / "plugin.sock"
    bodies: list[bytes] = []

    def leaves(connection: socket.socket) -> None:
        greet(connection)
        read_frame(connection)
        bodies.append(read_frame(connection)[1])
        say(connection, "lifecycle", {"action": "goodbye", "code": "stopping", "last_request_id": 0, "reason": ""})
        while read_frame(connection)[0] >= 0:
            pass

    def serves(connection: socket.socket) -> None:
        greet(connection)
        head = json.loads(read_frame(connection)[1])
        kind, rest = 1, b""
        while kind == 1:
            kind, part = read_frame(connection)
            rest += part[4:]
        bodies.append(rest)
        say(connection, "http", {"status": 200, "headers": {}, "body": False}, request_id=head["request_id"])
        read_frame(connection)

    plugin = Plugin(tmp_path / "not-started", "toru1_odd.py")
    plugin.path = path

    async def scenario() -> None:
        way = Way(plugin)
        asked = Asked(way, "/", method="POST", body=None)
        asked.send(b"first ")
        await asked.until(lambda it: not it.body_paused)
        await asyncio.to_thread(wait_until, lambda: len(bodies) == 1)
        asked.send(b"second")
        asked.end_of_body()
        assert (await asked.answer()).outcome == (200, "")
        await way.closed()

    with scripted(path, leaves, serves):
        run(scenario())
    assert bodies == [b"\0\0\0\x01first ", b"first second"]


@pytest.mark.req("PROTO-5")
def test_a_request_of_which_too_much_was_sent_is_told_to_come_again(tmp_path: Path) -> None:
    path = tmp_path / "plugin.sock"

    def leaves(connection: socket.socket) -> None:
        read_frame(connection)
        say(connection, "lifecycle", {"action": "hello", "version": 2, "credit": 1 << 30, "connection_credit": 1 << 30})
        received = 0
        while received <= KEPT_BYTES:
            received += len(read_frame(connection)[1])
        say(connection, "lifecycle", {"action": "goodbye", "code": "stopping", "last_request_id": 0, "reason": ""})
        while read_frame(connection)[0] >= 0:
            pass

    plugin = Plugin(tmp_path / "not-started", "toru1_odd.py")
    plugin.path = path

    async def scenario() -> None:
        way = Way(plugin)
        asked = Asked(way, "/", method="POST", body=None)
        await asked.until(lambda it: it.invited)
        for _ in range(10):
            asked.send(b"x" * 50_000)
        await asked.answer()
        assert asked.outcome == (503, "unavailable")
        assert asked.refusal is not None
        assert asked.refusal.retry_after == 1
        await way.closed()

    with scripted(path, leaves):
        run(scenario())


@pytest.mark.req("LIFE-6")
def test_a_request_whose_connection_was_never_read_gets_another(tmp_path: Path) -> None:
    def dies(connection: socket.socket) -> None:
        assert connection.recv(1, socket.MSG_PEEK), "the hello is there, and stays unread"

    def serves(connection: socket.socket) -> None:
        greet(connection)
        head = json.loads(read_frame(connection)[1])
        say(connection, "http", {"status": 204, "headers": {}, "body": False}, request_id=head["request_id"])
        read_frame(connection)

    plugin = Plugin(tmp_path / "not-started", "toru1_odd.py")

    async def scenario() -> None:
        way = Way(plugin)
        assert (await Asked(way).answer()).outcome == (204, "")
        await way.closed()

    with scripted(plugin.path, dies, dies, serves):
        run(scenario())


@pytest.mark.req("LIFE-6")
def test_a_request_that_begins_as_the_connection_ends_goes_on_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = Plugin(tmp_path / "not-started", "toru1_odd.py")
    late: list[Asked] = []

    def ends(connection: socket.socket) -> None:
        greet(connection)

    def serves(connection: socket.socket) -> None:
        greet(connection)
        head = json.loads(read_frame(connection)[1])
        say(connection, "http", {"status": 204, "headers": {}, "body": False}, request_id=head["request_id"])
        read_frame(connection)

    async def scenario() -> None:
        way, ended = Way(plugin), asyncio.Event()
        at_end = Connection.eof_received

        def eof_received(connection: Connection) -> None:
            # Between the end of what the plugin says and the end of the connection.
            at_end(connection)
            if not late:
                late.append(Asked(way))
                ended.set()

        monkeypatch.setattr(Connection, "eof_received", eof_received)
        await ended.wait()
        assert (await late[0].answer()).outcome == (204, "")
        await way.closed()

    with scripted(plugin.path, ends, serves):
        run(scenario())


@pytest.mark.req("PROTO-5")
@pytest.mark.parametrize("how", ["another version", "no hello", "goodbye without end", "never takes anything"])
def test_a_plugin_that_can_not_be_talked_to_is_not_asked_for_ever(tmp_path: Path, how: str) -> None:
    path = tmp_path / "plugin.sock"

    def refuses(connection: socket.socket) -> None:
        read_frame(connection)
        match how:
            case "another version":
                say(connection, "lifecycle", {"action": "goodbye", "code": "version", "reason": "it speaks 3"})
            case "goodbye without end":
                say(connection, "lifecycle", {"action": "goodbye", "code": "stopping", "reason": ""})
            case "never takes anything":
                say(connection, "lifecycle", {"action": "hello", "version": 2})
                read_frame(connection)
                goodbye = {"action": "goodbye", "code": "stopping", "last_request_id": 0}
                say(connection, "lifecycle", goodbye)
        while how != "no hello" and read_frame(connection)[0] >= 0:
            pass

    times = {"another version": 1, "no hello": 1, "goodbye without end": 4, "never takes anything": 4}[how]
    plugin = Plugin(tmp_path / "not-started", "toru1_odd.py")
    plugin.path = path

    async def scenario() -> None:
        way = Way(plugin)
        asked = await Asked(way).answer()
        assert asked.outcome == ((503, "unavailable") if how == "never takes anything" else (502, "no-answer"))
        await way.closed()

    with scripted(path, *[refuses] * times):
        run(scenario())


@pytest.mark.req("PROTO-5")
def test_a_plugin_that_never_says_hello_gets_a_new_connection_when_nobody_waits_any_more(plugin: Plugin) -> None:
    async def scenario() -> None:
        plugin.freeze()
        way = Way(plugin)
        asked = Asked(way)
        await asyncio.to_thread(plugin.until, lambda: plugin.knocks == 1)
        asked.leave()
        another = Asked(way)
        await asyncio.to_thread(plugin.until, lambda: plugin.knocks == 2)
        plugin.thaw()
        assert (await another.answer()).outcome == (200, "")
        await way.closed()

    run(scenario())


@pytest.mark.req("PROTO-5")
def test_a_connection_on_which_nothing_came_gets_no_more_requests(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toru.gateway.toru2.carrier.SILENT_SECONDS", 0.0)

    async def scenario() -> None:
        way = Way(plugin)
        await Asked(way).text()
        plugin.freeze()
        asked = Asked(way, "/slow?100")
        clock = asyncio.get_running_loop().time
        began = clock()
        while clock() == began:  # noqa: ASYNC110  (time makes no event)
            await asyncio.sleep(0)
        asked.leave()
        another = Asked(way)
        await asyncio.to_thread(plugin.until, lambda: plugin.knocks == 1)
        plugin.thaw()
        assert (await another.answer()).outcome == (200, "")
        await way.closed()

    run(scenario())


@pytest.mark.req("PROTO-5")
def test_who_waits_for_a_plugin_that_fails_is_told_so(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / "two", "toru2.py")

    async def scenario() -> None:
        way = Way(plugin, Availability.COMING)
        asked = Asked(way)
        await asyncio.to_thread(plugin.until, lambda: plugin.knocks == 1)
        way.see(plugin.target(Availability.BACKING_OFF, reason="it exited with status 3"))
        await asked.answer()
        assert asked.outcome == (503, "unavailable")
        assert asked.refusal is not None
        assert "it exited with status 3" in asked.refusal.detail
        await way.closed()

    try:
        run(scenario())
    finally:
        plugin.close()


def test_closing_lets_what_is_under_way_come_to_its_end(plugin: Plugin) -> None:
    async def scenario() -> None:
        way = Way(plugin)
        asked = Asked(way, "/slow?0.3")
        await asyncio.to_thread(plugin.wait_for, "slow 0.3")
        way.close()
        assert (await asked.answer()).outcome == (200, "")
        await way.closed()

    run(scenario())


# Pushes.


@pytest.mark.req("UI-6")
def test_a_plugin_pushes_before_its_first_request_and_beside_others(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / "two", "toru2.py", pushes_at_start=2)

    async def scenario() -> None:
        way = Way(plugin, Availability.ASLEEP)
        assert way._opening is None, "it may sleep on"
        await asyncio.to_thread(plugin.start)
        way.see(plugin.target(Availability.RUNNING))
        while len(way.events) < 2:
            way.pushed_something.clear()
            await way.pushed_something.wait()
        assert way.events == [("odd", "start", {"number": number}, 0) for number in range(2)]
        assert (await Asked(way, "/push?3").answer()).status == 204
        assert way.events[2:] == [
            ("odd", "tick", {"number": number, "text": "<script>\n\u2028"}, 0) for number in range(3)
        ]
        await way.closed()

    try:
        run(scenario())
    finally:
        plugin.close()


def test_a_flood_of_pushes_is_cut_short_and_the_next_one_says_how_much_of_it() -> None:
    now = 0.0
    told: Pushed = []
    pushes = Pushes(PluginId("odd"), lambda *push: told.append(push), lambda: now)
    for number in range(1000):
        pushes.take({"name": "tick", "data": number})
    assert [(data, dropped) for _, _, data, dropped in told] == [(str(number), 0) for number in range(AT_ONCE)]
    now = 0.1
    pushes.take({"name": "tick", "data": "after"})
    pushes.take({"name": "tick", "data": "and after"})
    pushes.take({"name": "tick", "data": "too many"})
    assert [(data, dropped) for _, _, data, dropped in told[AT_ONCE:]] == [('"after"', 900), ('"and after"', 0)]


BAD_PUSHES: dict[str, dict[str, Any]] = {
    "no name": {"data": 1},
    "a name with a line break": {"name": "a\nb", "data": 1},
    "a name that is too long": {"name": "a" * 65, "data": 1},
    "no data": {"name": "tick"},
    "too much data": {"name": "tick", "data": "x" * 16_383},
}


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("payload", BAD_PUSHES.values(), ids=BAD_PUSHES.keys())
def test_a_push_that_breaks_a_rule_is_dropped(payload: dict[str, Any]) -> None:
    told: Pushed = []
    pushes = Pushes(PluginId("odd"), lambda *push: told.append(push))
    pushes.take(payload)
    pushes.take({"name": "tick", "data": "x" * 16_382})
    assert [(name, dropped) for _, name, _, dropped in told] == [("tick", 1)]


def wait_until(fact: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(4000):
        if fact():
            return
        done.wait(0.005)
    raise AssertionError("it never came true")
