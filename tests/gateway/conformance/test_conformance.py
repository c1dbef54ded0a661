"""The table: every case straight to the plugin and by Toru. What was seen is the same, or differs as the case says."""

from __future__ import annotations

import json

import pytest

from tests.gateway.conformance import answers, bodies, ends, requests
from tests.gateway.conformance.case import CASE, SIGNED_IN, Case, get, head
from tests.gateway.conformance.rig import PERSON, Rig
from tests.gateway.conformance.wire import hashed

CASES = (*requests.CASES, *bodies.CASES, *answers.CASES, *ends.CASES)

GIB = 1 << 30


def test_no_two_cases_have_the_same_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.req("ROUTE-1", "ROUTE-3", "PROTO-5", "PROTO-7")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_request_by_toru_is_as_one_to_the_plugin_itself(rig: Rig, case: Case) -> None:
    directly = rig.run(case, rig.directly)
    by_toru = rig.run(case, rig.by_toru)
    expected = case.differs.make(directly) if case.differs is not None else directly
    assert by_toru.client == expected.client
    assert by_toru.plugin == expected.plugin


@pytest.mark.req("ROUTE-1")
@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("/api/plugins/route/raw-one", "/"),
        ("/api/plugins/route/raw-one?a=b", "/?a=b"),
        ("/api/plugins/route/raw-one/", "/"),
        ("/api/plugins/route/raw/by/id", "/by/id"),
        ("http://toru/api/plugins/route/raw-one/absolute?a", "/absolute?a"),
    ],
)
def test_the_path_that_a_plugin_sees_begins_behind_its_route(rig: Rig, asked: str, target: str) -> None:
    rig.control("raw")
    case = Case("path", [("send", head(target=asked)), ("answer",)])
    assert rig.play(case.script(rig.by_toru, "path"), rig.by_toru)[0]["status"] == 200
    assert rig.control("raw").startswith(f"GET {target} HTTP/1.1\r\n")


@pytest.mark.req("ROUTE-1", "PROTO-7")
@pytest.mark.parametrize("way", ["send", "bytewise"])
def test_requests_for_the_api_and_for_a_plugin_may_follow_each_other_in_one_go(rig: Rig, way: str) -> None:
    me = f"GET /api/auth/me HTTP/1.1\r\nHost: toru\r\n{SIGNED_IN}\r\n"
    upload = head("POST", "~/", "Transfer-Encoding: chunked", says=CASE) + "4\r\nbody\r\n0\r\n\r\n"
    refused = me.replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 10\r\n\r\n0123456789")
    case = Case("mixed", [(way, (me + upload + head(says=CASE) + refused + me) * 2), *[("answer",)] * 10])
    said = rig.play(case.script(rig.by_toru, "mixed"), rig.by_toru)
    assert [(answer["status"], answer["body"]["content"][:2]) for answer in said] == [
        (200, '{"'), (200, "ok"), (200, "ok"), (405, '{"'), (200, '{"'),
    ] * 2  # fmt: skip
    assert json.loads(said[0]["body"]["content"])["name"] == PERSON


def _both_ways(length: int) -> Case:
    head_of_answer = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
    return Case("both ways", bodies.up_sized(length), [("send", head_of_answer), ("echo", length)])


GIBIBYTES = [
    Case("up", bodies.up_sized(GIB)),
    Case("up in chunks", bodies.up_chunked(GIB, 100_000)),
    Case("down", get(), bodies.down_sized(GIB)),
    Case("down in chunks", get(), bodies.down_chunked(GIB, 100_000)),
]


@pytest.mark.req("ROUTE-1", "PROTO-7")
def test_a_gibibyte_each_way_at_once_arrives_whole_and_never_lies_in_the_core(rig: Rig) -> None:
    arrives_whole(rig, _both_ways(GIB))


@pytest.mark.req("ROUTE-1", "PROTO-7")
@pytest.mark.one_host
@pytest.mark.parametrize("case", GIBIBYTES, ids=lambda case: case.name)
def test_a_gibibyte_arrives_whole_and_never_lies_in_the_core(rig: Rig, case: Case) -> None:
    arrives_whole(rig, case)


def arrives_whole(rig: Rig, case: Case) -> None:
    with rig.growth() as growth:
        seen = rig.run(case, rig.by_toru)
    assert growth.peak < 32 << 20
    whole = {"length": GIB, "content": hashed(GIB), "end": "complete"}
    if "up" in case.name:
        assert seen.plugin[0]["body"] == whole
    else:
        assert seen.client[0]["body"] == whole
