"""The runs of a plugin as the core tells them, beside the journal and what systemd says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru


@pytest.fixture
def api(host: Host) -> Api:
    return Api(host)


def invocation(toru: Toru, plugin_id: str) -> str:
    return toru.service(plugin_id, "InvocationID")["InvocationID"]


@pytest.mark.req("SUP-5", "OBS-2")
def test_every_run_is_told_with_how_it_ended_and_its_own_lines(toru: Toru, api: Api, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 0.1\nmax_delay = 0.1\n")
    toru.plant("web")
    toru.scan()
    toru.ask("web")  # by then the run has said something
    killed = invocation(toru, "web")
    host.run("kill", "-9", str(toru.pid("web")))
    another = {"ActiveState": "active", "SubState": "running"}
    toru.wait_until(
        "another run",
        lambda: invocation(toru, "web") != killed and toru.service("web", *another) == another,
    )
    toru.ask("web")
    stopped = invocation(toru, "web")
    host.run("systemctl", "restart", "toru-plugin-web.service")
    toru.ask("web")
    goes_on = invocation(toru, "web")
    assert len({killed, stopped, goes_on}) == 3

    def told() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = api.get("/api/plugins/web/runs")["runs"]
        return found[:3]

    # journald takes its time, and so does the picture of what runs.
    toru.wait_until(
        "the journal to know all three",
        lambda: (
            [(run["invocation_id"], run["running"]) for run in told()]
            == [(goes_on, True), (stopped, False), (killed, False)]
        ),
    )
    now, on_request, crash = told()
    assert (now["result"], now["ended_at"], now["seconds"]) == (None, None, None)
    assert (on_request["result"], on_request["reason"], on_request["on_request"]) == ("success", None, True)
    assert (crash["result"], crash["signal"], crash["on_request"]) == ("signal", "SIGKILL", False)
    assert crash["reason"] == "it was killed by SIGKILL"
    assert 0 < crash["seconds"] < 120
    for run in (killed, stopped, goes_on):
        said = [entry["MESSAGE"] for entry in toru.journal(f"_SYSTEMD_INVOCATION_ID={run}")]
        one = api.get(f"/api/plugins/web/runs/{run}")
        assert one["run"]["invocation_id"] == run
        assert {line["invocation_id"] for line in one["logs"]} == {run}
        assert set(said) <= {line["message"] for line in one["logs"]}
    assert api.get(f"/api/plugins/web/runs/{'0' * 32}", expect=404)["code"] == "unknown-run"


@pytest.mark.req("SUP-5")
def test_pages_of_runs_hold_each_run_once(toru: Toru, api: Api, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    begun = [invocation(toru, "web")]
    for _ in range(4):
        host.run("systemctl", "restart", "toru-plugin-web.service")
        begun.append(invocation(toru, "web"))

    def newest() -> list[str]:
        return [run["invocation_id"] for run in api.get("/api/plugins/web/runs")["runs"]][:5]

    toru.wait_until("the journal to know them all", lambda: newest() == begun[::-1])
    paged: list[str] = []
    after = ""
    while len(paged) < 5:
        page = api.get(f"/api/plugins/web/runs?page_size=2{after}")
        assert 0 < len(page["runs"]) <= 2
        paged += [run["invocation_id"] for run in page["runs"]]
        after = f"&after={page['next']}".replace(";", "%3B")
    assert paged[:5] == begun[::-1]
    assert len(paged) == len(set(paged))
