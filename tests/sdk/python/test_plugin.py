"""What an author writes, and what a client gets: served for real, over HTTP, as in an author's own tests."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from toru_plugin import Event, JournalFormatter, KvTooLarge, Missing, Plugin, Refusal, Response, events
from toru_plugin.host import Host
from toru_plugin.kv import KvInFile
from toru_plugin.testing import serving

pytestmark = pytest.mark.req("LANG-1")

WHO = {"id": "mine", "name": "Mine", "route": "/mine"}


def plugin(**metadata: Any) -> Plugin:
    return Plugin(**{**WHO, **metadata})


# Metadata.


@pytest.mark.req("META-1", "META-2")
def test_metadata_is_said_once_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    limits = {"memory": "64M"}
    with pytest.raises(SystemExit) as end:
        plugin(idle_timeout=60, watchdog=30, limits=limits, sandbox="strict").run(["--metadata"])
    assert end.value.code == 0
    said = {**WHO, "protocol": "toru/2", "idle_timeout": 60, "watchdog": 30, "limits": limits, "sandbox": "strict"}
    assert json.loads(capsys.readouterr().out) == said


@pytest.mark.req("META-2")
@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "a b"}, {"id": "route"}, {"id": "x" * 65}, {"route": "mine"}, {"route": "/a/b"}, {"route": "/a..b"},
        {"name": ""}, {"name": "x" * 100}, {"protocol": "http"}, {"start": "late"}, {"idle_timeout": 0},
        {"watchdog": True}, {"max_concurrent": 0}, {"sandbox": "none"}, {"homepage": "javascript:alert(1)"},
    ],
    ids=str,
)  # fmt: skip
def test_a_mistake_in_the_metadata_is_the_authors_own_exception(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=f"invalid metadata: {name} must be"):
        plugin(**wrong)


# Answers.


def test_what_a_handler_returns_is_the_answer() -> None:
    mine = plugin()

    @mine.get("/json")
    async def as_json(_request: Any) -> dict[str, str]:
        return {"grüß": "dich"}

    @mine.get("/text")
    def as_text(_request: Any) -> str:
        return "grüß dich"

    @mine.get("/bytes")
    def as_bytes(_request: Any) -> bytes:
        return b"\x00\xff"

    @mine.delete("/")
    def nothing(_request: Any) -> None:
        return None

    @mine.get("/response")
    async def as_response(_request: Any) -> Response:
        return Response("<p>", status=201, content_type="text/html", headers={"set-cookie": ["a=1", "b=2"]})

    with serving(mine) as client:
        assert client.get("/json").json() == {"grüß": "dich"}
        assert client.get("/json").headers["content-type"] == "application/json"
        assert client.get("/text").text == "grüß dich"
        assert client.get("/text").headers["content-type"] == "text/plain; charset=utf-8"
        assert client.get("/bytes").body == b"\x00\xff"
        assert (client.delete("/").status, client.delete("/").body) == (204, b"")
        answer = client.get("/response")
        assert (answer.status, answer.text, answer.headers["content-type"]) == (201, "<p>", "text/html")
        assert answer.headers.all("set-cookie") == ["a=1", "b=2"]
        head = client.request("HEAD", "/text")
        assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "11")


def test_parameters_of_the_path_come_by_name() -> None:
    mine = plugin()

    @mine.get("/notes/{name}")
    async def note(_request: Any, name: str) -> Any:
        return name

    @mine.get("/pages/{number:int}")
    async def page(_request: Any, number: int) -> Any:
        return number

    @mine.get("/files/{rest:path}")
    async def file(_request: Any, rest: str) -> Any:
        return rest

    @mine.get("/notes/new")
    async def new(_request: Any) -> Any:
        return "the form"

    with serving(mine) as client:
        assert client.get("/notes/a%2Fb%20c").text == "a/b c"
        assert client.get("/notes/new").text == "the form"
        assert client.get("/pages/-7").json() == -7
        assert client.get("/pages/seven").status == 404
        assert client.get("/files/a/b/c.txt").text == "a/b/c.txt"
        assert client.get("/notes/a/b").status == 404
        refused = client.post("/notes/a")
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")
        assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("pattern", ["notes", "/{a}/{a}", "/{a:float}", "/{rest:path}/more", "/{", "/{a-b}"])
def test_a_pattern_that_is_none_is_refused_where_it_is_written(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"route|has|kind|stands"):
        plugin().get(pattern)(print)


def test_what_was_asked_is_in_the_request() -> None:
    mine = plugin()

    @mine.route("/{rest:path}", "GET", "PUT")
    async def show(request: Any, rest: str) -> Any:
        said = {"path": request.path, "raw": request.raw_path, "user": request.user, "role": request.role}
        return {**said, "rest": rest, "a": request.query("a"), "all": request.queries, "body": await request.text()}

    with serving(mine, user="ada", role="client") as client:
        said = client.put("/a%20b?a=1&a=%26&b=", "grüß dich").json()
    assert said == {
        "path": "/a b", "raw": "/a%20b", "user": "ada", "role": "client", "rest": "a b", "a": "1",
        "all": {"a": ["1", "&"], "b": [""]}, "body": "grüß dich",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_bodies_are_read_whole_or_part_by_part(kind: str) -> None:
    mine = plugin()

    if kind == "async":

        @mine.post("/json")
        async def said(request: Any) -> Any:
            return await request.json(limit=100)

        @mine.post("/echo")
        async def echo(request: Any) -> AsyncIterator[bytes]:
            async for part in request.stream():
                yield part

    else:

        @mine.post("/json")
        def said_plainly(request: Any) -> Any:
            return request.json(limit=100)

        @mine.post("/echo")
        def echo_plainly(request: Any) -> Iterator[bytes]:
            yield from request.stream()

    body = bytes(range(256)) * 1000
    with serving(mine) as client:
        assert client.post("/json", {"a": [1]}).json() == {"a": [1]}
        assert client.post("/json", b"{").status == 400
        assert client.post("/json", b"[" * 101).status == 413
        assert client.post("/echo", body).body == body


def test_plain_handlers_run_beside_each_other_and_beside_the_loop() -> None:
    mine = plugin()
    both = threading.Barrier(2, timeout=30)

    @mine.get("/plain")
    def plain(_request: Any) -> Any:
        both.wait()
        return "together"

    answers: list[str] = []
    with serving(mine) as client:
        threads = [threading.Thread(target=lambda: answers.append(client.get("/plain").text)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == ["together", "together"]


@pytest.mark.req("PROTO-5")
def test_what_goes_wrong_in_a_handler_is_this_requests_trouble_alone(caplog: pytest.LogCaptureFixture) -> None:
    mine = plugin()

    @mine.get("/fails")
    async def fails(_request: Any) -> Any:
        raise RuntimeError("a secret of the plugin")

    @mine.get("/says-no")
    def says_no(_request: Any) -> Any:
        raise Refusal(409, "not now", until="noon")

    @mine.get("/no-json")
    async def no_json(_request: Any) -> Any:
        return {"a": object()}

    @mine.get("/no-header")
    async def no_header(_request: Any) -> Any:
        return Response(headers={"x": "a\r\nset-cookie: b"})

    @mine.get("/late")
    async def late(_request: Any) -> AsyncIterator[str]:
        yield "a part"
        raise RuntimeError("too late to say so")

    with serving(mine) as client:
        failed = client.get("/fails")
        assert (failed.status, "secret" in failed.text) == (500, False)
        assert "a secret of the plugin" in caplog.text
        assert client.get("/says-no").json() == {
            "type": "about:blank", "title": "Conflict", "status": 409, "detail": "not now", "facts": {"until": "noon"}
        }  # fmt: skip
        assert client.get("/no-json").status == 500
        assert client.get("/no-header").status == 500
        with pytest.raises((ConnectionError, Exception), match=r"IncompleteRead|reset"):
            client.get("/late")
        assert client.get("/says-no").status == 409


def test_server_sent_events_are_lines_that_a_browser_understands() -> None:
    mine = plugin()

    @mine.get("/events")
    def some(_request: Any) -> Response:
        return events([{"n": 1}, "two\nlines", Event("x", event="tick", id="7", retry=1000)])

    with serving(mine) as client:
        answer = client.get("/events")
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.text == (
        'data: {"n":1}\n\ndata: two\ndata: lines\n\nevent: tick\nid: 7\nretry: 1000\ndata: x\n\n'
    )  # fmt: skip


def test_work_before_and_after_and_beside_the_requests() -> None:
    mine, seen = plugin(), []

    @mine.on_start
    async def first() -> None:
        seen.append("start")

    @mine.on_stop
    def last() -> None:
        seen.append("stop")

    @mine.background
    async def beside() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            seen.append("no longer beside")

    @mine.get("/")
    def request(_request: Any) -> None:
        seen.append("request")

    with serving(mine) as client:
        client.get("/")
    assert seen == ["start", "request", "no longer beside", "stop"]


def test_a_push_that_toru_would_drop_is_refused_at_once() -> None:
    mine = plugin()
    assert mine.push("tick", {"n": 1}) is False, "nobody can carry it yet"
    for name, data in (("", 1), ("a b", 1), ("x" * 65, 1), ("tick", "x" * 16_383), ("tick", float("nan"))):
        with pytest.raises(ValueError, match=r"name|limit|compliant"):
            mine.push(name, data)


# What is around it.


def test_secrets_and_settings_are_credentials(tmp_path: Path) -> None:
    (tmp_path / "smtp").write_text("s3cret\n")
    (tmp_path / "config").write_text('{"depth": 3}')
    (tmp_path / "list").write_text("[]")
    host = Host("mine", {"CREDENTIALS_DIRECTORY": str(tmp_path), "STATE_DIRECTORY": "/var/lib/x"})
    assert (host.secret("smtp"), host.config(), host.config("none")) == ("s3cret", {"depth": 3}, {})
    assert str(host.state_directory) == "/var/lib/x"
    with pytest.raises(Missing, match="LoadCredential=imap:"):
        host.secret("imap")
    with pytest.raises(Missing):
        host.secret("../smtp")


def test_settings_may_be_toml(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("depth = 3\n[more]\na = 'b'\n")
    host = Host("mine", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert host.config() == {"depth": 3, "more": {"a": "b"}}


@pytest.mark.req("KV-4")
def test_a_file_stands_in_for_the_storage_while_there_is_no_toru(tmp_path: Path) -> None:
    kv = KvInFile(tmp_path / "kv.json")
    kv.set("a:1", {"x": 1})
    kv.set("a:2", [2])
    kv.set("b", "gone", ttl=-1)
    assert (kv.get("a:1"), kv.get("b"), kv.get("c", "none")) == ({"x": 1}, None, "none")
    assert [(it.key, it.value) for it in kv.items("a:")] == [("a:1", {"x": 1}), ("a:2", [2])]
    page = kv.page(limit=1)
    assert ([it.key for it in page.entries], page.next) == (["a:1"], "a:1")
    kv.delete("a:1")
    assert [it.key for it in kv.items()] == ["a:2"]
    assert issubclass(KvTooLarge, Exception)


# Logs.


def formatted(level: int, text: str, *values: object, **more: Any) -> str:
    extra = more.pop("extra", {})
    record = logging.getLogger("mine").makeRecord("mine", level, "f.py", 1, text, values, more.get("exc"), extra=extra)
    return JournalFormatter().format(record)


@pytest.mark.req("OBS-1")
def test_a_record_is_a_line_with_its_level_and_its_parts() -> None:
    assert formatted(logging.INFO, "it is %s", "on") == "<6>it is on"
    assert [formatted(level, "x")[:3] for level in (10, 20, 25, 30, 40, 50)] == [
        "<7>",
        "<6>",
        "<5>",
        "<4>",
        "<3>",
        "<2>",
    ]
    said = formatted(logging.ERROR, "no room", extra={"left": 3, "path": Path("/x")})
    assert (said[:3], json.loads(said[3:])) == (
        "<3>", {"level": "err", "message": "no room", "logger": "mine", "left": 3, "path": "/x"}
    )  # fmt: skip


@pytest.mark.req("OBS-1", "SEC-5")
def test_a_message_can_neither_be_two_lines_nor_pass_for_another_level() -> None:
    for text in ("a\n<2>forged", "<2>forged", '{"level":"crit"}'):
        said = formatted(logging.INFO, text)
        assert "\n" not in said
        assert (said[:3], json.loads(said[3:])["message"]) == ("<6>", text)


@pytest.mark.req("OBS-1")
def test_an_exception_is_one_entry() -> None:
    try:
        raise RuntimeError("boom")
    except RuntimeError as error:
        said = formatted(logging.ERROR, "it failed", exc=(type(error), error, error.__traceback__))
    assert "\n" not in said
    assert json.loads(said[3:])["exception"].endswith("RuntimeError: boom")
