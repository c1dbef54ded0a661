"""What happens to plugins is written down, each time once, whatever happens to the core."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import time
from collections import Counter
from typing import Any

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.databases import Rows
from tests.system.toru import PROCESS_EXITED, Toru

pytestmark = pytest.mark.req("OBS-2", "API-5")

QUICK = "[restart]\nfirst_delay = 0.2\nmax_delay = 0.4\nfailures = {failures}\n"


@pytest.fixture
def api(host: Host) -> Api:
    """As root, at api.sock."""
    return Api(host)


class Events:
    """Of one plugin since this was made, oldest first."""

    def __init__(self, api: Api, plugin_id: str) -> None:
        self.api = api
        self.plugin_id = plugin_id
        self.since = time.time()

    def __call__(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        query = f"/api/plugins/{self.plugin_id}/events?page_size=500&since={self.since:.6f}"
        after = ""
        while True:
            page = self.api.get(query + after)
            rows += page["events"]
            if page["next"] is None:
                return rows[::-1]
            after = f"&after={page['next']}"

    def kinds(self) -> list[str]:
        return [row["event_type"] for row in self()]


def given_up(toru: Toru, plugin_id: str) -> bool:
    return bool(toru.journal("TORU_EVENT=disabled", f"TORU_PLUGIN={plugin_id}"))


def exits(toru: Toru, plugin_id: str) -> list[str]:
    """The run of each main process that ended other than well, by systemd's own word."""
    entries = toru.journal(f"UNIT=toru-plugin-{plugin_id}.service", f"MESSAGE_ID={PROCESS_EXITED}", "_PID=1")
    return [entry["INVOCATION_ID"] for entry in entries if entry["COMMAND"] == "ExecStart"]


def test_a_plugins_whole_life(toru: Toru, host: Host, api: Api) -> None:
    events = Events(api, "lively")
    toru.plant("lively", metadata={"start": "on-demand"})
    toru.scan()

    def until(state: str) -> None:
        toru.wait_until(f"it to be {state}", lambda: toru.service("lively", "ActiveState")["ActiveState"] == state)

    # It may answer before systemd has called it active.
    toru.ask("lively")
    until("active")
    toru.ask("lively", "/exit")
    until("inactive")
    toru.ask("lively")
    until("active")
    host.run("systemctl", "restart", "toru-plugin-lively.service")
    toru.wait_until("the core to see it", lambda: api.get("/api/plugins/lively")["state"] == "running")
    api.post("/api/plugins/lively/pause")
    api.post("/api/plugins/lively/resume")
    host.run("systemctl", "kill", "--signal=KILL", "toru-plugin-lively.service")
    toru.wait_until("it to be back", lambda: events.kinds()[-1:] == ["restarted"])
    toru.disable("lively")
    toru.enable("lively")
    toru.wait_until("the last of it", lambda: events.kinds()[-1:] == ["enabled"])
    rows = events()
    assert [(row["event_type"], row["cause"]) for row in rows] == [
        ("started", None),
        ("stopped", "it ended by itself, without an error"),
        ("started", None),
        ("restarted", "on request"),
        ("paused", None),
        ("resumed", None),
        ("crashed", "it was killed by SIGKILL"),
        ("restarted", "after a crash"),
        ("stopped", "on request"),
        ("disabled", None),
        ("enabled", None),
    ]
    assert rows[6]["details"]["signal"] == 9
    assert rows[6]["details"]["invocation_id"] == exits(toru, "lively")[0]


def test_an_event_is_there_within_a_second(toru: Toru, host: Host, api: Api) -> None:
    toru.plant("lively")
    toru.scan()
    with api.stream("/api/stream") as stream:
        stream.first("hello")
        host.run("systemctl", "kill", "--signal=KILL", "toru-plugin-lively.service")
        crashed = stream.first("event", plugin_id="lively", event_type="crashed")
    (entry,) = toru.journal("UNIT=toru-plugin-lively.service", f"MESSAGE_ID={PROCESS_EXITED}")
    assert crashed.at - int(entry["__REALTIME_TIMESTAMP"]) / 1e6 < 1


def test_what_happens_while_the_core_is_down_is_told_afterwards(toru: Toru, host: Host, api: Api) -> None:
    toru.settings(QUICK.format(failures=3))
    events = Events(api, "looping")
    with toru.core_down():
        toru.plant("looping", "odd.py", way="crashes at once", metadata={"protocol": "http"})
        toru.scan()
        toru.wait_until("it to be given up", lambda: given_up(toru, "looping"))
    toru.wait_until("the events", lambda: events.kinds()[-1:] == ["disabled"])
    rows = events()
    counted = Counter(row["event_type"] for row in rows)
    assert counted["crashed"] == 3 == len(exits(toru, "looping"))
    assert counted["gave-up"] == counted["disabled"] == 1
    assert rows[-1]["cause"] == "it failed too many times in a row; at last it exited with status 3"
    assert rows[-1]["cause"] == toru.config()["disabled_because"]["looping"]["reason"]


@pytest.mark.req("ISO-5", "KV-3")
def test_killing_the_core_again_and_again_loses_no_crash_and_tells_none_twice(
    toru: Toru, host: Host, api: Api, rows: Rows
) -> None:
    toru.settings(QUICK.format(failures=1000))
    toru.plant("crashing", crashes_after=0.1)
    toru.plant("steady")
    events = Events(api, "crashing")
    toru.scan()
    chance = random.Random(1)  # noqa: S311  moments, not secrets
    for _ in range(8):
        time.sleep(chance.uniform(0.1, 1.5))
        host.run("systemctl", "kill", "--signal=KILL", "toru.service", check=False)
        assert toru.ask("steady")["pid"], "plugins answer all the while"
    time.sleep(1)
    toru.disable("crashing")
    toru.wait_until("the last event", lambda: events.kinds()[-1:] == ["disabled"], 30)
    happened = events()
    told = [row["details"]["invocation_id"] for row in happened if row["event_type"] == "crashed"]
    crashed = exits(toru, "crashing")
    if crashed[-1] not in told:  # its last run came to its end just as it was stopped
        last = crashed.pop()
        assert [row["event_type"] for row in happened if row["details"].get("invocation_id") == last][-1] == "stopped"
    assert told == crashed
    assert len(told) > 5
    question = f"SELECT details FROM plugin_events WHERE kind = 'crashed' AND at >= {events.since}"  # noqa: S608  (ours)
    written = rows(question)
    assert sorted(json.loads(details)["invocation_id"] for (details,) in written) == sorted(told)
    beginnings = [row for row in happened if row["event_type"] in {"started", "restarted"}]
    assert len({row["details"]["invocation_id"] for row in beginnings}) == len(beginnings)


@pytest.mark.req("SEC-5")
def test_no_plugin_can_forge_an_event(toru: Toru, api: Api) -> None:
    toru.plant("victim")
    toru.plant("liar", "odd.py", way="forges events", metadata={"protocol": "http"})
    victim, liar = Events(api, "victim"), Events(api, "liar")
    toru.scan()
    toru.wait_until("the lie", lambda: "forged" in toru.logged("liar"))
    assert toru.journal("TORU_EVENT=disabled", "TORU_PLUGIN=victim"), "the lie is in the journal"
    toru.disable("liar")
    toru.wait_until("the end", lambda: liar.kinds()[-1:] == ["disabled"])
    assert victim.kinds() == ["started"]


def test_a_journal_that_was_vacuumed_is_no_end(toru: Toru, host: Host, api: Api) -> None:
    first = Events(api, "lively")
    toru.plant("lively")
    toru.scan()
    toru.wait_until("the start", lambda: first.kinds() == ["started"])
    before = Events(api, "lively")
    with toru.core_down():
        toru.disable("lively")
        host.run("sh", "-c", "journalctl --sync --rotate && sleep 1 && journalctl --vacuum-time=1s")
        toru.enable("lively")
    toru.wait_until("what is left", lambda: "enabled" in before.kinds())
    assert before.kinds()[-2:] in (["enabled", "started"], ["started", "enabled"], ["enabled"])


# Holds the database's one lock until its standard input ends.
LOCK = """
import sqlite3, sys
database = sqlite3.connect("/var/lib/toru/toru.db", isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.mark.req("KV-3")
def test_while_the_database_is_locked_events_wait_and_plugins_go_on(toru: Toru, host: Host, api: Api) -> None:
    toru.plant("lively")
    toru.scan()
    events = Events(api, "lively")
    with host.popen("python3", "-c", LOCK, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        host.run("systemctl", "kill", "--signal=KILL", "toru-plugin-lively.service")
        body = json.dumps({"action": "set", "key": "k", "value": 1}).encode()
        assert api("POST", "/api/plugins/lively/kv", body=body).status == 503
        assert toru.ask("lively")["pid"]
        assert "crashed" not in events.kinds()
        said = toru.journal("_SYSTEMD_UNIT=toru.service")
        assert any("locked" in entry["MESSAGE"] for entry in said)
    toru.wait_until("the event", lambda: events.kinds().count("crashed") == 1, 20)


def test_pages_and_filters(toru: Toru, api: Api) -> None:
    events = Events(api, "paged")
    toru.plant("paged", metadata={"start": "on-demand"})
    toru.scan()
    for _ in range(3):
        toru.disable("paged")
        toru.enable("paged")
    toru.wait_until("the events", lambda: Counter(events.kinds())["enabled"] == 3)
    everything = events()
    pages, after = [], ""
    for _ in itertools.count():
        page = api.get(f"/api/plugins/paged/events?since={events.since:.6f}&page_size=2{after}")
        pages.append(page["events"])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert [row for page in pages for row in page] == everything[::-1]
    chosen = api.get("/api/events?kind=enabled&kind=disabled&page_size=6")["events"]
    assert {row["event_type"] for row in chosen} == {"enabled", "disabled"}
    moment = everything[-1]["timestamp"].replace("+", "%2B")
    assert api.get(f"/api/plugins/paged/events?since={moment}")["events"][0] == everything[-1]
    assert api.get(f"/api/plugins/paged/events?until={everything[0]['timestamp'].replace('+', '%2B')}")["events"] == []


@pytest.mark.parametrize(
    "query", ["kind=none", "since=yesterday", "after=x", "after=1.0-1", "page_size=0", "page_size=501", "page_size=x"]
)
def test_odd_questions_are_refused(api: Api, query: str) -> None:
    problem = api.get(f"/api/events?{query}", expect=400)
    assert query.partition("=")[0] in json.dumps(problem)


def test_nobody_knows_of_a_plugin_that_never_was(api: Api) -> None:
    api.get("/api/plugins/never-was/events", expect=404)
