"""A plugin that takes its time, and one that doesn't: neither knows of the other."""

from __future__ import annotations

import pytest

from tests.gateway.conformance.case import Case, Step, Way, get, head
from tests.gateway.conformance.rig import Rig

SLOW = 200


@pytest.mark.req("ROUTE-4", "ISO-2")
def test_a_plugin_answers_while_another_keeps_200_clients_waiting(rig: Rig) -> None:
    rig.toru.plant("quick", "http_raw.py", metadata={"protocol": "http"})
    rig.toru.serve()
    quick = Way("quick", rig.port, "/api/plugins/route/quick", rig.by_toru.head)
    plugin: list[Step] = [("gate", "enough"), ("send", "HTTP/1.1 204 At Last\r\n\r\n")]
    ((_, asks),) = Case("slow", [("send", head())], plugin).script(rig.by_toru, "slow")
    with rig.crowding({"kind": "waiting", "count": SLOW, "first": asks}) as slow:
        rig.host.wait_for("the slow plugin to have them all", lambda: rig.control("connections") >= SLOW)
        said = rig.play(Case("quick", get() * 500).script(quick, "quick"), quick)
        assert [answer["status"] for answer in said] == [200] * 500
        assert rig.control("connections") >= SLOW, "they wait still"
        assert rig.control("records/slow/0") == [], "and none of them has been answered"
        rig.control("open/enough")
    assert slow == {"HTTP/1.1 204 At Last": SLOW}
