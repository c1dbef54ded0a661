"""Clients that leave in the middle, by the thousand, and clients that take their time: nothing of them stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.conformance import sockets
from tests.gateway.conformance.case import Case, Step, Way, get, head
from tests.gateway.conformance.crowd import HALF_A_MESSAGE, MESSAGE
from tests.gateway.conformance.ends import LONG
from tests.gateway.conformance.rig import Rig

pytestmark = pytest.mark.req("PROTO-7", "ISO-2")

COUNT = 1000
SLACK = 2 << 20
"""Bytes; 1000 times anything worth the name of a leak is more."""

UPLOAD: list[Step] = [("some", 4), ("send", f"{LONG}some"), ("gone",)]
"""The plugin has begun to answer, and waits for the rest of the body, when the client leaves."""


def _filled(way: Way, text: str, plugin: list[Step]) -> str:
    (step,) = Case("crowd", [("send", text)], plugin).script(way, "crowd")
    said: str = step[1]
    return said


def _leave(rig: Rig, order: dict[str, Any]) -> None:
    assert rig.crowd({"kind": "aborted", "count": COUNT, **order}) == {"aborted": COUNT}


def _leaves_nothing(rig: Rig, order: dict[str, Any]) -> None:
    """A first thousand warms everything up, and the second has to leave everything as it was."""
    _leave(rig, order)
    rig.host.wait_for("the plugin to have nobody", lambda: rig.control("connections") <= 2)
    descriptors, memory = rig.descriptors(), rig.memory()
    _leave(rig, order)
    rig.host.wait_for("as few descriptors as before", lambda: rig.descriptors() <= descriptors)
    rig.host.wait_for("the plugin to have nobody", lambda: rig.control("connections") <= 2)
    assert rig.memory() < memory + SLACK


def test_a_thousand_aborted_uploads_leave_nothing(rig: Rig) -> None:
    upload = _filled(rig.by_toru, head("POST", "~/", "Content-Length: 10000000") + "body", UPLOAD)
    _leaves_nothing(rig, {"first": upload, "awaited": "\r\n\r\nsome", "rest": "x" * 100_000})


def test_a_thousand_aborted_downloads_leave_nothing(rig: Rig) -> None:
    plugin: list[Step] = [("send", "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"), ("pattern", 10_000_000)]
    _leaves_nothing(rig, {"first": _filled(rig.by_toru, head(), plugin), "awaited": "\r\n\r\n", "rest": ""})


def test_a_thousand_aborted_websockets_leave_nothing(rig: Rig) -> None:
    (opening, _) = Case("ws", sockets.shake()).script(rig.socket_by_toru, "crowd")
    # A whole message comes back, and then there is one of which the rest never comes.
    _leaves_nothing(rig, {"first": opening[1] + MESSAGE, "awaited": "\x81\x05hello", "rest": HALF_A_MESSAGE})
    rig.host.wait_for("the plugin to have nobody", lambda: _at_websockets(rig)["here"] == 1)


def _at_websockets(rig: Rig) -> Any:
    """Who is connected to the plugin by its own count, the one who asks included."""
    count = Case("count", [*sockets.shake("~/count"), ("frames", None, 1)])
    (_, (said,)) = rig.play(count.script(rig.socket_directly, "count"), rig.socket_directly)
    return json.loads(said["payload"])


@pytest.mark.req("ISO-2", "ROUTE-4", "PROTO-7")
@pytest.mark.one_host
def test_clients_that_take_their_time_hinder_nobody_take_up_little_and_no_longer_than_they_may(rig: Rig) -> None:
    endless: list[Step] = [("send", f"HTTP/1.1 200 OK\r\nContent-Length: {1 << 40}\r\n\r\n"), ("pattern", 1 << 40)]
    upload = head("POST", "~/", "Content-Length: 1000")
    heads = {"kind": "slow", "count": 200, "first": "GET / HTTP/1.1\r\n", "drip": "A: b\r\n", "to the end": True}
    bodies = {"kind": "slow", "count": 50, "first": _filled(rig.by_toru, upload, []), "drip": "x", "to the end": True}
    readers = {"kind": "slow", "count": 50, "first": _filled(rig.by_toru, head(), endless), "drip": ""}
    # A byte a second is slow, but it comes to its end in time.
    patient = Case(
        "patient",
        [("send", head("POST", "~/", "Content-Length: 20")), ("drip", "x" * 20), ("answer",)],
        [("body",), ("send", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"), ("drip", "y" * 20)],
    )
    descriptors = rig.descriptors()
    with (
        rig.growth() as growth,
        rig.crowding(readers),
        rig.crowding(bodies) as bodies_cut_off,
        rig.crowding(heads) as heads_cut_off,
    ):
        rig.host.wait_for("all to be there", lambda: rig.descriptors() >= descriptors + 400)
        quick = Case("quick", get() * 100)
        said = rig.play(quick.script(rig.by_toru, "quick"), rig.by_toru)
        assert [answer["status"] for answer in said] == [200] * 100
        seen = rig.run(patient, rig.by_toru)
        assert seen.client[0]["body"] == {"length": 20, "content": "y" * 20, "end": "complete"}
        assert seen.plugin[0]["body"] == {"length": 20, "content": "x" * 20, "end": "complete"}
    assert heads_cut_off == {"cut off": 200}
    assert bodies_cut_off == {"cut off": 50}
    # What the kernel's buffers don't take waits in the plugin.
    assert growth.peak < 50 * (1 << 20)
    rig.host.wait_for("as few descriptors as before", lambda: rig.descriptors() <= descriptors)
