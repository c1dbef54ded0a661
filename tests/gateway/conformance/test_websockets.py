"""The table of WebSockets, and what the plugin is told when one is opened."""

from __future__ import annotations

import pytest

from tests.gateway.conformance import sockets
from tests.gateway.conformance.case import Case, head
from tests.gateway.conformance.rig import Rig
from tests.gateway.conformance.rules import OF_TORU, as_opened

pytestmark = pytest.mark.req("PROTO-7", "ROUTE-3")


@pytest.mark.parametrize("case", sockets.CASES, ids=lambda case: case.name)
def test_a_websocket_by_toru_is_as_one_to_the_plugin_itself(rig: Rig, case: Case) -> None:
    directly, by_toru = (
        as_opened(rig.play(case.script(way, "ws"), way)) for way in (rig.socket_directly, rig.socket_by_toru)
    )
    assert by_toru == directly
    assert case.name.startswith("ws handshake") or directly[0]["status"] == 101


@pytest.mark.parametrize(
    "lines", [("Connection: keep-alive", "Upgrade: websocket"), ("Connection: Upgrade", "Upgrade: x")]
)
def test_what_is_no_upgrade_to_a_websocket_is_told_so_by_the_plugin(rig: Rig, lines: tuple[str, ...]) -> None:
    case = Case("no upgrade", [("send", head("GET", "~/echo", *lines, sockets.KEY)), ("answer",)])
    for way in (rig.socket_directly, rig.socket_by_toru):
        (said,) = rig.play(case.script(way, "ws"), way)
        assert said["status"] == 426


def test_the_plugin_is_told_who_opens_a_websocket_and_never_the_cookie(rig: Rig) -> None:
    forged = ("X-Toru-User: root", "X-Toru-Role: admin", "X-Forwarded-For: 1.2.3.4", "Cookie: own=1")
    case = Case("told", sockets.shake("~/", *forged), [("send", "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")])
    assert rig.play(case.script(rig.by_toru, "told"), rig.by_toru)[0]["status"] == 400
    (record,) = rig.control("records/told/1")
    told = dict(record["headers"])
    assert len(told) == len(record["headers"]), "nothing is said twice"
    assert told.keys() >= OF_TORU
    assert (told["x-toru-user"], told["x-toru-role"], told["x-forwarded-for"]) == ("gerda", "client", "127.0.0.1")
    assert told["cookie"] == "own=1"
    assert rig.cookie.partition("=")[2] not in rig.control("raw")
