"""Plugins of toru/1, each a process with the habits of the field, and the way to them over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.asking import Asked, Plugin, run
from toru.gateway.targets import Availability
from toru.gateway.toru1.carrier import TRIES
from toru.gateway.toru1.room import BODIES_BYTES
from toru.gateway.toru1.way import Toru1

pytestmark = pytest.mark.req("PROTO-4", "PROTO-6")

MIB = 1 << 20


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Plugin]:
    plugin = Plugin(tmp_path / "odd", "toru1_odd.py")
    plugin.start()
    yield plugin
    plugin.close()


@pytest.fixture
def rust(tmp_path: Path) -> Iterator[Plugin]:
    plugin = Plugin(tmp_path / "rust", "toru1_rust.py")
    plugin.start()
    yield plugin
    plugin.close()


def test_a_python_plugin_gets_the_request_and_its_answer_comes_back(odd: Plugin) -> None:
    async def scenario() -> None:
        headers = ("X-A: 1", "Cookie: a=1", "x-a: 2", "cookie: b=2")
        asked = Asked(Toru1(odd.target()), "/a%20b?c=d", method="PUT", headers=headers, body=b"text")
        said = json.loads(await asked.text())
        assert (asked.status, asked.headers) == (200, [(b"content-type", b"text/plain")])
        assert asked.length == len(asked.body)
        assert said == {
            "pid": odd.pid,
            "method": "PUT",
            "path": "/a%20b?c=d",
            "headers": {"x-a": "1, 2", "cookie": "a=1; b=2", "content-length": "4"},
            "size": 4,
            "body": "text",
        }

    run(scenario())


def test_a_rust_plugin_gets_the_request_and_its_answer_comes_back(rust: Plugin) -> None:
    async def scenario() -> None:
        way = Toru1(rust.target())
        asked = Asked(way, "/a?b=1", method="POST", headers=("x-a: 1",), body=b'{"k":1}')
        said = json.loads(await asked.text())
        assert (asked.status, said["body"], said["path"], said["pid"]) == (201, '{"k":1}', "/a?b=1", rust.pid)
        assert await Asked(way, "/object").text() == '{"an":"object"}'
        binary = json.loads(await Asked(way, "/", method="POST", body=b"\xff\x00").text())
        assert (binary["body"], binary["body_base64"]) == (None, "/wA=")
        assert not [line for line in rust.log() if "closing" in line]

    run(scenario())


WAYS: dict[str, tuple[int, str]] = {
    "/": (200, ""),
    "/bytewise": (200, ""),
    "/others": (200, ""),
    "/status?599": (599, ""),
    "/status?204": (204, ""),
    "/status?99": (502, "bad-answer"),
    "/status?600": (502, "bad-answer"),
    "/rubbish": (502, "bad-answer"),
    "/text": (502, "bad-answer"),
    "/endless": (502, "bad-answer"),
    "/nothing": (502, "bad-answer"),
    "/half": (502, "bad-answer"),
    "/only-others": (502, "bad-answer"),
    "/close": (502, "no-answer"),
    "/crash": (502, "no-answer"),
}


@pytest.mark.req("PROTO-5")
@pytest.mark.parametrize(("path", "outcome"), WAYS.items(), ids=WAYS.keys())
def test_whatever_the_plugin_does_the_client_gets_this_and_the_next_one_an_answer(
    odd: Plugin, path: str, outcome: tuple[int, str]
) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        asked = await Asked(way, path).answer()
        assert asked.outcome == outcome
        if path == "/crash":
            return
        assert json.loads(await Asked(way).text())["pid"] == odd.pid

    run(scenario())


@pytest.mark.req("PROTO-5")
@pytest.mark.parametrize(("path", "sent"), [("/rubbish", b"HTTP/1.1 200 OK\r\n\r\nrubbish "), ("/text", b"hello")])
def test_the_first_200_bytes_of_rubbish_are_for_the_log(odd: Plugin, path: str, sent: bytes) -> None:
    async def scenario() -> None:
        asked = await Asked(Toru1(odd.target()), path).answer()
        assert asked.refusal is not None
        assert asked.refusal.log is not None
        assert repr(sent)[1:-1] in asked.refusal.log
        assert len(asked.refusal.log) < 300
        assert repr(sent)[2:-1] not in asked.refusal.detail, "and not for whoever asked"

    run(scenario())


def test_bytes_that_are_no_text_go_both_ways(odd: Plugin) -> None:
    async def scenario() -> None:
        way, content = Toru1(odd.target()), bytes(range(256))
        asked = await Asked(way, "/binary").answer()
        assert asked.body == content
        said = json.loads(await Asked(way, "/", method="POST", body=content).text())
        assert said["body"] == content.hex()

    run(scenario())


@pytest.mark.parametrize("size", [1, 300_000, 16 * MIB - 1000])
def test_large_bodies_go_both_ways(odd: Plugin, size: int) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        asked = await Asked(way, f"/large?{size}").answer()
        assert (asked.length, bytes(asked.body)) == (size, b"x" * size)
        said = json.loads(await Asked(way, "/", method="POST", body=b"y" * size).text())
        assert said["size"] == size

    run(scenario())


def test_an_answer_of_more_than_16_mib_is_a_502(odd: Plugin) -> None:
    async def scenario() -> None:
        asked = await Asked(Toru1(odd.target()), f"/large?{16 * MIB}").answer()
        assert asked.outcome == (502, "bad-answer")

    run(scenario())


def test_a_request_of_more_than_16_mib_is_a_413_and_never_comes_to_the_plugin(odd: Plugin) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        by_its_length = Asked(way, "/a", method="POST", body=None, length=16 * MIB + 1)
        assert (by_its_length.outcome, by_its_length.invited) == ((413, "too-large"), False)
        as_it_comes = Asked(way, "/b", method="POST", body=None)
        for _ in range(17):
            as_it_comes.send(b"x" * MIB)
        assert as_it_comes.outcome == (413, "too-large")
        once_it_is_said = await Asked(way, "/c", method="POST", body=b"\xff" * (13 * MIB)).answer()
        assert once_it_is_said.outcome == (413, "too-large"), "base64 is a third longer"
        await Asked(way, "/last").text()
        assert [line for line in odd.log() if line.startswith("http")] == ["http /last"]

    run(scenario())


def test_many_at_once_are_served_one_by_one_in_the_order_they_came(odd: Plugin) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        asked = [Asked(way, f"/slow/{number}?0.02") for number in range(20)]
        for it in asked:
            assert (await it.answer()).outcome == (200, "")

    run(scenario())
    served = [line for line in odd.log() if line.startswith("http")]
    assert served == [f"http /slow/{number}?0.02" for number in range(20)]


def test_nobody_waits_at_the_plugins_own_door(odd: Plugin) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        asked = [Asked(way, "/mute") for _ in range(20)]
        await asyncio.to_thread(odd.wait_for, "http /mute")
        assert odd.knocks == 0
        for it in asked:
            it.leave()

    run(scenario())


@pytest.mark.req("PROTO-5")
def test_a_plugin_that_never_answers_is_freed_when_nobody_waits_any_more(odd: Plugin) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        mute, waiting, after = Asked(way, "/mute"), Asked(way, "/never"), Asked(way, "/after")
        await asyncio.to_thread(odd.wait_for, "http /mute")
        waiting.leave()
        mute.leave()
        assert json.loads(await after.text())["path"] == "/after"
        assert "http /never" not in odd.log()

    run(scenario())


def test_who_uploads_slowly_keeps_nobody_from_the_plugin(odd: Plugin) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        slow = Asked(way, "/upload", method="POST", body=None, length=2)
        assert slow.invited
        slow.send(b"a")
        await Asked(way, "/quick").text()
        slow.send(b"b")
        slow.end_of_body()
        assert json.loads(await slow.text())["body"] == "ab"

    run(scenario())


def test_uploads_together_hold_no_more_than_there_is_room_for_and_all_arrive(odd: Plugin) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        uploads = [Asked(way, f"/{number}", method="POST", body=None) for number in range(6)]
        left = dict.fromkeys(uploads, 12)
        most = 0
        while left:
            for upload in uploads:
                if upload not in left or upload.body_paused:
                    continue
                upload.send(b"x" * MIB)
                left[upload] -= 1
                if left[upload] == 0:
                    del left[upload]
                    upload.end_of_body()
            most = max(most, way.bodies.held)
            await asyncio.sleep(0.001)
        assert most <= BODIES_BYTES + 16 * MIB
        for upload in uploads:
            assert json.loads(await upload.text())["size"] == 12 * MIB
        assert way.bodies.held == 0

    run(scenario())


def test_who_leaves_within_an_upload_leaves_nothing_behind(odd: Plugin) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        uploads = [Asked(way, "/", method="POST", body=None) for _ in range(3)]
        for upload in uploads:
            upload.send(b"x" * 15 * MIB)
        assert [upload.body_paused for upload in uploads] == [False, True, True]
        uploads[0].leave()
        assert [upload.body_paused for upload in uploads] == [False, False, False]
        uploads[1].leave()
        uploads[2].leave()
        assert way.bodies.held == 0

    run(scenario())


def test_a_client_that_reads_slowly_gets_no_more_than_it_takes_and_the_plugin_is_free(odd: Plugin) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        slow = Asked(way, f"/large?{4 * MIB}", reads=False)
        await slow.until(lambda it: it.status == 200)
        await Asked(way, "/quick").text()
        assert slow.body == b""
        slow.read_again()
        assert len(await slow.text()) == 4 * MIB

    run(scenario())


def test_an_answer_to_head_says_how_long_the_body_would_be(odd: Plugin) -> None:
    async def scenario() -> None:
        asked = await Asked(Toru1(odd.target()), "/large?1000", method="HEAD").answer()
        assert (asked.status, asked.length) == (200, 1000)

    run(scenario())


def test_a_web_socket_is_refused_by_name(odd: Plugin) -> None:
    async def scenario() -> None:
        asked = Asked(Toru1(odd.target()), "/socket", upgrade=b"websocket")
        assert asked.outcome == (501, "not-supported")
        assert asked.refusal is not None
        assert "WebSockets" in asked.refusal.detail

    run(scenario())
    assert "http /socket" not in odd.log()


# Asleep, restarting, gone.


@pytest.mark.req("PROTO-6", "LIFE-6")
def test_a_request_at_a_door_that_closes_is_answered_by_the_next_process(odd: Plugin) -> None:
    async def scenario() -> None:
        way = Toru1(odd.target())
        first = odd.pid
        odd.freeze()
        asked = Asked(way, "/a", method="POST", body=b"x")
        await asyncio.to_thread(odd.until, lambda: odd.knocks == 1)
        odd.end()
        way.see(odd.target(Availability.COMING))
        await asyncio.to_thread(odd.start)
        way.see(odd.target(Availability.RUNNING))
        assert json.loads(await asked.text())["pid"] == odd.pid != first

    run(scenario())


@pytest.mark.req("PROTO-5")
def test_one_that_takes_connections_and_closes_them_unread_is_not_asked_for_ever(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / "never-started", "toru1_odd.py")

    async def scenario() -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(plugin.path))
        listener.listen(5)
        way = Toru1(plugin.target())
        asked = Asked(way, "/")
        for _ in range(TRIES):
            connection, _ = await asyncio.to_thread(listener.accept)
            assert await asyncio.to_thread(connection.recv, 1, socket.MSG_PEEK), "it is there, and stays unread"
            connection.close()
        listener.close()
        assert (await asked.answer()).outcome == (502, "no-answer")

    run(scenario())


@pytest.mark.req("PROTO-6")
def test_the_bell_is_rung_once_and_the_request_waits_until_the_plugin_runs(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / "sleeper", "toru1_odd.py")
    bell = socket.socket(socket.AF_UNIX)
    bell.bind(str(plugin.path.with_name("bell.sock")))
    bell.listen(10)

    async def scenario() -> None:
        way = Toru1(plugin.target(Availability.ASLEEP))
        asked = [Asked(way, f"/{number}") for number in range(3)]
        connection, _ = await asyncio.to_thread(bell.accept)
        connection.close()
        way.see(plugin.target(Availability.COMING))
        await asyncio.to_thread(plugin.start)
        assert not any(it.over for it in asked)
        way.see(plugin.target(Availability.RUNNING))
        assert [json.loads(await it.text())["path"] for it in asked] == ["/0", "/1", "/2"]

    try:
        run(scenario())
        bell.setblocking(False)  # noqa: FBT003
        with pytest.raises(BlockingIOError):
            bell.accept()
    finally:
        bell.close()
        plugin.close()


@pytest.mark.req("PROTO-5")
@pytest.mark.parametrize(
    ("availability", "facts", "says"),
    [
        (Availability.BACKING_OFF, {"reason": "it was killed by SIGKILL"}, "failed (it was killed by SIGKILL)"),
        (Availability.DOWN, {"reason": "its units were stopped"}, "is not running: its units were stopped"),
        (Availability.OFF, {}, "no plugin that is enabled has the route /odd"),
    ],
)
def test_who_waits_for_a_plugin_that_does_not_come_is_told_so(
    tmp_path: Path, availability: Availability, facts: dict[str, Any], says: str
) -> None:
    plugin = Plugin(tmp_path / "sleeper", "toru1_odd.py")

    async def scenario() -> None:
        way = Toru1(plugin.target(Availability.COMING))
        asked = [Asked(way), Asked(way)]
        await asyncio.sleep(0)
        way.see(plugin.target(availability, **facts))
        for it in asked:
            await it.answer()
            assert it.outcome[0] == (404 if availability is Availability.OFF else 503)
            assert it.refusal is not None
            assert says in it.refusal.detail

    run(scenario())


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("trap", ["symlink", "hard link", "file"])
def test_a_trap_in_the_place_of_the_socket_gets_nothing(
    odd: Plugin, tmp_path: Path, trap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toru.gateway.bell.NEWS_WITHIN", 0.05)
    trapper = Plugin(tmp_path / "trapper", "toru1_odd.py")
    if trap == "symlink":
        trapper.path.symlink_to(odd.path)
    elif trap == "hard link":
        trapper.path.hardlink_to(odd.path)
    else:
        trapper.path.write_text("")

    async def scenario() -> None:
        asked = await Asked(Toru1(trapper.target()), "/secret").answer()
        assert asked.outcome == (502, "no-answer")

    run(scenario())
    assert "http /secret" not in odd.log()
