"""What a client and a plugin see of each other."""

from __future__ import annotations

import json
import select
import socket
from typing import Any

import pytest

from tests.gateway import programs
from tests.gateway.server import Door, read_all, small, status_of
from tests.web.server import CLIENT
from toru.domain.ids import PluginId
from toru.domain.people import Role, Scope, UserName
from toru.domain.policy import Policy
from toru.gateway import patience
from toru.gateway.targets import Availability


def told(answer: bytes) -> Any:
    assert status_of(answer) == 200, answer
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def headers(answer: bytes) -> dict[str, str]:
    return {name.lower(): value for name, value in told(answer)["headers"]}


@pytest.mark.req("ROUTE-3", "SEC-5")
def test_a_plugin_learns_who_asks_and_nothing_that_would_open_a_door(tells: Door) -> None:
    lines = (
        "X-Toru-User: root",
        "x-toru-role: admin",
        "X_Toru_User: root",
        "X-Toru-Anything: 1",
        "X-Forwarded-For: 10.0.0.1",
        "X-Forwarded-User: root",
        "Forwarded: for=10.0.0.1",
        "X-Real-IP: 10.0.0.1",
        "Proxy: http://elsewhere/",
        "X-Own: 1",
    )
    cookie = tells.cookie(CLIENT)
    seen = told(tells.ask("/api/plugins/route/say/", *lines, cookie=f"a=1; {cookie}; b=2"))["headers"]
    assert ["Cookie", "a=1; b=2"] in seen
    assert ["X-Own", "1"] in seen
    ours = {name.lower(): value for name, value in seen if name.lower().startswith("x-")}
    assert ours.pop("x-toru-request-id")
    assert ours == {
        "x-own": "1",
        "x-toru-user": CLIENT,
        "x-toru-role": "client",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "toru",
        "x-forwarded-prefix": "/api/plugins/route/say",
    }
    assert not {"forwarded", "proxy", "authorization"} & {name.lower() for name, _ in seen}
    assert "session_id" not in json.dumps(seen)
    assert len([name for name, _ in seen if "toru" in name.lower()]) == 3


def test_every_request_has_an_id_of_its_own(tells: Door) -> None:
    cookie = tells.cookie()
    ids = {headers(tells.ask("/api/plugins/route/say/", cookie=cookie))["x-toru-request-id"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.req("ROUTE-1")
@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("say", "/"),
        ("say/", "/"),
        ("say?a=b", "/?a=b"),
        ("say/a%20b/%C3%A9?x=%2F&y", "/a%20b/%C3%A9?x=%2F&y"),
        ("tells/by/id", "/by/id"),
        ("%73ay/x", "/x"),
    ],
)
def test_what_is_behind_the_route_reaches_the_plugin_as_it_was_sent(tells: Door, asked: str, target: str) -> None:
    assert told(tells.ask(f"/api/plugins/route/{asked}"))["target"] == target


@pytest.mark.req("ROUTE-2")
@pytest.mark.parametrize(
    ("asked", "status"),
    [("", 400), ("/x", 400), ("a%2Fb/", 400), ("say/../x", 400), ("say/%2e%2E", 400), ("nobody/", 404), ("SAY/", 404)],
)
def test_a_path_to_no_plugin_is_refused(tells: Door, asked: str, status: int) -> None:
    assert status_of(tells.ask(f"/api/plugins/route/{asked}")) == status


@pytest.mark.req("SEC-1")
def test_who_is_nobody_gets_nowhere(tells: Door) -> None:
    assert status_of(tells.ask("/api/plugins/route/say/", cookie="")) == 401
    assert status_of(tells.ask("/api/plugins/route/nobody/", cookie="")) == 401
    assert status_of(tells.ask("/api/plugins/route/say/", cookie="session_id=made-up")) == 401
    # A token that is worth nothing isn't made up for by a cookie.
    assert status_of(tells.ask("/api/plugins/route/say/", "Authorization: Bearer no")) == 401


@pytest.mark.req("SEC-2")
def test_who_is_signed_out_is_out_at_once_on_the_same_connection_too(tells: Door) -> None:
    cookie = tells.cookie()
    with tells.connect() as connection:
        request = f"GET /api/plugins/route/say/ HTTP/1.1\r\nHost: toru\r\nCookie: {cookie}\r\n\r\n".encode()
        for _ in range(3):
            connection.sendall(request)
            assert status_of(connection.recv(65536)) == 200
        assert status_of(tells.ask("/api/auth/logout", method="POST", cookie=cookie)) < 300
        connection.sendall(request)
        assert status_of(connection.recv(65536)) == 401


@pytest.mark.req("SEC-2")
def test_a_user_who_is_disabled_is_out_at_once(tells: Door) -> None:
    cookie = tells.cookie(CLIENT)
    assert status_of(tells.ask("/api/plugins/route/say/", cookie=cookie)) == 200
    disable = tells.ask(
        f"/api/users/{CLIENT}", "Content-Type: application/json", method="PATCH", body='{"disabled": true}'
    )
    assert status_of(disable) == 200, disable
    assert status_of(tells.ask("/api/plugins/route/say/", cookie=cookie)) == 401


@pytest.mark.req("SEC-1")
def test_tokens_are_good_for_what_they_say(tells: Door) -> None:
    def token(*scopes: Scope) -> str:
        work = tells.site.accounts.issue_token(UserName(CLIENT), f"for {scopes}", frozenset(scopes), None)
        made: str = tells.site.do(work)[0]
        return f"Authorization: Bearer {made}"

    plugins_own = tells.site.tokens / "tells"
    plugins_own.write_text("the plugin's own")
    ask = tells.ask("/api/plugins/route/say/", token(Scope.USE), cookie="a=b")
    assert headers(ask)["x-toru-user"] == CLIENT
    assert "authorization" not in headers(ask)
    assert status_of(tells.ask("/api/plugins/route/say/", token(Scope.MANAGE), cookie="")) == 403
    assert status_of(tells.ask("/api/plugins/route/say/", "Authorization: Bearer the plugin's own", cookie="")) == 403


@pytest.mark.req("ROUTE-2")
def test_for_whom_a_plugin_was_not_granted_it_does_not_exist(tells: Door) -> None:
    tells.site.add_user("gina", Role.CLIENT, grants=[PluginId("another")])
    tells.site.add_user("gus", Role.CLIENT, grants=[PluginId("tells")])
    assert status_of(tells.ask("/api/plugins/route/say/", cookie=tells.cookie("gina"))) == 404
    assert status_of(tells.ask("/api/plugins/route/say/", cookie=tells.cookie("gus"))) == 200


@pytest.mark.req("SEC-5")
def test_another_sites_page_changes_nothing_and_opens_no_websocket(tells: Door) -> None:
    target = "/api/plugins/route/say/"
    assert status_of(tells.ask(target, "Sec-Fetch-Site: cross-site", method="POST")) == 403
    assert status_of(tells.ask(target, "Origin: https://elsewhere", method="POST")) == 403
    assert status_of(tells.ask(target, "Origin: http://toru", method="POST")) == 200
    assert status_of(tells.ask(target, "Origin: https://elsewhere")) == 200
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x")
    assert status_of(tells.ask(target, *upgrade, "Origin: https://elsewhere")) == 403
    assert status_of(tells.ask(target, *upgrade, "Origin: http://toru")) == 200  # this plugin has none


@pytest.mark.req("ROUTE-3")
@pytest.mark.parametrize("policy", [Policy(trusted_proxies=("127.0.0.0/8",))])
def test_a_trusted_proxys_word_counts(tells: Door) -> None:
    lines = ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: example.org")
    seen = headers(tells.ask("/api/plugins/route/say/", *lines))
    assert seen["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"
    assert seen["x-forwarded-proto"] == "https"
    assert seen["x-forwarded-host"] == "example.org"


@pytest.mark.req("ROUTE-3")
def test_root_at_the_local_socket_is_an_admin(tells: Door) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(tells.api_socket))
        connection.sendall(b"GET /api/plugins/route/say/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        seen = headers(read_all(connection))
    assert (seen["x-toru-user"], seen["x-toru-role"]) == ("root", "admin")
    assert "x-forwarded-for" not in seen


def test_requests_to_plugins_and_to_the_api_may_follow_each_other_in_one_packet(tells: Door) -> None:
    shown = f"Host: toru\r\nCookie: {tells.cookie()}\r\n"
    plugin = f"GET /api/plugins/route/say/{{}} HTTP/1.1\r\n{shown}\r\n"
    api = f"GET /api/auth/me HTTP/1.1\r\n{shown}\r\n"
    post = f"POST /api/plugins/route/say/3 HTTP/1.1\r\n{shown}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    last = f"GET /api/health HTTP/1.1\r\n{shown}Connection: close\r\n\r\n"
    answers = tells.say(plugin.format(1) + api + plugin.format(2) + api + post + last)
    order = [marker for marker in answers.decode().split('"') if marker in {"/1", "/2", "/3", "role", "status"}]
    assert order[:5] == ["/1", "role", "/2", "role", "/3"]
    assert answers.count(b"HTTP/1.1 200 OK") == 5  # and 503 of /api/health: there is no systemd here


@pytest.mark.req("ROUTE-1")
def test_a_body_that_comes_after_its_head_is_no_other_request(tells: Door) -> None:
    target = "/api/plugins/route/say/"
    shown = f"Host: toru\r\nCookie: {tells.cookie()}\r\n"
    body = f"GET {target}smuggled HTTP/1.1\r\n{shown}\r\n"
    head = f"POST {target} HTTP/1.1\r\n{shown}Content-Length: {len(body)}\r\n\r\n".encode()
    with tells.connect() as connection:
        for _ in range(4):  # the same head again and again, alone in its packet
            connection.sendall(head)
            while tells.do(lambda: tells.figures("tells").in_flight) != 1:
                pass
            connection.sendall(body.encode())
            assert told(connection.recv(65536))["body"] == body


@pytest.mark.req("PROTO-7")
def test_events_arrive_one_by_one_and_the_plugin_learns_that_a_client_has_left(tells: Door) -> None:
    cookie = tells.cookie()
    with tells.connect() as connection:
        connection.sendall(
            f"GET /api/plugins/route/say/until-gone HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        received = b""
        while b"data: 1\n\n" not in received:
            received += connection.recv(65536)  # the plugin says nothing more while we are here
    assert status_of(tells.ask("/api/plugins/route/say/gone", cookie=cookie)) == 200
    assert tells.figures("tells").in_flight == 0


@pytest.mark.req("PROTO-5")
def test_a_plugin_that_does_not_answer_in_time_is_let_go(door: Door) -> None:
    door.plugin("tells", programs.TELLS, timeout=0.3)
    answer = door.ask("/api/plugins/route/tells/hold/x")
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert status_of(answer) == 504
    assert problem["code"] == "timeout"
    assert problem["facts"] == {"plugin": "tells", "name": "The tells", "timeout_seconds": 0.3}
    assert door.figures("tells").by_class[5] == 1
    door.see("tells", timeout=30)
    assert status_of(door.ask("/api/plugins/route/tells/release/x")) == 200


@pytest.mark.req("PROTO-5", "ROUTE-2")
def test_nobody_knocks_at_a_plugin_that_is_down(door: Door) -> None:
    door.plugin("counts", programs.COUNTS_CONNECTIONS)
    assert door.ask("/api/plugins/route/counts/").endswith(b" 1")
    cookie = door.cookie()
    door.see("counts", availability=Availability.BACKING_OFF, reason="it was killed by SIGKILL", retry_at=4e9)
    answer = door.ask("/api/plugins/route/counts/", cookie=cookie)
    assert status_of(answer) == 503
    assert int(answer.lower().partition(b"retry-after: ")[2].split()[0]) > 1000
    assert b"it was killed by SIGKILL" in answer
    door.see("counts", availability=Availability.DOWN, reason=None, retry_at=None)
    assert status_of(door.ask("/api/plugins/route/counts/", cookie=cookie)) == 503
    door.see("counts", availability=Availability.OFF)
    assert status_of(door.ask("/api/plugins/route/counts/", cookie=cookie)) == 404
    door.see("counts", availability=Availability.RUNNING)
    assert door.ask("/api/plugins/route/counts/", cookie=cookie).endswith(b" 2")


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was kept is there for the next request, and whoever closes it then does so soon enough."""
    monkeypatch.setattr("toru.gateway.http1.way.IDLE_SECONDS", 300.0)
    monkeypatch.setattr("toru.gateway.http1.connection._CROSSED_WITHIN", 300.0)


@pytest.mark.req("LIFE-6")
@pytest.mark.usefixtures("kept")
def test_a_request_that_a_plugin_has_not_read_on_a_kept_connection_is_sent_again(door: Door) -> None:
    door.plugin("forgetful", programs.FORGETFUL)
    cookie = door.cookie()
    assert door.ask("/api/plugins/route/forgetful/", cookie=cookie).endswith(b"first")
    answer = door.ask("/api/plugins/route/forgetful/", body="x" * 10, cookie=cookie)
    assert answer.endswith(b"second")


@pytest.mark.req("LIFE-6")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_a_plugin_has_not_read_is_sent_again(door: Door, method: str) -> None:
    door.plugin("never-reads", programs.NEVER_READS)
    answer = door.ask("/api/plugins/route/never-reads/", method=method, body="x" * 10, cookie=door.cookie())
    assert answer.endswith(b"second")


@pytest.mark.req("LIFE-6")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.usefixtures("kept")
def test_a_request_that_crosses_the_end_of_a_kept_connection_is_answered(door: Door, method: str) -> None:
    door.plugin("crosses", programs.CROSSES)
    cookie = door.cookie()
    assert door.ask("/api/plugins/route/crosses/", cookie=cookie).endswith(b" 1")
    assert door.ask("/api/plugins/route/crosses/", method=method, cookie=cookie).endswith(b" 2")


@pytest.mark.req("PROTO-5")
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_request_that_a_plugin_has_read_and_may_have_acted_on_is_sent_once(door: Door, method: str) -> None:
    door.plugin("closes", programs.READS_AND_CLOSES)
    cookie = door.cookie()
    assert status_of(door.ask("/api/plugins/route/closes/first", cookie=cookie)) == 200
    assert status_of(door.ask("/api/plugins/route/closes/", method=method, cookie=cookie)) == 502
    assert door.ask("/api/plugins/route/closes/count", cookie=cookie).endswith(b" 3")


@pytest.mark.req("PROTO-5")
@pytest.mark.usefixtures("kept")
def test_a_request_that_a_plugin_never_answers_is_sent_no_more_than_twice(door: Door) -> None:
    door.plugin("closes", programs.READS_AND_CLOSES)
    cookie = door.cookie()
    assert status_of(door.ask("/api/plugins/route/closes/first", cookie=cookie)) == 200
    assert status_of(door.ask("/api/plugins/route/closes/", cookie=cookie)) == 502
    assert door.ask("/api/plugins/route/closes/count", cookie=cookie).endswith(b" 4")


AS_A_PAGE = {
    "browsers that navigate": (("Sec-Fetch-Mode: navigate", "Accept: text/html"), True),
    "old browsers": (("Accept: text/html,application/xhtml+xml",), True),
    "scripts of pages": (("Sec-Fetch-Mode: cors", "Accept: text/html"), False),
    "programs": (("Accept: */*",), False),
    "programs that want nothing": ((), False),
}


@pytest.mark.req("PROTO-5", "SEC-5")
@pytest.mark.parametrize(("lines", "is_page"), AS_A_PAGE.values(), ids=AS_A_PAGE.keys())
def test_people_are_shown_a_page_and_programs_are_told_a_problem(
    door: Door, lines: tuple[str, ...], *, is_page: bool
) -> None:
    door.plugin("down", programs.TELLS)
    evil = "it said <script>alert(1)</script>"
    door.see("down", availability=Availability.DOWN, reason=evil, name="<b>Name</b>")
    answer = door.ask("/api/plugins/route/down/", *lines)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status_of(answer) == 503
    if is_page:
        assert b"Content-Type: text/html; charset=utf-8" in head
        assert b"Content-Security-Policy: default-src 'none'" in head
        assert b"&lt;script&gt;" in body
        assert b"&lt;b&gt;Name" in body
        assert b"<script>" not in body
        assert b"<b>" not in body
    else:
        problem = json.loads(body)
        assert (problem["code"], problem["facts"]["plugin"]) == ("unavailable", "down")


def test_every_error_has_a_page_of_its_own(door: Door) -> None:
    door.plugin("closes", programs.READS_AND_CLOSES, max_body=100)
    door.plugin("tells", programs.TELLS, timeout=0.1)
    expected = {"closes/": 502, "nobody/": 404, "closes/%2e%2e/": 400, "tells/hold/x": 504}
    for path, status in expected.items():
        answer = door.ask(f"/api/plugins/route/{path}", "Sec-Fetch-Mode: navigate")
        assert status_of(answer) == status
        assert f"<title>{status} ".encode() in answer
    too_large = door.ask("/api/plugins/route/closes/", "Sec-Fetch-Mode: navigate", method="POST", body="x" * 101)
    assert b"<title>413 " in too_large


@pytest.mark.req("OBS-4")
def test_requests_are_counted(tells: Door) -> None:
    cookie = tells.cookie()
    for _ in range(3):
        tells.ask("/api/plugins/route/say/", cookie=cookie)
    tells.ask("/api/plugins/route/say/", method="POST", body="12345", cookie=cookie)
    figures = tells.figures("tells")
    assert (figures.by_class[2], figures.bytes_in, figures.in_flight, sum(figures.histogram)) == (4, 5, 0, 4)
    assert figures.bytes_out > 4 * 100
    assert 0 < figures.seconds < 40


class TestLimits:
    @pytest.mark.req("ROUTE-4")
    @pytest.mark.parametrize("policy", [small(max_waiting=3)])
    def test_a_bounded_number_waits_and_callers_take_turns(self, door: Door) -> None:
        door.plugin("tells", programs.TELLS, max_concurrent=1)
        first, other = door.cookie(), door.cookie(CLIENT)

        def ask(what: str, cookie: str) -> socket.socket:
            connection = door.connect()
            request = f"GET /api/plugins/route/tells/{what} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n"
            connection.sendall(request.encode())
            return connection

        def waiting() -> int:
            lane = door.gateway._lanes[PluginId("tells")]
            return len(lane._waiting)

        def wait_for(number: int) -> None:
            while door.do(waiting) != number:
                pass

        with ask("hold/a", first) as holder:
            while door.do(lambda: door.figures("tells").in_flight) != 1:
                pass
            queue = []
            for place, cookie in enumerate([first, first, other], start=1):
                queue.append(ask(f"hold/{place}", cookie))
                wait_for(place)
            refused = door.ask("/api/plugins/route/tells/", cookie=other)
            assert status_of(refused) == 503
            assert b"retry-after: 1\r\n" in refused.lower()
            holder.close()  # whoever leaves makes room
            wait_for(2)
            # The first one's next, then the other one's, though that came last.
            order = []
            for number in ("1", "3", "2"):
                with socket.socket(socket.AF_UNIX) as plugin:
                    plugin.connect(door.targets["tells"].socket_path)
                    plugin.sendall(f"GET /held/{number} HTTP/1.1\r\n\r\n".encode())
                    order.append(json.loads(plugin.recv(65536).partition(b"\r\n\r\n")[2])["target"])
                    plugin.sendall(f"GET /release/{number} HTTP/1.1\r\n\r\n".encode())
                    plugin.recv(65536)
            for connection in queue:
                assert status_of(connection.recv(65536)) == 200
                connection.close()

    @pytest.mark.parametrize("policy", [small(max_waiting=10)])
    def test_who_waits_in_vain_is_told_so(self, door: Door) -> None:
        door.plugin("tells", programs.TELLS, max_concurrent=1)
        cookie = door.cookie()
        with door.connect() as holder:
            request = f"GET /api/plugins/route/tells/until-gone HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n"
            holder.sendall(request.encode())
            holder.recv(10)
            door.see("tells", timeout=0.2)
            assert status_of(door.ask("/api/plugins/route/tells/", cookie=cookie)) == 503

    def test_a_body_has_a_largest_size(self, door: Door) -> None:
        door.plugin("tells", programs.TELLS, max_body=1000)
        cookie = door.cookie()
        target = "/api/plugins/route/tells/"
        assert status_of(door.ask(target, method="POST", body="x" * 1000, cookie=cookie)) == 200
        announced = door.ask(target, "Content-Length: 1001", method="POST", cookie=cookie)
        assert status_of(announced) == 413
        assert json.loads(announced.partition(b"\r\n\r\n")[2])["facts"]["max_body_bytes"] == 1000
        head = f"POST {target} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert status_of(door.say(head, *[f"64\r\n{'x' * 100}\r\n"] * 11)) == 413


class TestPatience:
    def test_a_head_has_to_come_in_time(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(patience, "HEAD_SECONDS", 0.2)
        assert status_of(door.say("GET / HTTP/1.1\r\nHost")) == 408

    def test_a_body_has_to_come_in_time(self, tells: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        head = f"POST /api/plugins/route/say/ HTTP/1.1\r\nHost: x\r\nCookie: {tells.cookie()}\r\n"
        monkeypatch.setattr(patience, "BODY_SECONDS", 0.2)
        assert status_of(tells.say(f"{head}Content-Length: 10\r\n\r\nx")) == 408
        assert tells.figures("tells").in_flight == 0

    def test_a_body_that_trickles_is_too_slow_in_the_end(self, tells: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        head = f"POST /api/plugins/route/say/ HTTP/1.1\r\nHost: x\r\nCookie: {tells.cookie()}\r\n"
        monkeypatch.setattr(patience, "BODY_SECONDS", 0.5)
        with tells.connect() as connection:
            connection.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode())
            while not select.select([connection], [], [], 0.05)[0]:
                connection.sendall(b"x")
            assert status_of(connection.recv(65536)) == 408
        assert tells.figures("tells").in_flight == 0

    def test_a_connection_that_nobody_uses_is_closed(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        with door.connect() as used, door.connect() as unused:
            used.sendall(b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status_of(used.recv(65536)) == 401
            monkeypatch.setattr(patience, "IDLE_SECONDS", 0.2)
            assert (read_all(used).count(b"HTTP/1.1"), read_all(unused)) == (0, b"")

    @pytest.mark.req("ROUTE-4")
    def test_who_does_not_read_holds_back_the_plugin_and_is_cut_off(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(patience, "READ_SECONDS", 0.5)
        door.plugin("pours", programs.POURS)
        cookie = door.cookie()
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            connection.connect(("127.0.0.1", door.port))
            request = f"GET /api/plugins/route/pours/ HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n"
            connection.sendall(request.encode())
            connection.recv(10)
            poured = door.ask("/api/plugins/route/pours/", cookie=cookie)  # answered when the first one was let go
            # What the kernel holds on both sides, and a part in between.
            assert int(poured.partition(b"\r\n\r\n")[2]) < 16 << 20
        assert door.figures("pours").in_flight == 0


class TestStop:
    @pytest.mark.req("ISO-5")
    def test_what_is_on_its_way_when_the_core_stops_is_answered(
        self, tells: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(patience, "LAME_DUCK_SECONDS", 30.0)
        cookie = tells.cookie()
        with tells.connect() as idle, tells.connect() as busy:
            request = "GET /api/plugins/route/say/{} HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n"
            idle.sendall(request.format("", cookie).encode())
            assert status_of(idle.recv(65536)) == 200
            busy.sendall(request.format("hold/x", cookie).encode())
            while tells.do(lambda: tells.figures("tells").in_flight) != 1:
                pass
            tells.stop()
            idle.sendall(request.format("release/x", cookie).encode())
            for connection in (idle, busy):
                answer = read_all(connection)
                assert status_of(answer) == 200
                assert b"\r\nConnection: close\r\n" in answer

    @pytest.mark.req("ISO-5")
    def test_who_has_the_head_of_an_answer_when_the_core_stops_may_ask_once_more(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(patience, "LAME_DUCK_SECONDS", 30.0)
        door.plugin("pieces", programs.PIECES)
        request = "GET /api/plugins/route/pieces/{} HTTP/1.1\r\nHost: x\r\nCookie: " + door.cookie() + "\r\n\r\n"
        with door.connect() as reading, door.connect() as other:
            reading.sendall(request.format("pieces").encode())
            answer = reading.recv(65536)
            door.stop()
            other.sendall(request.format("last").encode())
            while not answer.endswith(b"\r\n0\r\n\r\n"):
                part = reading.recv(65536)
                assert part
                answer += part
            assert b"\r\nConnection: close\r\n" not in answer
            reading.sendall(request.format("").encode())
            assert b"\r\nConnection: close\r\n" in read_all(reading)

    def test_a_stop_waits_for_nobody_who_is_idle(self, tells: Door) -> None:
        with tells.connect() as used, tells.connect() as unused:
            used.sendall(b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status_of(used.recv(65536)) == 401
            tells.stop()
            assert (read_all(used).count(b"HTTP/1.1"), read_all(unused)) == (0, b"")

    def test_a_stop_waits_for_no_stream(self, tells: Door) -> None:
        with tells.connect() as stream:
            request = "GET /api/plugins/route/say/until-gone HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n"
            stream.sendall(request.format(tells.cookie()).encode())
            stream.recv(10)
            tells.stop()
            assert not read_all(stream).endswith(b"0\r\n\r\n")  # cut off, and one can tell
