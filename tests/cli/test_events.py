"""`toru events`."""

import json
import signal
import subprocess
from datetime import datetime
from typing import Any

import pytest

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3", "API-5")

_CROWD = """db.executemany(
    "INSERT INTO plugin_events (plugin_id, kind, at, details, host, cursor) "
    "VALUES ('crowd', 'started', ?, '{}', 'nowhere', ?)",
    [(1000 + number, str(number)) for number in range(1200)],
)"""


def events(toru: Command, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in toru("events", *arguments, "--json").stdout.splitlines()]


def test_what_was_done_is_told_in_the_order_it_was_done(toru: Command, shop: Toru) -> None:
    since = toru.host.run("date", "+%FT%T.%N%:z").stdout.strip()
    cursor = shop.host.cursor()
    toru("disable", "asleep")
    toru("enable", "asleep")
    shop.wait_until("both events", lambda: len(events(toru, "asleep", "--since", since)) == 2)
    rows = toru.table("events", "asleep", "--since", since)
    assert [row[1:] for row in rows] == [["asleep", "disabled", "-"], ["asleep", "enabled", "-"]]
    times = [datetime.fromisoformat(row[0]).timestamp() for row in rows]
    # What toru-admin wrote into the journal, which knows no more than milliseconds less.
    written = shop.host.journal("TORU_PLUGIN=asleep", "SYSLOG_IDENTIFIER=toru-admin", since_cursor=cursor)
    told = [int(entry["__REALTIME_TIMESTAMP"]) / 1e6 for entry in written if "TORU_EVENT" in entry]
    assert times == [pytest.approx(moment, abs=0.001) for moment in told]
    assert rows[0] in toru.table("events", "--since", since)


def test_programs_get_the_api_s_rows(toru: Command) -> None:
    crash = toru.host.wait_for("the crash", lambda: events(toru, "fallen", "--kind", "crashed"))[-1]
    assert (crash["plugin_id"], crash["event_type"], crash["cause"]) == ("fallen", "crashed", "it exited with status 3")
    assert crash["details"]["exit_status"] == 3
    url = "http://toru/api/plugins/fallen/events?kind=crashed"
    answer = toru.host.run("curl", "-s", "--unix-socket", "/run/toru/api.sock", url).stdout
    assert json.loads(answer)["events"][0] == crash


def test_only_so_many_of_the_newest_and_only_of_a_kind(toru: Command) -> None:
    everything = events(toru, "-n", "100000")
    assert [row["id"] for row in everything] == sorted(row["id"] for row in everything)
    assert events(toru, "-n", "2") == everything[-2:]
    assert events(toru, "-n", "0") == []
    assert events(toru, "--since", "1d", "--until", everything[-1]["timestamp"]) == everything[:-1]
    wanted = ("crashed", "disabled")
    chosen = events(toru, "-n", "100000", "-k", wanted[0], "-k", wanted[1])
    assert chosen == [row for row in everything if row["event_type"] in wanted] != []


def test_more_than_a_page_of_the_api_s_comes_whole(toru: Command, shop: Toru) -> None:
    before = len(events(toru, "-n", "100000"))
    on_database(toru, _CROWD)
    try:
        assert len(events(toru, "-n", "100000")) == before + 1200
        times = [row["timestamp"] for row in events(toru, "crowd", "-n", "700")]
        assert len(times) == 700
        assert times == sorted(times)
        assert times[-1].startswith("1970-01-01T00:36:39")
    finally:
        on_database(toru, "db.execute(\"DELETE FROM plugin_events WHERE plugin_id = 'crowd'\")")


def on_database(toru: Command, statement: str) -> None:
    opened = "import sqlite3; db = sqlite3.connect('/var/lib/toru/toru.db')"
    toru.host.run("python3", "-c", f"{opened}; {statement}; db.commit()", user="toru")


def test_following_tells_what_happens_each_time_once(toru: Command, shop: Toru) -> None:
    with toru.host.popen("toru", "events", "clock", "-f", "-n", "1", stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        following.stdout.readline()
        toru("restart", "field", "clock")
        assert following.stdout.readline().endswith("\tclock\trestarted\ton request\n")
        toru("disable", "clock")
        assert following.stdout.readline().split("\t")[2] in {"stopped", "disabled"}
        assert following.stdout.readline().split("\t")[2] in {"stopped", "disabled"}
        toru("enable", "clock")
        following.send_signal(signal.SIGINT)
        assert following.wait(5) == 130


def test_following_ends_when_nobody_reads_any_more(toru: Command) -> None:
    with toru.host.popen("toru", "events", "off", "-f", stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        following.stdout.readline()
        following.stdout.close()
        assert following.wait(5) == 141


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["clokc"], 1, "there is no plugin clokc; did you mean clock?"),
        (["silent"], 1, "silent.binary was rejected: printed nothing for --metadata"),
        (["../x"], 1, "'../x' is not a plugin id: 1 to 64 letters, digits and hyphens"),
        (["-k", "nonsense"], 2, "--kind 'nonsense' is none of started, stopped, crashed"),
        (["--since", "long ago"], 2, "--since 'long ago' is neither"),
        (["-f", "--until", "1h"], 2, "either --follow or --until"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(toru: Command, arguments: list[str], status: int, sentence: str) -> None:
    said = toru("events", *arguments)
    assert (said.returncode, said.stdout) == (status, "")
    assert said.stderr.startswith(f"toru: {sentence}")


@pytest.mark.req("OPS-3", "SEC-1")
def test_events_are_for_admins(toru: Command) -> None:
    said = toru("events", user="nobody")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "toru: only root and members of the group toru-admin may do this\n"


def test_a_person_sees_a_line_each(toru: Command) -> None:
    said = toru.on_terminal("events", "fallen", "-k", "crashed")
    assert "\x1b[1mfallen\x1b[0m \x1b[31mcrashed\x1b[0m: it exited with status 3" in said
