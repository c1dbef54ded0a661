"""Requests to plugins of toru/1, which have the habits of the field, through the whole core and with systemd around."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.crowd import Order, ask, asking, refusal, waiting
from tests.system.toru import Toru

pytestmark = pytest.mark.req("PROTO-4", "PROTO-6")

MIB = 1 << 20


def lines(toru: Toru, plugin_id: str, word: str) -> list[str]:
    return [line for line in toru.logged(plugin_id) if line.startswith(word)]


@pytest.mark.req("PROTO-1", "ROUTE-1", "ROUTE-3")
@pytest.mark.parametrize(("source", "status"), [("toru1_odd.py", 200), ("toru1_rust.py", 201)])
def test_a_plugin_of_the_field_gets_requests_and_answers_them_unchanged(
    toru: Toru, host: Host, source: str, status: int
) -> None:
    toru.plant("field", source, metadata={"route": "/fields"})
    toru.serve()
    (reply,) = ask(host, Order("/fields/a%2Fb?c=d&e", "POST", b'{"k":1}'))
    assert reply.status == status
    said = reply.json()
    assert (said["method"], said["path"], said["body"]) == ("POST", "/a%2Fb?c=d&e", '{"k":1}')
    assert said["pid"] == toru.pid("field")
    assert said["headers"]["x-toru-user"] == "root"
    assert said["headers"]["x-toru-role"] == "admin"
    assert not {"cookie", "authorization", "connection", "transfer-encoding"} & said["headers"].keys()
    assert lines(toru, "field", "<4>") == []


@pytest.mark.req("PROTO-2", "SUP-1", "LIFE-6")
@pytest.mark.parametrize("source", ["toru1.py", "toru1_rust.py"])
def test_a_request_wakes_a_sleeping_plugin_which_gets_its_init_first(toru: Toru, host: Host, source: str) -> None:
    toru.plant("sleeper", source, metadata={"start": "on-demand"})
    toru.serve()
    assert toru.pid("sleeper") == 0
    replies = ask(host, *[Order(f"/sleeper/{number}") for number in range(5)])
    assert {reply.status for reply in replies} <= {200, 201}
    assert {reply.json()["pid"] for reply in replies} == {toru.pid("sleeper")}
    assert len(toru.starts("sleeper")) == 1
    kinds = [line.split()[0] for line in toru.logged("sleeper") if line.startswith(("init", "http"))]
    assert kinds == ["init"] + ["http"] * 5
    host.run("systemctl", "stop", "toru-plugin-sleeper.service")
    assert ask(host, Order("/sleeper/again"))[0].json()["pid"] == toru.pid("sleeper")
    assert len(toru.starts("sleeper")) == 2


@pytest.mark.req("ROUTE-4")
def test_twenty_at_once_are_served_one_by_one_and_nobody_else_waits(toru: Toru, host: Host) -> None:
    toru.plant("field", "toru1_odd.py")
    toru.plant("other")
    toru.serve()
    with waiting(host, *[Order(f"/field/hold/{number}") for number in range(20)]) as replies:
        toru.wait_until("the first to be with the plugin", lambda: lines(toru, "field", "http"))
        assert ask(host, Order("/other/"))[0].status == 200
        assert len(lines(toru, "field", "http")) == 1, "and the others wait"
        host.run("touch", "/run/toru-plugins/field/go-on")
    assert [reply.status for reply in replies] == [200] * 20
    served = [int(line.rpartition("/")[2]) for line in lines(toru, "field", "http")]
    assert sorted(served) == list(range(20)), "each of them once"


@pytest.mark.req("PROTO-5")
def test_a_plugin_that_never_answers_is_a_504_and_the_next_request_works(toru: Toru, host: Host) -> None:
    toru.plant("field", "toru1_odd.py", metadata={"timeout": 1})
    toru.serve()
    (reply,) = ask(host, Order("/field/mute"))
    assert refusal(reply) == (504, "timeout", "field")
    assert reply.json()["facts"]["name"] == "The field"
    said = [
        it["MESSAGE"] for it in toru.journal("TORU_PLUGIN=field", "SYSLOG_IDENTIFIER=toru") if "504" in it["MESSAGE"]
    ]
    assert len(said) == 1
    toru.wait_until("an answer in time", lambda: ask(host, Order("/field/next"))[0].status == 200)


@pytest.mark.req("PROTO-5", "SUP-2")
def test_a_crash_within_a_request_is_a_502_and_the_plugin_comes_back(toru: Toru, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 1\nmax_delay = 16\n")
    toru.plant("field", "toru1_odd.py")
    toru.serve()
    first = toru.pid("field")
    (reply,) = ask(host, Order("/field/crash"))
    assert refusal(reply) == (502, "no-answer", "field")
    assert len(lines(toru, "field", "http /crash")) == 1, "it is not asked a second time"
    toru.wait_until("the next process to answer", lambda: ask(host, Order("/field/"))[0].status == 200)
    assert toru.pid("field") not in {0, first}
    assert len(lines(toru, "field", "init")) == 2


@pytest.mark.req("PROTO-5")
def test_rubbish_is_a_502_with_its_beginning_in_the_journal(toru: Toru, host: Host) -> None:
    toru.plant("field", "toru1_odd.py")
    toru.serve()
    (reply,) = ask(host, Order("/field/rubbish"))
    assert refusal(reply) == (502, "bad-answer", "field")
    assert b"rubbish" not in reply.body
    (line,) = toru.journal("TORU_PLUGIN=field", "SYSLOG_IDENTIFIER=toru")
    assert "HTTP/1.1 200 OK\\r\\n\\r\\nrubbish rubbish" in line["MESSAGE"]
    assert line["PRIORITY"] == "4"


@pytest.mark.req("SEC-5", "PROTO-5")
def test_a_header_with_a_line_break_never_reaches_the_client(toru: Toru, host: Host) -> None:
    toru.plant("field", "toru1_odd.py")
    toru.serve()
    (reply,) = ask(host, Order("/field/injected"))
    assert refusal(reply) == (502, "bad-answer", "field")
    assert "set-cookie" not in reply.headers


def test_large_and_binary_bodies_pass_both_ways(toru: Toru, host: Host) -> None:
    toru.plant("field", "toru1_odd.py")
    toru.serve()
    large, binary, upload, small = ask(
        host,
        Order(f"/field/large?{15 * MIB}"),
        Order("/field/binary"),
        Order("/field/", "POST", length=10 * MIB),
        Order("/field/", "POST", bytes(range(256))),
    )
    assert (large.status, large.length) == (200, 15 * MIB)
    assert large.hash == hashlib.sha256(b"x" * (15 * MIB)).hexdigest()
    assert binary.body == bytes(range(256))
    assert upload.json()["body"] == (bytes(range(256)) * 4).hex()[:1000]
    assert small.json()["body"] == bytes(range(256)).hex()


@pytest.mark.req("PROTO-1")
@pytest.mark.parametrize("chunked", [False, True])
def test_what_fits_into_no_message_is_a_413_and_never_comes_to_the_plugin(
    toru: Toru, host: Host, *, chunked: bool
) -> None:
    toru.plant("field", "toru1_odd.py")
    toru.serve()
    (reply,) = ask(host, Order("/field/", "POST", length=17 * MIB, chunked=chunked))
    assert refusal(reply) == (413, "too-large", "field")
    assert lines(toru, "field", "http") == []
    assert ask(host, Order("/field/"))[0].status == 200


@pytest.mark.req("LIFE-6", "PROTO-3")
@pytest.mark.parametrize("source", ["toru1.py", "toru1_rust.py"])
def test_restarts_under_load_lose_no_request(toru: Toru, host: Host, source: str) -> None:
    toru.plant("field", source)
    toru.serve()
    with asking(host, Order("/field/", "POST", b"x"), crowd=5) as replies:
        for _ in range(4):
            so_far = len(lines(toru, "field", "http"))
            # This process has answered some.
            toru.wait_until("requests", lambda so_far=so_far: len(lines(toru, "field", "http")) > so_far + 10)
            host.run("systemctl", "restart", "toru-plugin-field.service")
        toru.wait_until("the last start", lambda: len(lines(toru, "field", "init")) == 5)
    assert {reply.status for reply in replies} <= {200, 201}, [it.body for it in replies if it.status > 201]
    assert len(replies) > 30
    assert len({reply.json()["pid"] for reply in replies}) >= 4, "of one process after the other"
    assert len(lines(toru, "field", "http")) == len(replies), "each was asked once"


@pytest.mark.req("ROUTE-2", "LIFE-2")
def test_a_disabled_plugin_has_no_route(toru: Toru, host: Host) -> None:
    toru.plant("field", "toru1_odd.py")
    toru.serve()
    assert ask(host, Order("/field/"))[0].status == 200
    toru.disable("field")
    toru.wait_until("the route to be gone", lambda: ask(host, Order("/field/"))[0].status == 404)


@pytest.mark.req("KV-1", "KV-2")
def test_storage_is_the_cores_own_and_no_plugin_is_asked_for_it(toru: Toru, host: Host) -> None:
    toru.plant("field", "toru1_rust.py")
    toru.serve()
    api = Api(host)
    body = json.dumps({"action": "set", "key": "a", "value": "v"}).encode()
    headers = {"Content-Type": "application/json"}
    assert api("POST", "/api/plugins/field/kv", headers=headers, body=body).json() == {"value": "v"}
    body = json.dumps({"action": "get", "key": "a"}).encode()
    assert api("POST", "/api/plugins/field/kv", headers=headers, body=body).json() == {"value": "v"}
    assert [line for line in toru.logged("field") if not line.startswith("init")] == []
