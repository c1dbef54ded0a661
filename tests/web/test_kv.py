"""Storage over HTTP, as plugins reach it with their own tokens."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from tests.web.server import Site

URL = "/api/plugins/clock/kv"


@pytest.fixture
def clock(site: Site) -> httpx.Client:
    return site.plugin("clock")


def ask(client: httpx.Client, action: str, key: str, **more: Any) -> Any:
    answer = client.post(URL, json={"action": action, "key": key, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.req("KV-1")
def test_set_get_and_delete(clock: httpx.Client) -> None:
    assert ask(clock, "get", "k") == {"value": None}
    assert ask(clock, "set", "k", value={"a": [1, "é"]}) == {"value": {"a": [1, "é"]}}
    assert ask(clock, "get", "k") == {"value": {"a": [1, "é"]}}
    assert ask(clock, "delete", "k") == {"value": None}
    assert ask(clock, "get", "k") == {"value": None}


@pytest.mark.req("KV-1", "SEC-5")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "body"),
        (b"\xff\xfe", "body"),
        (b"[]", "body"),
        (b"[" * 100_000, "body"),
        (b"{}", "action"),
        (b'{"action": "Get", "key": "k"}', "action"),
        (b'{"action": {}, "key": "k"}', "action"),
        (b'{"action": "get"}', "key"),
        (b'{"action": "get", "key": 1}', "key"),
        (b'{"action": "get", "key": "a\\u0000b"}', "key"),
        (b'{"action": "get", "key": "\\ud800"}', "key"),
        (b'{"action": "set", "key": "k"}', "value"),
        (b'{"action": "set", "key": "k", "value": NaN}', "value"),
        (b'{"action": "set", "key": "k", "value": 1e999}', "value"),
        (b'{"action": "set", "key": "k", "value": 1, "ttl": "x"}', "ttl"),
    ],
    ids=range(15),
)
def test_what_can_not_be_done_is_refused_with_the_reason(clock: httpx.Client, body: bytes, reason: str) -> None:
    answer = clock.post(URL, content=body)
    assert answer.status_code == 400, answer.text
    assert reason in answer.json()["detail"]
    assert clock.get(URL).json() == {"entries": [], "next": None}


@pytest.mark.req("KV-2", "SEC-3")
def test_a_plugin_reaches_its_own_storage_whatever_the_address_says(site: Site, clock: httpx.Client) -> None:
    ask(clock, "set", "k", value="a secret")
    other = site.plugin("other")
    for body in ({"action": "get", "key": "k"}, {"action": "set", "key": "k", "value": 1}):
        assert other.post(URL, json=body).status_code == 403
    assert other.get(URL).status_code == 403
    assert ask(clock, "get", "k") == {"value": "a secret"}


@pytest.mark.req("KV-3")
def test_too_much_is_413(clock: httpx.Client) -> None:
    for body in (
        {"action": "set", "key": "k", "value": "x" * (1 << 20)},
        {"action": "set", "key": "k" * 513, "value": 1},
        {"action": "set", "key": "k", "value": "x" * (3 << 20)},
    ):
        answer = clock.post(URL, json=body)
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert ask(clock, "get", "k") == {"value": None}


@pytest.mark.req("KV-4")
def test_the_listing_has_pages_and_a_prefix(clock: httpx.Client) -> None:
    for key in ("a/1", "a/2", "a/3", "b&c=%é"):
        ask(clock, "set", key, value=key, ttl=1000 if key == "a/1" else None)
    page = clock.get(URL, params={"prefix": "a/", "limit": 2}).json()
    assert [entry["key"] for entry in page["entries"]] == ["a/1", "a/2"]
    assert page["entries"][0]["expires_at"] > 0
    assert page["entries"][1] == {"key": "a/2", "value": "a/2", "expires_at": None}
    rest = clock.get(URL, params={"prefix": "a/", "after": page["next"]}).json()
    assert [entry["key"] for entry in rest["entries"]] == ["a/3"]
    assert rest["next"] is None
    assert clock.get(URL, params={"prefix": "b&c=%é"}).json()["entries"][0]["value"] == "b&c=%é"
    for odd in ({"limit": 0}, {"limit": 1001}, {"prefix": "\0"}):
        assert clock.get(URL, params=odd).status_code == 400


@pytest.mark.req("KV-1")
def test_a_value_with_half_a_character_can_be_kept(clock: httpx.Client) -> None:
    clock.post(URL, content=b'{"action": "set", "key": "k", "value": "\\ud800"}')
    answer = clock.post(URL, json={"action": "get", "key": "k"})
    assert json.loads(answer.content) == {"value": "\ud800"}
    assert clock.get(URL).json()["entries"][0]["value"] == "\ud800"


@pytest.mark.req("KV-3")
def test_a_database_that_is_locked_is_503_and_well_again_afterwards(
    site: Site, clock: httpx.Client, sqlite_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    ask(clock, "set", "k", value=1)
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = clock.post(URL, json={"action": "set", "key": "k", "value": 2}, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
        assert ask(clock, "get", "k") == {"value": 1}, "who reads does not wait"
        other.execute("ROLLBACK")
    other.close()
    assert "locked" in capfd.readouterr().err
    assert ask(clock, "set", "k", value=3) == {"value": 3}


@pytest.mark.req("KV-3")
@pytest.mark.parametrize("pragma", ["query_only = ON", "max_page_count = 1"], ids=["read-only", "full"])
def test_a_database_that_can_not_be_written_is_503(site: Site, clock: httpx.Client, pragma: str) -> None:
    ask(clock, "set", "k", value=1)

    def spoil(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA {pragma}")

    event.listen(site.database._engine, "begin", spoil)
    try:
        answer = clock.post(URL, json={"action": "set", "key": "large", "value": "x" * 900_000})
        assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
    finally:
        event.remove(site.database._engine, "begin", spoil)
