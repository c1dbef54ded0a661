"""Requests to http plugins through the core, with systemd around them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests.hosts.host import Host
from tests.system.api import Answer, Api
from tests.system.crowd import Order, asking, refusal
from tests.system.toru import Toru

PERSON, PASSWORD = "wanda", "Correct-Horse-1"


@dataclass(frozen=True)
class Visitor:
    """Somebody who is signed in at the web address, as a client."""

    api: Api
    cookie: str

    def __call__(
        self, path: str, headers: dict[str, str] | None = None, *, method: str = "GET", body: bytes = b""
    ) -> Answer:
        shown = {"Cookie": self.cookie, **(headers or {})}
        return self.api(method, f"/api/plugins/route{path}", headers=shown, body=body)


@pytest.fixture
def visitor(host: Host) -> Iterator[Visitor]:
    host.run("toru", "user", "add", PERSON, input=f"{PASSWORD}\n")
    api = Api.at_web_address(host)
    body = json.dumps({"name": PERSON, "password": PASSWORD}).encode()
    answer = api("POST", "/api/auth/login", headers={"Content-Type": "application/json"}, body=body)
    assert answer.status == 200, answer.body
    yield Visitor(api, answer.headers["set-cookie"].partition(";")[0])
    assert Api(host)("DELETE", f"/api/users/{PERSON}").status < 300


def queued(host: Host, plugin_id: str) -> int:
    """Connections to a plugin's socket that nobody has accepted: the kernel's word."""
    # The seventh column is the path; 02 in the sixth one: not accepted yet (unix_seq_show in the kernel's source).
    lines = [line.split() for line in host.read("/proc/net/unix").splitlines()]
    return sum(line[5] == "02" and line[7:] == [f"/run/toru/plugins/{plugin_id}.sock"] for line in lines)


@pytest.mark.req("PROTO-7", "SUP-1", "OBS-4")
def test_a_sleeping_plugin_is_woken_and_the_first_request_waits_for_it(
    toru: Toru, host: Host, visitor: Visitor
) -> None:
    toru.plant("web", metadata={"start": "on-demand", "route": "/the-web"})
    toru.serve()
    assert toru.pid("web") == 0
    answer = visitor("/the-web/x?y")
    assert answer.status == 200, answer.body
    assert answer.json()["path"] == "/x?y"
    assert answer.json()["pid"] == toru.pid("web") > 0
    figures = Api.at_web_address(host)("GET", "/metrics").body.decode()
    assert 'toru_plugin_cold_starts_total{plugin="web"} 1\n' in figures
    assert 'toru_plugin_requests_total{plugin="web",status="2xx"} 1\n' in figures
    assert 'toru_plugin_requests_in_flight{plugin="web"} 0\n' in figures
    seconds = re.search(r'toru_plugin_cold_start_seconds_total\{plugin="web"\} (\S+)', figures)
    assert seconds
    assert 0 < float(seconds[1]) < 31, "it came before the request's time was up"
    assert 'toru_plugin_request_seconds_count{plugin="web"} 1\n' in figures
    assert 'toru_plugin_request_bytes_total{plugin="web"} 0\n' in figures
    sent = re.search(r'toru_plugin_response_bytes_total\{plugin="web"\} (\d+)', figures)
    assert sent
    assert int(sent[1]) >= len(answer.body)


@pytest.mark.req("ROUTE-2", "LIFE-1", "LIFE-2")
def test_a_route_is_there_from_enable_to_disable(toru: Toru, visitor: Visitor) -> None:
    toru.plant("web")
    toru.serve()
    assert visitor("/web/").status == 200
    toru.disable("web")
    toru.wait_until("the route to be gone", lambda: visitor("/web/").status == 404)
    toru.enable("web")
    toru.wait_until("the route to be there", lambda: visitor("/web/").status == 200)
    assert visitor("/nobody/").status == 404
    assert visitor("/web/../web/").status == 400
    assert visitor("//").status == 400


@pytest.mark.req("PROTO-5", "SUP-2")
def test_during_back_off_nobody_knocks_and_clients_are_told_when_to_come_again(
    toru: Toru, host: Host, visitor: Visitor
) -> None:
    toru.settings("[restart]\nfirst_delay = 300\nmax_delay = 300\n")
    toru.plant("web")
    toru.serve()
    crash = visitor("/web/crash")
    assert (crash.status, crash.json()["code"], crash.json()["facts"]["plugin"]) == (502, "no-answer", "web")
    toru.until_shown("web", state="backing off")
    toru.wait_until("the gateway to know", lambda: visitor("/web/").status == 503)
    answer = visitor("/web/")
    assert answer.status == 503
    assert 100 < int(answer.headers["retry-after"]) <= 300, "the rest of the wait"
    assert "SIGKILL" in answer.json()["detail"]
    assert queued(host, "web") == 0
    toru.ring("web")  # as whoever knocks all the same would, and it would show
    assert queued(host, "web") == 1


@pytest.mark.req("SUP-3", "PROTO-5", "ROUTE-2")
def test_a_plugin_that_fails_too_often_is_unavailable_and_then_gone_for_its_clients(
    toru: Toru, host: Host, visitor: Visitor
) -> None:
    toru.settings("[restart]\nfirst_delay = 0.5\nmax_delay = 0.5\n")
    toru.plant("hopeless", crashes_after=0.2)
    toru.plant("web")
    toru.scan()
    with asking(host, Order("/hopeless/"), crowd=3) as replies:
        toru.wait_until("it to be given up and taken down", lambda: toru.loaded() == {"web"}, 60)
        toru.wait_until("its route to be gone", lambda: visitor("/hopeless/").status == 404)
    assert {404} < {reply.status for reply in replies} <= {200, 404, 502, 503}
    for reply in replies:
        if reply.status >= 500:
            assert refusal(reply)[2] == "hopeless"
        if reply.status == 503 and "started again" in reply.json()["detail"]:
            assert int(reply.headers["retry-after"]) >= 1
    # Whoever connects to a socket starts its plugin: it is the gateway that has kept them from it.
    starts = toru.starts("hopeless")
    assert len(starts) == 10
    assert all(later - sooner >= 0.5 for sooner, later in pairwise(starts))
    answer = visitor("/hopeless/")
    assert (answer.status, answer.json()["code"]) == (404, "unknown-plugin")
    assert len(toru.starts("hopeless")) == 10
    assert visitor("/web/").status == 200


@pytest.mark.req("PROTO-5")
def test_every_error_names_the_plugin_and_is_one_line_in_the_journal(toru: Toru, host: Host, visitor: Visitor) -> None:
    toru.settings("[gateway]\ntimeout = 3\nmax_body = 1000\n[restart]\nfirst_delay = 300\nmax_delay = 300\n")
    toru.plant("web")
    toru.serve()
    errors: Counter[int] = Counter()

    def error(answer: Answer) -> tuple[int, str]:
        said = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert (said["facts"]["plugin"], said["facts"]["name"]) == ("web", "The web")
        errors[answer.status] += 1
        return answer.status, said["code"]

    def works() -> bool:
        answer = visitor("/web/")
        return answer.status == 200 or error(answer) == (0, "")

    host.run("systemctl", "freeze", "toru-plugin-web.service")
    assert error(visitor("/web/")) == (504, "timeout")
    host.run("systemctl", "thaw", "toru-plugin-web.service")
    toru.wait_until("an answer in time", works)
    assert error(visitor("/web/", method="POST", body=b"x" * 1001)) == (413, "too-large")
    assert error(visitor("/web/crash")) == (502, "no-answer")
    toru.until_shown("web", state="backing off")
    assert error(visitor("/web/")) == (503, "unavailable")
    page = visitor("/web/", {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"})
    assert (page.status, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert b"<h1>The web</h1>" in page.body
    errors[503] += 1
    said = toru.journal("TORU_PLUGIN=web", "SYSLOG_IDENTIFIER=toru")
    assert Counter(int(line["MESSAGE"].split(": ")[1]) for line in said) == errors
    assert {line["PRIORITY"] for line in said} == {"4", "6"}
    # Where no plugin is meant, there is none to be named.
    for path, status in {"/nobody/": 404, "/web/../": 400}.items():
        assert visitor(path).status == status
        lines = toru.journal("SYSLOG_IDENTIFIER=toru", "PRIORITY=6")
        assert sum(line["MESSAGE"].startswith(f"gateway: {status}: ") for line in lines) == 1


@pytest.mark.req("PROTO-5", "LIFE-5")
def test_a_plugin_whose_units_ops_have_stopped_is_unavailable(toru: Toru, host: Host, visitor: Visitor) -> None:
    toru.plant("web")
    toru.serve()
    assert visitor("/web/").status == 200
    host.run("systemctl", "stop", "toru-plugin-web.socket", "toru-plugin-web.service")
    toru.wait_until("the gateway to know", lambda: visitor("/web/").status == 503)
    assert "retry-after" not in visitor("/web/").headers
    host.run("toru-admin", "up")
    toru.wait_until("the route to answer", lambda: visitor("/web/").status == 200)


@pytest.mark.req("ROUTE-3", "SEC-5")
def test_nothing_that_opens_a_door_reaches_a_plugin_and_nobody_passes_for_another(toru: Toru, visitor: Visitor) -> None:
    toru.plant("web")
    toru.serve()
    answer = visitor(
        "/web/headers",
        {"Cookie": f"a=1; {visitor.cookie}", "X-Toru-User": "root", "X-Toru-Role": "admin", "X_Toru_Role": "admin"},
    )
    assert answer.status == 200, answer.body
    said = answer.body.decode()
    assert visitor.cookie.partition("=")[2] not in said
    lines = answer.json()
    assert "Cookie: a=1" in lines
    assert [line for line in lines if "oru-User" in line or "ole" in line] == [
        f"X-Toru-User: {PERSON}",
        "X-Toru-Role: client",
    ]
    assert visitor("/web/headers", {"Authorization": "Bearer made-up"}).status == 401


@pytest.mark.req("LIFE-6", "PROTO-7")
def test_a_plugin_that_binds_for_itself_is_rung_for_and_reached_where_it_listens(
    toru: Toru, host: Host, visitor: Visitor
) -> None:
    toru.plant("own", "http_own.py", metadata={"protocol": "http", "activation": "self", "start": "on-demand"})
    toru.serve()
    assert toru.pid("own") == 0
    assert visitor("/own/a").json()["pid"] == toru.pid("own") > 0
    host.run("systemctl", "restart", "toru-plugin-own.service")
    assert visitor("/own/a").json()["pid"] == toru.pid("own")


@pytest.mark.req("PROTO-5")
def test_a_paused_plugin_is_waited_for(toru: Toru, host: Host, visitor: Visitor) -> None:
    toru.settings("[gateway]\ntimeout = 1\n")
    toru.plant("web")
    toru.serve()
    host.run("systemctl", "freeze", "toru-plugin-web.service")
    answer = visitor("/web/")
    assert (answer.status, answer.json()["code"]) == (504, "timeout")
    host.run("systemctl", "thaw", "toru-plugin-web.service")
    toru.wait_until("an answer in time", lambda: visitor("/web/").status == 200)


@pytest.mark.req("ISO-5")
def test_right_after_the_core_has_been_restarted_plugins_are_there(toru: Toru, host: Host, visitor: Visitor) -> None:
    toru.plant("web")
    toru.serve()
    pid = visitor("/web/").json()["pid"]
    for _ in range(3):
        host.run("systemctl", "restart", "toru.service")
        answer = visitor("/web/")
        assert answer.status == 200, answer.body
        assert answer.json()["pid"] == pid
