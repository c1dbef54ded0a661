"""A plugin on the Rust SDK, with systemd and the whole core around it."""

from __future__ import annotations

import hashlib
import json
import subprocess

import pytest

from tests.hosts.host import Host
from tests.sdk.rust.conftest import Paces
from tests.system.api import Api
from tests.system.crowd import Order, ask, asking, refusal
from tests.system.toru import PROCESS_EXITED, Toru

# The first of them builds the plugin.
pytestmark = [pytest.mark.req("LANG-1"), pytest.mark.timeout(1200)]

MIB = 1 << 20
PATTERN = bytes(range(256)) * 4096

# Asks for a path, says what came as it comes, and leaves when it is ended.
LISTENER = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("/run/toru/api.sock")
lines = [f"GET /api/plugins/route{sys.argv[1]} HTTP/1.1", "Host: toru", "Connection: close", "", ""]
connection.sendall("\\r\\n".join(lines).encode())
while part := connection.recv(65536):
    sys.stdout.write(part.decode())
    sys.stdout.flush()
"""


def listener(host: Host, path: str) -> subprocess.Popen[str]:
    return host.popen("python3", "-c", LISTENER, path, stdout=subprocess.PIPE)


def heard(process: subprocess.Popen[str], line: str) -> None:
    """Returns when it came."""
    assert process.stdout is not None
    assert any(line in it for it in process.stdout), f"the answer ended without {line}"


@pytest.fixture
def paces(paces_plugin: Paces, toru: Toru) -> Toru:
    paces_plugin.plant("paces")
    return toru


@pytest.mark.req("PROTO-2", "ROUTE-1", "META-1")
def test_a_request_reaches_the_plugin_after_its_init_and_the_answer_the_client(paces: Toru, host: Host) -> None:
    text, binary = ask(host, Order("/paces/a%2Fb?c=d", "PUT", b"words"), Order("/paces/", "POST", b"\xff\x00"))
    said = {"pid": paces.pid("paces"), "user": "root"}
    assert (text.status, text.headers["content-type"]) == (201, "application/json")
    assert text.json() == said | {"method": "PUT", "path": "/a%2Fb?c=d", "body": "words", "bytes": None}
    assert binary.json() == said | {"method": "POST", "path": "/", "body": None, "bytes": [255, 0]}
    assert paces.service("paces", "Type")["Type"] == "notify"
    assert paces.logged("paces") == [f"init {host.read('/var/lib/toru/instance-id').strip()}"]


@pytest.mark.req("PROTO-4")
def test_many_requests_are_under_way_at_once(paces: Toru, host: Host) -> None:
    # Each is answered when twenty are there.
    assert {reply.status for reply in ask(host, *[Order("/paces/together")] * 40)} == {204}


@pytest.mark.req("PROTO-4")
def test_large_bodies_stream_both_ways_and_the_plugin_holds_little_of_them(paces: Toru, host: Host) -> None:
    size = 64 * MIB
    expected = hashlib.sha256(PATTERN * (size // len(PATTERN))).hexdigest()
    up, down, echo = ask(
        host, Order("/paces/count", "POST", length=size), Order(f"/paces/bytes?{size}"),
        Order("/paces/echo", "POST", length=100_000, chunked=True),
    )  # fmt: skip
    assert (up.body, down.length, down.hash) == (str(size).encode(), size, expected)
    assert echo.hash == hashlib.sha256(PATTERN[:100_000]).hexdigest()
    status = host.read(f"/proc/{paces.pid('paces')}/status")
    most = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    print(f"the plugin used {most / 1024:.1f} MiB at most")
    assert most * 1024 < 32 * MIB


@pytest.mark.req("PROTO-5", "OBS-1")
def test_a_handler_that_fails_is_a_502_with_a_line_in_the_log_and_the_plugin_goes_on(paces: Toru, host: Host) -> None:
    first = paces.pid("paces")
    for path in ("fail", "panic"):
        assert refusal(ask(host, Order(f"/paces/{path}"))[0]) == (502, "no-answer", "paces")
    (late,) = ask(host, Order("/paces/fail-late"))
    assert late.status == 0 or b"IncompleteRead" in late.body
    assert ask(host, Order("/paces/early", "POST", length=4 * MIB))[0].body == b"no"
    assert (ask(host, Order("/paces/"))[0].status, paces.pid("paces")) == (201, first)
    entries = paces.journal("_SYSTEMD_UNIT=toru-plugin-paces.service", "PRIORITY=3")
    assert [it["MESSAGE"] for it in entries] == [f"GET /{path}: this went wrong" for path in ("fail", "fail-late")]


@pytest.mark.req("PROTO-4")
def test_what_nobody_wants_any_more_is_given_up(paces: Toru, host: Host) -> None:
    with listener(host, "/paces/drip") as client:
        heard(client, "drip")
        client.terminate()
    paces.wait_until("the end of the drip", lambda: "the drip is over" in paces.logged("paces"))


@pytest.mark.req("UI-6")
def test_a_push_reaches_the_open_views(paces: Toru, host: Host) -> None:
    with Api(host).stream("/api/stream") as stream:
        stream.first("hello")
        assert ask(host, Order("/paces/push?2"))[0].status == 204
        pushed = [stream.first("push").data for _ in range(2)]
    expected = {"id": "paces", "name": "tick", "dropped": 0}
    assert pushed == [expected | {"data": {"number": number}} for number in range(2)]


@pytest.mark.req("KV-1", "KV-2", "KV-3", "KV-4")
def test_the_plugin_keeps_values_in_its_storage(paces: Toru, host: Host) -> None:
    (reply,) = ask(host, Order("/paces/storage"))
    said = reply.json()
    assert said["seen"].pop("too large").endswith("(413)")
    assert said == {
        "seen": {
            "text": "hello", "number": 7, "as text": "7", "keys": ["a/b", "number", "text"], "temporary": True,
            "wrong type": True,
        },
        "after delete": None,
    }  # fmt: skip
    body = json.dumps({"action": "get", "key": "number"}).encode()
    headers = {"Content-Type": "application/json"}
    assert Api(host)("POST", "/api/plugins/paces/kv", headers=headers, body=body).json() == {"value": 7}


# Its life.


@pytest.mark.req("SUP-2", "ISO-2")
def test_a_plugin_that_is_killed_is_back_and_so_is_one_that_aborts(paces: Toru, host: Host) -> None:
    for number in (1, 2):
        before = paces.pid("paces")
        if number == 1:
            host.run("kill", "-9", str(before))
        else:
            assert ask(host, Order("/paces/crash"))[0].status == 502
        paces.wait_until("the restart", lambda before=before: paces.pid("paces") not in {0, before})
        paces.wait_until("an answer", lambda: ask(host, Order("/paces/"))[0].status == 201)
        assert len(paces.ends("paces")) == number


@pytest.mark.req("SUP-2", "SUP-5", "PROTO-2")
def test_a_plugin_whose_init_fails_has_failed_and_says_why(paces_plugin: Paces, toru: Toru) -> None:
    paces_plugin.plant("broken")
    toru.until_shown("broken", health="unhealthy")
    assert "this plugin never starts" in toru.logged("broken")
    ends = toru.journal("UNIT=toru-plugin-broken.service", f"MESSAGE_ID={PROCESS_EXITED}")
    assert {end["EXIT_STATUS"] for end in ends} == {"1"}


@pytest.mark.req("SUP-6")
def test_a_plugin_that_is_stuck_is_started_again_and_one_that_works_is_not(
    paces_plugin: Paces, toru: Toru, host: Host
) -> None:
    paces_plugin.plant("watched")

    def pinged() -> int:
        return int(toru.service("watched", "WatchdogTimestampMonotonic")["WatchdogTimestampMonotonic"])

    first, started = toru.pid("watched"), pinged()
    toru.wait_until("eight seconds of pings", lambda: pinged() > started + 8_000_000, 30)
    assert toru.pid("watched") == first, "it lived twice as long as the watchdog waits"
    with asking(host, Order("/watched/hang"), crowd=1) as replies:
        toru.wait_until("the restart", lambda: toru.pid("watched") not in {0, first}, 30)
    assert replies[0].status == 502
    manager = toru.journal("UNIT=toru-plugin-watched.service", "_PID=1")
    assert any("Watchdog timeout" in it["MESSAGE"] for it in manager)
    toru.wait_until("an answer", lambda: ask(host, Order("/watched/"))[0].status == 201, 30)


@pytest.mark.req("SUP-1", "LIFE-6")
def test_a_plugin_that_sleeps_when_idle_is_woken_by_the_next_request(
    paces_plugin: Paces, toru: Toru, host: Host
) -> None:
    paces_plugin.plant("sleepy")
    for number in range(1, 4):
        toru.wait_until("sleep", lambda: toru.service("sleepy", "ActiveState")["ActiveState"] == "inactive")
        assert toru.service("sleepy", "Result")["Result"] == "success"
        assert ask(host, Order("/sleepy/"))[0].status == 201
        assert len(toru.starts("sleepy")) == number
    # Longer than it may be idle: one that works does not sleep.
    (reply,) = ask(host, Order("/sleepy/slow?900"))
    (asked,) = toru.journal("_SYSTEMD_UNIT=toru-plugin-sleepy.service", "MESSAGE=slow 900")
    assert (reply.status, reply.json()["pid"]) == (200, int(asked["_PID"]))


@pytest.mark.req("LIFE-6")
def test_restarts_under_load_lose_no_request(paces: Toru, host: Host) -> None:
    with asking(host, Order("/paces/slow?20", "POST", b"x" * 1000), crowd=4) as replies:
        for number in range(3):
            paces.wait_until("requests", lambda so_far=number * 15: len(paces.logged("paces")) > so_far)
            host.run("systemctl", "restart", "toru-plugin-paces.service")
    assert {reply.status for reply in replies} == {200}, [it.body for it in replies if it.status != 200]
    assert sum("slow 20" in line for line in paces.logged("paces")) == len(replies), "each was begun once"


@pytest.mark.req("LIFE-2", "PROTO-3")
def test_it_ends_in_time_and_in_order_though_answers_never_end(paces: Toru, host: Host) -> None:
    with listener(host, "/paces/until-the-end") as polite, listener(host, "/paces/drip") as endless:
        heard(polite, "now")
        heard(endless, "drip")
        paces.disable("paces")
        heard(polite, "the end")
    assert paces.logged("paces")[-1] == "goodbye"
    assert paces.ends("paces") == [], "it ended well, before systemd lost its patience"
