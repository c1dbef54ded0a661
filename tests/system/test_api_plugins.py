"""Plugins over HTTP: what there is, and what an admin wishes of it."""

import json
import re
import time
from typing import Any

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import PLUGINS, Toru
from toru.web.plugins import PluginRow, RejectionRow, WishAnswer

BUNDLE = "window.ToruPlugins = {}; // ä"


@pytest.fixture
def api(host: Host) -> Api:
    """As root, at api.sock."""
    return Api(host)


@pytest.mark.req("API-1", "ISO-4")
def test_the_list_says_what_systemd_says_and_the_same_as_the_command(toru: Toru, api: Api) -> None:
    toru.plant("web", metadata={"author": "Ann", "icon": "🕐"})
    toru.plant("asleep", metadata={"start": "on-demand"})
    toru.drop("bad.binary", "#!/bin/sh\n")
    toru.serve()
    rows = api.get("/api/plugins")
    assert [row["id"] for row in rows] == ["asleep", "web"]
    web = rows[1]
    assert (web["pid"], web["running"], web["health"], web["state"]) == (toru.pid("web"), True, "healthy", "running")
    assert (web["name"], web["author"], web["icon"], web["route"]) == ("The web", "Ann", "🕐", "/web")
    assert rows[0]["state"] == "idle"
    assert api.get("/api/plugins/web")["invocation_id"] == toru.service("web", "InvocationID")["InvocationID"]
    said = toru.overview()
    changing = ("memory_bytes", "tasks", "cpu_seconds", "requests", "request_errors", "requests_in_flight")
    assert [_without(row, changing) for row in rows] == [_without(row, changing) for row in said["plugins"]]
    assert api.get("/api/rejected") == said["rejected"]
    for row in rows:
        PluginRow.model_validate(row)
    for row in said["rejected"]:
        RejectionRow.model_validate(row)


@pytest.mark.req("API-2", "LIFE-1", "LIFE-2")
def test_enable_disable_and_restart_answer_when_systemd_has_finished(toru: Toru, api: Api) -> None:
    toru.plant("web")
    toru.scan()
    off = api.post("/api/plugins/web/disable")
    assert not toru.is_loaded("web")
    assert toru.config()["plugins"]["web"] is False
    WishAnswer.model_validate(off)
    assert (off["success"], off["enabled"], off["health"], off["state"]) == (True, False, "disabled", "stopped")
    on = api.post("/api/plugins/web/enable")
    assert (on["success"], on["enabled"], on["pid"]) == (True, True, toru.pid("web"))
    assert toru.ask("web")["pid"] == on["pid"]
    again = api.post("/api/plugins/web/restart")
    assert again["pid"] == toru.pid("web") != on["pid"]


@pytest.mark.req("API-2")
def test_an_unknown_plugin_is_404_and_systemd_is_not_asked(toru: Toru, api: Api) -> None:
    for verb in ("enable", "disable", "restart", "pause", "resume", "retry"):
        assert api.post(f"/api/plugins/nobody/{verb}", expect=404)["code"] == "unknown-plugin"
    assert not [entry for entry in toru.journal("_PID=1") if "nobody" in entry.get("UNIT", "")]


@pytest.mark.req("API-2", "LIFE-1")
def test_a_wish_that_fails_says_why(toru: Toru, api: Api) -> None:
    toru.settings("[restart]\nfirst_delay = 60\nmax_delay = 60\n")
    toru.plant("broken", "odd.py", way="crashes at once")
    toru.scan()
    api.post("/api/plugins/broken/disable")
    refused = api.post("/api/plugins/broken/enable", expect=502)
    assert refused["code"] == "wish-failed"
    assert "exited with status 3" in refused["detail"] or "ended before it listened" in refused["detail"]
    row = api.get("/api/plugins/broken")
    assert (row["enabled"], row["state"], row["health"]) == (True, "backing off", "unhealthy")
    stopped = api.post("/api/plugins/broken/pause", expect=409)
    assert stopped["code"] == "wrong-state"


@pytest.mark.req("SUP-5")
@pytest.mark.timeout(60)
def test_seconds_to_the_next_try_and_restarts_are_the_same_on_every_version(toru: Toru, api: Api, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 2\nmax_delay = 32\n")
    toru.plant("crasher", "odd.py", way="crashes at once", metadata={"protocol": "http"})
    toru.scan()

    def after_the_third_failure() -> Any:
        asked = time.time()
        row = api.get("/api/plugins/crasher")
        return (row["restarts"], row["state"]) == (2, "backing off") and (asked, row["retry_in_seconds"], time.time())

    toru.wait_until("the third end", lambda: len(toru.ends("crasher")) >= 3, 20)
    asked, retry_in, answered = host.wait_for("it to be seen", after_the_third_failure, 5)
    # After the third: 8 seconds. systemd 252 by itself would say 32, and count no restart of the core's.
    due = toru.ends("crasher")[2] + 8
    assert asked + retry_in - 0.3 <= due <= answered + retry_in + 0.3
    toru.wait_until("the fourth start", lambda: len(toru.starts("crasher")) > 3)
    toru.wait_until("it to be counted", lambda: api.get("/api/plugins/crasher")["restarts"] == 3, 5)
    assert due - 0.3 <= toru.starts("crasher")[3] <= due + 1.5


@pytest.mark.req("SUP-3", "SUP-5")
@pytest.mark.timeout(60)
def test_try_again_now_for_what_backs_off_and_for_what_was_given_up(toru: Toru, api: Api) -> None:
    toru.settings("[restart]\nfirst_delay = 60\nmax_delay = 60\nfailures = 2\n")
    toru.plant("hopeless", "odd.py", way="crashes at once", metadata={"protocol": "http"})
    toru.scan()
    toru.wait_until("the failure", lambda: api.get("/api/plugins/hopeless")["state"] == "backing off")
    starts = len(toru.starts("hopeless"))
    # Tried at once, and failed again: the answer says so.
    api("POST", "/api/plugins/hopeless/retry")
    toru.wait_until("another try", lambda: len(toru.starts("hopeless")) == starts + 1, 5)
    toru.settings("[restart]\nfirst_delay = 0.05\nmax_delay = 0.1\nfailures = 3\n")
    toru.disable("hopeless")
    toru.enable("hopeless", check=False)
    toru.wait_until("it to be given up", lambda: not api.get("/api/plugins/hopeless")["enabled"], 20)
    row = api.get("/api/plugins/hopeless")
    assert "too many times in a row" in row["disabled_because"]["reason"]
    toru.wait_until("its units to be gone", lambda: not toru.is_loaded("hopeless"))
    starts = len(toru.starts("hopeless"))
    api("POST", "/api/plugins/hopeless/retry")
    toru.wait_until("tries from scratch", lambda: len(toru.starts("hopeless")) == starts + 3, 20)


@pytest.mark.req("API-2")
def test_a_paused_plugin_stands_still_and_goes_on(toru: Toru, api: Api, host: Host) -> None:
    toru.plant("web")
    toru.serve()
    before = toru.pid("web")
    paused = api.post("/api/plugins/web/pause")
    assert (paused["state"], paused["running"]) == ("paused", True)
    assert toru.service("web", "FreezerState", "MainPID") == {"FreezerState": "frozen", "MainPID": str(before)}
    assert api.post("/api/plugins/web/pause", expect=409)["code"] == "wrong-state"
    resumed = api.post("/api/plugins/web/resume")
    assert (resumed["state"], resumed["pid"]) == ("running", before)
    assert toru.ask("web")["pid"] == before
    api.post("/api/plugins/web/pause")
    assert api.post("/api/plugins/web/restart")["state"] == "running"
    assert toru.ask("web")["pid"] != before
    api.post("/api/plugins/web/pause")
    assert api.post("/api/plugins/web/disable")["state"] == "stopped"
    assert not toru.is_loaded("web")


@pytest.mark.req("SUP-5")
def test_why_tells_how_the_last_run_ended_and_shows_its_own_lines(toru: Toru, api: Api, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 60\nmax_delay = 60\n")
    toru.plant("victim")
    toru.plant("broken", "odd.py", way="crashes at once", metadata={"protocol": "http"})
    toru.scan()
    assert api.get("/api/plugins/victim/why")["last_run"] is None
    toru.ask("victim")  # so it has said that it serves
    first = toru.service("victim", "InvocationID")["InvocationID"]
    host.run("kill", "-9", str(toru.pid("victim")))

    def why_it_crashed() -> Any:
        why = api.get("/api/plugins/victim/why")
        return why["state"] == "backing off" and why["last_run"] and why

    why = host.wait_for("the crash", why_it_crashed)
    run = why["last_run"]
    assert (run["result"], run["signal"], run["exit_code"], run["invocation_id"]) == ("signal", "SIGKILL", None, first)
    assert run["reason"] == why["reason"] == "it was killed by SIGKILL"
    assert 0 < run["seconds"] < 60
    assert {line["invocation_id"] for line in why["logs"]} == {first}
    assert any(line["message"].startswith("serving as") for line in why["logs"])
    broken = api.get("/api/plugins/broken/why")["last_run"]
    assert (broken["result"], broken["exit_code"], broken["signal"]) == ("exit-code", 3, None)
    # It outlives the units.
    api.post("/api/plugins/broken/disable")
    assert api.get("/api/plugins/broken/why")["last_run"] == broken


@pytest.mark.req("API-3")
@pytest.mark.parametrize("plugin", ["http.py", "http_steady.py"])
def test_where_no_bundle_lies_the_plugin_is_asked_for_it(toru: Toru, api: Api, host: Host, plugin: str) -> None:
    toru.plant("web", plugin, metadata={"route": "/elsewhere", "start": "on-demand", "protocol": "http"})
    toru.serve()
    own = api("GET", "/api/plugins/route/elsewhere/bundle.js")
    bundle = api("GET", "/api/plugins/web/bundle.js?v=1")
    assert (bundle.status, own.status) == (200, 200)
    assert bundle.headers["content-type"] == "text/javascript; charset=utf-8"
    assert bundle.headers["cache-control"] == "no-cache"
    assert bundle.headers["x-content-type-options"] == "nosniff"
    assert own.headers.get("content-type") != bundle.headers["content-type"]
    assert api("HEAD", "/api/plugins/web/bundle.js").body == b""
    assert api("POST", "/api/plugins/web/bundle.js").status == 405
    assert api("GET", "/api/plugins/nobody/bundle.js").status == 404
    try:
        host.put(f"{PLUGINS}/web/bundle.js", BUNDLE)
        assert api("GET", "/api/plugins/web/bundle.js").body.decode() == BUNDLE
    finally:
        toru.remove("web")
    toru.disable("web")
    assert api("GET", "/api/plugins/web/bundle.js").status == 404


@pytest.mark.req("API-3")
def test_the_bundle_comes_with_validators_and_never_stale(toru: Toru, api: Api, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    try:
        host.put(f"{PLUGINS}/web/frontend/bundle.js", BUNDLE)
        first = api("GET", "/api/plugins/web/bundle.js")
        assert (first.status, first.body.decode()) == (200, BUNDLE)
        assert first.headers["content-type"] == "text/javascript; charset=utf-8"
        assert first.headers["cache-control"] == "no-cache"
        for name, value in (
            ("If-None-Match", first.headers["etag"]),
            ("If-None-Match", f'"other", W/{first.headers["etag"]}'),
            ("If-Modified-Since", first.headers["last-modified"]),
        ):
            again = api("GET", "/api/plugins/web/bundle.js", headers={name: value})
            assert (again.status, again.body) == (304, b"")
        head = api("HEAD", "/api/plugins/web/bundle.js")
        assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(BUNDLE.encode())))
        host.put(f"{PLUGINS}/web/bundle.js", "// newer")
        newer = api("GET", "/api/plugins/web/bundle.js", headers={"If-None-Match": first.headers["etag"]})
        assert (newer.status, newer.body) == (200, b"// newer")
        host.run("sh", "-c", f"rm -r {PLUGINS}/web/*; ln -s /etc/passwd {PLUGINS}/web/bundle.js")
        assert api("GET", "/api/plugins/web/bundle.js").status == 404, "a link that leads out"
        host.run("sh", "-c", f"rm {PLUGINS}/web/bundle.js; mkfifo {PLUGINS}/web/bundle.js")
        assert api("GET", "/api/plugins/web/bundle.js").status == 404, "no file"
        host.run("sh", "-c", f"rm {PLUGINS}/web/bundle.js")
        host.put(f"{PLUGINS}/web/bundle.js", BUNDLE)
        toru.disable("web")
        assert api("GET", "/api/plugins/web/bundle.js").status == 404, "disabled"
    finally:
        toru.remove("web")


BAD_IDS = {
    "dots": "..",
    "encoded dots": "%2e%2e",
    "half encoded": ".%2e",
    "a way up": "../x",
    "an encoded way up": "%2e%2e%2fx",
    "NUL": "web%00",
    "a line break": "web%0aX",
    "too long": "x" * 65,
    "far too long": "x" * 10_000,
    "not UTF-8": "%ff%fe",
    "half a surrogate": "%ed%a0%80",
    "a percent sign": "%",
    "other digits": "%D9%A3",
    "a blank": "web%20",
    "a unit": "web.service",
    "a specifier": "%25n",
    "a glob": "*",
}


@pytest.mark.req("SEC-5", "API-7")
@pytest.mark.parametrize("bad", BAD_IDS.values(), ids=BAD_IDS)
def test_what_is_no_id_is_a_4xx_and_changes_nothing(toru: Toru, api: Api, host: Host, bad: str) -> None:
    toru.plant("web")
    toru.scan()
    before = toru.pid("web")
    suffixes = ("", "/why", "/logs", "/logs/stream", "/logs/download", "/bundle.js")
    asked = [("GET", f"/api/plugins/{bad}{suffix}") for suffix in suffixes]
    asked += [("POST", f"/api/plugins/{bad}/{verb}") for verb in ("enable", "disable", "restart", "pause", "retry")]
    for method, path in asked:
        answer = api(method, path)
        assert 400 <= answer.status < 500, (method, path, answer)
        assert answer.headers["content-type"] == "application/problem+json", (method, path)
        assert set(answer.json()) == {"type", "title", "status", "detail", "code", "facts"}
    assert toru.pid("web") == before
    started = [entry["UNIT"] for entry in toru.journal("_PID=1") if "UNIT" in entry]
    assert not [unit for unit in started if re.match(r"toru-(enable|disable|pause|resume)@", unit)]


@pytest.mark.req("SEC-5", "API-7")
@pytest.mark.parametrize(
    "query",
    [
        "page=-1", "page=x", "page=1e9", "page=99999999999999999999", "page_size=0", "page_size=1001", "page_size=",
        "level=loud", "level=%00", "level=" + "x" * 10_000, "since=yesterday", "since=%00", "until=99999-01-01",
        "invocation=x", "invocation=" + "0" * 33, "cursor=x", "cursor=%00", "cursor=" + "x" * 10_000,
        "cursor=s%3Dx;i%3D1", "q=" + "x" * 201, "page=1000&page_size=1000",
    ],
)  # fmt: skip
def test_a_question_about_logs_that_makes_no_sense_is_a_4xx(toru: Toru, api: Api, query: str) -> None:
    toru.plant("web")
    toru.scan()
    answer = api("GET", f"/api/plugins/web/logs?{query}")
    assert 400 <= answer.status < 500, answer
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize(
    "query", ["since=0001-01-01", "until=0001-01-01T00:00:00Z", "since=9999-12-31", "q=%00", "q=%ff"]
)
def test_a_question_about_logs_at_the_edge_of_sense_has_an_answer(toru: Toru, api: Api, query: str) -> None:
    toru.plant("web")
    toru.scan()
    assert api("GET", f"/api/plugins/web/logs?{query}").status == 200


@pytest.mark.req("SEC-1")
def test_at_the_web_address_nobody_is_let_in_without_signing_in(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    web, as_nobody = Api.at_web_address(host), Api(host, user="nobody")
    for api in (web, as_nobody):
        for path in ("", "/web", "/web/logs", "/web/logs/stream", "/web/why", "/web/bundle.js"):
            assert api("GET", f"/api/plugins{path}").status == 401, path
        assert {api("GET", path).status for path in ("/api/stream", "/api/rejected")} == {401}
        assert api("POST", "/api/plugins/web/disable").status == 401
    assert toru.is_loaded("web")


@pytest.mark.req("OBS-4", "SUP-7")
def test_metrics_are_prometheus_text_for_programs_of_this_host(toru: Toru, host: Host, api: Api) -> None:
    toru.plant("web")
    toru.plant("off")
    toru.serve()
    toru.disable("off")
    web = Api.at_web_address(host)
    answer = web("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    values = dict(line.rsplit(" ", 1) for line in answer.body.decode().splitlines() if not line.startswith("#"))
    assert values['toru_plugin_enabled{plugin="web"}'] == "1"
    assert values['toru_plugin_enabled{plugin="off"}'] == "0"
    assert values['toru_plugin_state{plugin="web",state="running"}'] == "1"
    assert values['toru_plugin_restarts{plugin="web"}'] == "0"
    assert values["toru_systemd_connected"] == "1"
    for line in answer.body.decode().splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+', line), line
    # What a proxy passes on comes from elsewhere.
    assert web("GET", "/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status == 401
    assert web("GET", "/metrics", headers={"Authorization": "Bearer x"}).status == 401


@pytest.mark.req("LIFE-5", "LIFE-6")
def test_what_ops_and_scans_do_shows_at_the_next_question(toru: Toru, api: Api, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    assert api.get("/api/plugins/web")["enabled"]
    host.put(f"{PLUGINS}/.metadata/config.json", json.dumps({"plugins": {"web": False}}))
    assert not api.get("/api/plugins/web")["enabled"], "written by hand"
    host.run("rm", f"{PLUGINS}/.metadata/config.json")
    toru.plant("newcomer")
    toru.scan()
    assert {row["id"] for row in api.get("/api/plugins")} == {"web", "newcomer"}
    toru.remove("newcomer.binary")
    toru.scan()
    left = api.get("/api/plugins/newcomer")
    assert (left["path"], left["running"]) == (None, True), "its units are still there"
    toru.disable("newcomer")
    toru.wait_until("it to be gone", lambda: api("GET", "/api/plugins/newcomer").status == 404, 3)


def _without(row: dict[str, object], names: tuple[str, ...]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in names}
