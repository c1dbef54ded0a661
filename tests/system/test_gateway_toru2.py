"""Requests to a plugin of toru/2 through the whole core, with systemd around it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.crowd import Order, ask, asking, refusal
from tests.system.toru import Toru

pytestmark = pytest.mark.req("PROTO-1", "PROTO-4")

MIB = 1 << 20
PATTERN = bytes(range(256)) * 4096


@pytest.fixture
def two(toru: Toru) -> Toru:
    toru.plant("two", "toru2.py", metadata={"protocol": "toru/2"})
    toru.serve()
    return toru


def connections(host: Host) -> int:
    """To the plugin, by the kernel's word: 03 is connected, and the plugin's end has the socket's path."""
    lines = [line.split() for line in host.read("/proc/net/unix").splitlines()]
    return sum(line[5] == "03" and line[7:] == ["/run/toru/plugins/two.sock"] for line in lines)


@pytest.mark.req("ROUTE-1", "ROUTE-3", "LANG-2")
def test_a_request_reaches_the_plugin_and_its_answer_the_client(two: Toru, host: Host) -> None:
    (reply,) = ask(host, Order("/two/a%2Fb?c=d", "PUT", b"\xff\x00"))
    said = reply.json()
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert (said["method"], said["path"], said["body"]) == ("PUT", "/a%2Fb?c=d", "\xff\x00")
    assert said["pid"] == two.pid("two")
    assert said["headers"]["x-toru-user"] == ["root"]
    assert not {"cookie", "authorization", "connection", "transfer-encoding"} & said["headers"].keys()
    assert two.service("two", "Type")["Type"] == "notify"


def test_fifty_at_once_are_under_way_together_on_few_connections(two: Toru, host: Host) -> None:
    crowd = [Order("/two/together?50") for _ in range(50)]
    assert {reply.status for reply in ask(host, *crowd)} == {200}
    assert 1 <= connections(host) <= 4


@pytest.mark.req("PROTO-5")
@pytest.mark.parametrize("chunked", [False, True])
def test_large_bodies_stream_both_ways_and_the_core_holds_little_of_them(
    two: Toru, host: Host, *, chunked: bool
) -> None:
    core = host.show("toru.service", "MainPID")["MainPID"]

    def most_memory() -> int:
        line = next(line for line in host.read(f"/proc/{core}/status").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    assert ask(host, Order("/two/echo", "POST", b"x"))[0].body == b"x"
    host.run("sh", "-c", f"echo 5 > /proc/{core}/clear_refs")  # what it uses now is the most it has ever used (proc(5))
    before = most_memory()
    size = 128 * MIB
    expected = hashlib.sha256(PATTERN * (size // len(PATTERN))).hexdigest()
    up, down = ask(
        host, Order("/two/count", "POST", length=size, chunked=chunked), Order(f"/two/bytes?{size}"), apart=0.1
    )
    assert up.body == str(size).encode()
    assert (down.length, down.hash) == (size, expected)
    print(f"the core's memory rose by {(most_memory() - before) / MIB:.1f} MiB")
    assert most_memory() - before < 32 * MIB


@pytest.mark.req("SUP-1", "LIFE-6")
def test_a_plugin_that_sleeps_when_idle_is_woken_by_the_next_request(toru: Toru, host: Host) -> None:
    toru.plant("two", "toru2.py", metadata={"protocol": "toru/2", "start": "on-demand"}, sleeps_after=0.3)
    toru.serve()
    processes = set()
    for _ in range(3):
        toru.wait_until("the plugin to sleep", lambda: toru.service("two", "ActiveState")["ActiveState"] == "inactive")
        (reply,) = ask(host, Order("/two/"))
        assert reply.status == 200
        processes.add(reply.json()["pid"])
    assert len(processes) == 3
    assert len(toru.starts("two")) >= 3


@pytest.mark.req("LIFE-6")
def test_restarts_under_load_lose_no_request(two: Toru, host: Host) -> None:
    with asking(host, Order("/two/slow?0.02", "POST", b"x" * 1000), crowd=5) as replies:
        for _ in range(4):
            so_far = len(two.logged("two"))
            # This process has begun some.
            two.wait_until("requests", lambda so_far=so_far: len(two.logged("two")) > so_far + 10)
            host.run("systemctl", "restart", "toru-plugin-two.service")
        two.wait_until("the last process", lambda: sum("serving as" in line for line in two.logged("two")) == 5)
    assert {reply.status for reply in replies} == {200}, [it.body for it in replies if it.status != 200]
    assert len({reply.json()["pid"] for reply in replies}) >= 4
    assert sum("slow 0.02" in line for line in two.logged("two")) == len(replies), "each was begun once"


@pytest.mark.req("PROTO-3", "LIFE-2")
def test_a_stop_waits_for_the_answers_under_way(two: Toru, host: Host) -> None:
    first = two.pid("two")
    with asking(host, Order("/two/slow?1"), crowd=1) as replies:
        two.wait_until("the request to be with the plugin", lambda: "slow 1" in two.logged("two"))
        host.run("systemctl", "restart", "toru-plugin-two.service")
    assert [reply.status for reply in replies] == [200] * len(replies)
    assert replies[0].json()["pid"] == first
    assert two.ends("two") == [], "it ended well"


@pytest.mark.req("PROTO-5")
def test_errors_are_the_same_as_with_every_protocol(two: Toru, host: Host) -> None:
    failed, status, raw = (ask(host, order)[0] for order in (
        Order("/two/fail"), Order("/two/status?99"), Order("/two/raw", "POST", b"HTTP/1.1 200 OK")
    ))  # fmt: skip
    assert refusal(failed) == (502, "no-answer", "two")
    assert refusal(status) == (502, "bad-answer", "two")
    assert refusal(raw) == (502, "bad-answer", "two")
    assert ask(host, Order("/two/crash"))[0].status == 502
    said = [it["MESSAGE"] for it in two.journal("TORU_PLUGIN=two", "SYSLOG_IDENTIFIER=toru")]
    assert any("this went wrong" in line for line in said)
    assert any("broke its protocol, toru/2: a frame of kind 72" in line for line in said)
    two.wait_until("the next process to answer", lambda: ask(host, Order("/two/"))[0].status == 200)


@pytest.mark.req("PROTO-5")
def test_a_plugin_that_takes_too_long_is_a_504_and_hears_of_it(toru: Toru, host: Host) -> None:
    toru.plant("two", "toru2.py", metadata={"protocol": "toru/2", "timeout": 1})
    toru.serve()
    (slow,) = ask(host, Order("/two/slow?100"))
    assert refusal(slow) == (504, "timeout", "two")
    toru.wait_until("the cancel", lambda: "cancelled GET /slow?100" in toru.logged("two"))
    toru.wait_until("an answer in time", lambda: ask(host, Order("/two/"))[0].status == 200)


@pytest.mark.req("PROTO-5")
def test_an_answer_that_breaks_off_is_no_whole_answer(two: Toru, host: Host) -> None:
    (reply,) = ask(host, Order("/two/fail_late"))
    assert reply.status == 0 or b"IncompleteRead" in reply.body


# Pushes.


@pytest.fixture
def carl(host: Host) -> Iterator[dict[str, str]]:
    """The cookie of somebody who may see the plugin `other` alone."""
    name, password = "carl", "Correct-Horse-1"
    host.run("toru", "user", "add", name, input=f"{password}\n")
    api, headers = Api(host), {"Content-Type": "application/json"}
    grants = json.dumps({"plugins": ["other"]}).encode()
    assert api("PATCH", f"/api/users/{name}", headers=headers, body=grants).status == 200
    body = json.dumps({"name": name, "password": password}).encode()
    answer = Api.at_web_address(host)("POST", "/api/auth/login", headers=headers, body=body)
    yield {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    assert api("DELETE", f"/api/users/{name}").status < 300


@pytest.mark.req("UI-6", "SEC-1")
def test_a_push_reaches_who_may_see_the_plugin_and_nobody_else(toru: Toru, host: Host, carl: dict[str, str]) -> None:
    for plugin_id in ("two", "other"):
        toru.plant(plugin_id, "toru2.py", metadata={"protocol": "toru/2"})
    toru.serve()
    web = Api.at_web_address(host)
    with Api(host).stream("/api/stream") as root, web.stream("/api/stream", carl) as of_carl:
        root.first("hello")
        of_carl.first("hello")
        for plugin_id in ("two", "other"):
            assert ask(host, Order(f"/{plugin_id}/push?2"))[0].status == 204
        expected = [
            {"id": plugin_id, "name": "tick", "data": {"number": number, "text": "<script>\n\u2028"}, "dropped": 0}
            for plugin_id in ("two", "other")
            for number in range(2)
        ]
        assert [root.first("push").data for _ in expected] == expected
        assert [of_carl.first("push").data for _ in range(2)] == expected[2:]


@pytest.mark.req("UI-6")
def test_a_plugin_pushes_when_nobody_has_asked_it_yet(toru: Toru, host: Host) -> None:
    with Api(host).stream("/api/stream") as stream:
        stream.first("hello")
        toru.plant("two", "toru2.py", metadata={"protocol": "toru/2"}, pushes_at_start=1)
        toru.serve()
        assert stream.first("push", id="two").data["name"] == "start"
