"""How many requests went to a plugin: in the API, in the live stream, and in `toru status`, as /metrics counts them."""

from __future__ import annotations

import re

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OBS-4", "UI-5", "API-1")

NONE_YET = {"requests": 0, "request_errors": 0, "requests_in_flight": 0}


def test_requests_are_counted_where_people_look(toru: Toru, host: Host) -> None:
    api = Api(host)
    toru.plant("web")
    toru.plant("away", metadata={"start": "on-demand"})
    toru.serve()
    host.run("systemctl", "restart", "toru.service")
    assert NONE_YET.items() <= api.get("/api/plugins/web").items()
    assert "requests" not in _card(host)
    for _ in range(3):
        api.get("/api/plugins/route/web/")
    host.run("systemctl", "stop", "toru-plugin-away.socket")
    toru.wait_until("it to be seen", lambda: api.get("/api/plugins/away")["state"] == "stopped")
    api.get("/api/plugins/route/away/", expect=503)
    rows = {row["id"]: row for row in api.get("/api/plugins")}
    assert (rows["web"]["requests"], rows["web"]["request_errors"]) == (3, 0)
    assert (rows["away"]["requests"], rows["away"]["request_errors"]) == (1, 1)
    metrics = api("GET", "/metrics").body.decode()
    assert sum(int(n) for n in re.findall(r'toru_plugin_requests_total\{plugin="web",.*\} (\d+)', metrics)) == 3
    with api.stream("/api/stream") as stream:
        stream.first("hello")
        host.run("systemctl", "restart", "toru-plugin-web.service")
        assert stream.first("plugin", id="web").data["requests"] == 3
    assert _card(host)["requests"] == "3 since the core started, 0 of them with an error; 0 under way"
    with toru.core_down():
        assert dict.fromkeys(NONE_YET).items() <= toru.plugin("web").items()  # nobody else has counted


def _card(host: Host) -> dict[str, str]:
    lines = host.run("toru", "status", "web", check=False).stdout.splitlines()
    return dict(line.split("\t", 1) for line in lines)
