"""Whatever is sent: a refusal with a reason, in the one shape, and never a fault."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.web.document import routes_of
from tests.web.server import ADMIN, CLIENT, PASSWORD, Site
from toru.web.edge import MAX_BODY_BYTES
from toru.web.problems import Problem

pytestmark = pytest.mark.req("API-7", "SEC-5")

DEEP = b"[" * 100_000
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a number": b"7",
    "a list": b"[]",
    "an empty object": b"{}",
    "half an object": b'{"name": "x"',
    "no text": b"\xff\xfe\x00",
    "no text in an object": b'{"name": "\xff", "password": "\xff"}',
    "half a surrogate": rb'{"name": "\ud800", "password": "\ud800", "scopes": ["\ud800"], "old": "\ud800", "new": "x"}',
    "NUL": rb'{"name": "a\u0000b", "password": "Aa1-\u0000bcd", "scopes": ["read"], "plugins": ["\u0000"]}',
    "very deep": DEEP,
    "very deep within": b'{"name": ' + DEEP,
    "a huge number": b'{"name": 1' + b"0" * 5000 + b"}",
    "not a number": b'{"name": NaN, "role": Infinity}',
    "wrong types": b'{"name": {}, "password": [], "role": 7, "scopes": "read", "disabled": "perhaps", "plugins": {}}',
    "long texts": json.dumps(dict.fromkeys(("name", "password", "role", "old", "new"), "x" * 10000)).encode(),
    "long lists": json.dumps({"name": "a", "scopes": ["odd"] * 10_000, "plugins": ["x"] * 20_000}).encode(),
    "more than anybody may send": b'{"name": "' + b"x" * MAX_BODY_BYTES + b'"}',
    "odd ids": json.dumps({"name": "a", "password": PASSWORD, "plugins": ["../x"]}).encode(),
}
ODD = [
    "../x",
    "%2e%2e",
    "%2e%2e%2fx",
    "%00",
    "a%00b",
    "x" * 10_000,
    "%ff",
    "%ed%a0%80",
    "%F0%9F%A6%84",
    "-",
    "'",
    "0",
    "-1",
    "9" * 40,
    "1e3",
]


def refused(answer: Any) -> None:
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:500])
    if answer.content:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = Problem.model_validate(answer.json())
        assert problem.status == answer.status_code
        assert problem.detail


def targets(site: Site, *methods: str) -> Iterator[tuple[str, str]]:
    for route in sorted(routes_of(site.app)):
        method, path = route.split(" ")
        if method in methods:
            yield method, path


def state(admin: httpx.Client) -> dict[str, Any]:
    """Whatever a request could have changed."""
    asked = (
        "users",
        "tokens",
        f"users/{CLIENT}/tokens",
        "plugins",
        "rejected",
        "events",
        "plugins/clock/kv",
        "auth/me",
    )
    return {path: admin.get(f"/api/{path}").json() for path in asked}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_bodies(site: Site, body: bytes) -> None:
    admin = site.signed_in(ADMIN)
    site.know("clock")
    before = state(admin)
    for method, path in targets(site, "POST", "PUT", "PATCH"):
        if path.endswith("/logout"):
            continue  # it takes no body, and would do what it is there for
        url = path.format_map({"name": CLIENT, "plugin_id": "clock", "token_id": "1"})
        answer = admin.request(method, url, content=body, headers={"Content-Type": "application/json"})
        if answer.status_code != 503:  # there is no systemd here
            if method == "PATCH" and body == b"{}":
                continue  # nothing is to be changed, and nothing is
            refused(answer)
    assert state(admin) == before


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd[:12])
def test_names_in_paths(site: Site, odd: str) -> None:
    admin = site.signed_in(ADMIN)
    site.know("clock")
    before = state(admin)
    bodies = {"PATCH": {"disabled": True}, "POST": {"action": "get", "key": "x"}}
    for method, path in targets(site, "GET", "POST", "PATCH", "DELETE"):
        if "{" in path:
            names = dict.fromkeys(("name", "plugin_id", "token_id", "session_id", "invocation_id"), odd)
            url = path.format_map(names)
            refused(admin.request(method, url, json=bodies.get(method)))
    assert state(admin) == before


def test_paths_and_methods_that_are_not_there(site: Site) -> None:
    admin = site.signed_in(ADMIN)
    for method, path, status in (
        ("GET", "/api/nothing", 404),
        ("GET", "/api/users/", 404),
        ("PUT", "/api/users", 405),
        ("PURGE", "/api/users", 405),
    ):
        answer = admin.request(method, path)
        refused(answer)
        assert answer.status_code == status


def test_what_is_no_http_is_refused_in_the_one_shape(site: Site) -> None:
    for said in (b"HELO toru\r\n\r\n", b"BREW /api/users HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"):
        with socket.create_connection(("127.0.0.1", site.port)) as connection:
            connection.settimeout(10)
            connection.sendall(said)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n")
        assert Problem.model_validate_json(body).code == "not-http"


def test_a_method_that_is_not_there_is_told_those_that_are(site: Site) -> None:
    for path, methods in (
        ("/api/users", "GET, POST"),
        ("/api/users/ann", "DELETE, GET, PATCH"),
        ("/api/events", "GET"),
    ):
        answer = site.nobody().put(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


def test_a_body_may_not_be_larger_than_it_may(site: Site) -> None:
    client = site.nobody()
    large = b" " * (MAX_BODY_BYTES + 1)
    answer = client.post("/api/auth/login", content=large)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")

    def piece_by_piece() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1000 + 2):
            yield b" " * 1000

    answer = client.post("/api/auth/login", content=piece_by_piece())
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert client.post("/api/auth/login", content=b" " * MAX_BODY_BYTES).status_code == 400


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\nCookie: session_id=\xff\xfe\r\n",
        b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\nCookie: session_id=" + b"x" * 10_000 + b"\r\n",
        b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\nCookie: ;;;=;session_id\r\n",
        b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\n",
        b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\nAuthorization: \r\n",
        b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YTpi\r\n",
        b"GET /api/auth/me HTTP/1.1\r\n",
        b"GET /api/users/\xff HTTP/1.1\r\nHost: x\r\n",
        b"GET /api/users?\xff HTTP/1.1\r\nHost: x\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nHost: \xff\r\nOrigin: http://\xff\r\nContent-Length: 0\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nContent-Type: text/x; charset=nonsense\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_heads(site: Site, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.settimeout(10)
        connection.sendall(head + (b"" if b"\r\n\r\n" in head else b"\r\n"))
        status = connection.recv(65536).split(b" ")[1]
    assert 400 <= int(status) < 500


def test_names_in_sign_ins_that_the_database_has_no_room_for(site: Site) -> None:
    for name in ("\x00", "a\x00", "🦄", "' OR 1=1 --"):
        answer = site.nobody().post("/api/auth/login", json={"name": name, "password": "x"})
        assert answer.status_code == 401


def test_a_fault_is_told_as_one_and_kept_from_whoever_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    admin = site.signed_in(ADMIN)
    monkeypatch.setattr(site.accounts, "users", fail)
    answer = admin.get("/api/users")
    assert (answer.status_code, answer.json()["code"]) == (500, "fault")
    assert "secret" not in answer.text
    logged = capsys.readouterr().err
    assert answer.json()["facts"]["fault"] in logged
    assert logged.count("ZeroDivisionError: a secret") == 1


def test_the_document_knows_every_error_in_the_one_shape(site: Site) -> None:
    document = site.signed_in(ADMIN).get("/api/openapi.json").json()
    assert site.nobody().get("/api/openapi.json").status_code == 401
    assert "HTTPValidationError" not in json.dumps(document)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            errors = {int(status): answer for status, answer in operation["responses"].items() if int(status) >= 400}
            assert {500} <= set(errors), (method, path)
            for status, answer in errors.items():
                if (path, status) != ("/api/health", 503):
                    assert answer["content"] == {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                    }, (method, path, status)
