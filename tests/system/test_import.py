"""`toru import`: the earlier system's folder and database, brought to a host that runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import argon2
import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.databases import rows_of_sqlite
from tests.system.toru import PLUGINS, SOURCES, Toru

pytestmark = [pytest.mark.req("OPS-3", "KV-3"), pytest.mark.one_host]

OLD = "/root/earlier"
THEIR_ID = "3f0c2f6e-54a1-4d0e-9f43-0c6d0a6f7b11"
PASSWORD = "Quite-a-secret-9"  # noqa: S105  of a test
HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

TABLES = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password_hash TEXT, display_name TEXT, role TEXT,
                    is_active INTEGER, created_at TEXT);
CREATE TABLE plugin_kv (plugin_id TEXT, key TEXT, value TEXT);
CREATE TABLE plugin_events (id INTEGER PRIMARY KEY, plugin_id TEXT, event_type TEXT, timestamp TEXT, details TEXT);
CREATE TABLE sessions (token TEXT, user_id INTEGER);
"""


def ago(**what: float) -> str:
    return (datetime.now(UTC) - timedelta(**what)).isoformat().replace("+00:00", "Z")


def make_earlier(file: Path) -> None:
    right = HASHER.hash(PASSWORD)
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript(TABLES)
        database.executemany("INSERT INTO settings VALUES (?, ?)", [("instance_id", THEIR_ID), ("theme", "dark")])
        database.executemany(
            "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (1, "ann", right, "Ann", "client", 1, "2025-06-01T12:00:00Z"),
                (2, "Bob", right, "Bob", "client", 1, "2025-06-02T12:00:00+02:00"),
                (3, "gone", right, "Gone", "client", 0, "2025-06-03T12:00:00Z"),
                (4, "two words", right, "", "client", 1, None),
                (5, "md5", "5f4dcc3b5aa765d61d8327deb882cf99", "", "client", 1, None),
                (6, "king", right, "", "owner", 1, None),
            ],
        )
        database.executemany(
            "INSERT INTO plugin_kv VALUES (?, ?, ?)",
            [
                ("clock", "theme", "dark"),
                ("clock", "json", '{"a": 1}'),
                ("clock", "nothing", None),
                ("clock", "bytes", b"\xff\xfe"),
                ("clock", "k" * 600, "long"),
                ("../evil", "k", "v"),
            ],
        )
        database.executemany(
            "INSERT INTO plugin_events VALUES (?, ?, ?, ?, ?)",
            [
                (1, "clock", "started", ago(hours=2), None),
                (2, "clock", "crashed", ago(hours=1), '{"reason": "exit status 1", "restarts": 2}'),
                (3, "clock", "notified", ago(minutes=50), "plain words"),
                (4, "clock", "started", ago(days=30), None),
            ],
        )


class Old:
    def __init__(self, host: Host) -> None:
        self._host = host

    def state(self) -> str:
        """Every name, time and sum of what is there: whoever writes changes it."""
        names = "find . -printf '%p %m %s %T@ %C@\\n' | sort"
        sums = "find . -type f | sort | xargs sha256sum"
        return self._host.run("sh", "-c", f"cd {OLD} && {names} && {sums}").stdout


@pytest.fixture
def old(toru: Toru, host: Host, tmp_path: Path) -> Iterator[Old]:
    """The earlier system with two plugins, one of them disabled; and a Toru without plugins and users."""
    start_anew(host)
    make_earlier(tmp_path / "steering.db")
    host.put(f"{OLD}/steering.db", (tmp_path / "steering.db").read_bytes())
    for plugin_id in ("clock", "mail"):
        toru._planted.add(plugin_id)
        toru._files |= {f"{plugin_id}.binary", plugin_id}
        host.put(f"{OLD}/plugins/{plugin_id}.binary", program(plugin_id), 0o700)
    host.put(f"{OLD}/plugins/clock/bundle.js", "window.toru_plugin_clock = {};\n", 0o640)
    host.put(f"{OLD}/plugins/.metadata/config.json", '{"plugins": {"mail": false, "a b": true}}')
    host.run("ln", "-s", "/etc/shadow", f"{OLD}/plugins/shadow.binary")
    host.run("mkfifo", f"{OLD}/plugins/pipe")
    yield Old(host)
    host.run("rm", "-rf", OLD)
    toru.clean_up()
    start_anew(host)


def start_anew(host: Host) -> None:
    host.run("systemctl", "stop", "toru.service", "toru.socket")
    host.run("sh", "-c", "rm -f /var/lib/toru/toru.db*")
    host.run("systemctl", "reset-failed", "toru.socket")
    host.run("systemctl", "start", "toru.socket", "toru.service")


def program(plugin_id: str) -> str:
    metadata = {"id": plugin_id, "name": plugin_id, "version": "1", "route": f"/{plugin_id}", "protocol": "http"}
    lines = (SOURCES / "http.py").read_text().splitlines()
    return "\n".join(f"METADATA = {metadata!r}" if it.startswith("METADATA = ") else it for it in lines)


def imported(host: Host, *more: str) -> list[dict[str, Any]]:
    said = json.loads(host.run("toru", "import", OLD, "--json", *more).stdout)
    assert said["dry_run"] == ("--dry-run" in more)
    outcomes: list[dict[str, Any]] = said["outcomes"]
    return outcomes


def of(outcomes: list[dict[str, Any]], outcome: str) -> set[tuple[str, str, int]]:
    return {(it["what"], it["name"], it["count"]) for it in outcomes if it["outcome"] == outcome}


TAKEN = {
    ("instance-id", THEIR_ID, 1),
    *(("user", name, 1) for name in ("ann", "Bob", "gone")),
    ("storage", "clock", 3),
    ("event", "clock", 3),
    ("disabled", "mail", 1),
    *(("file", name, 1) for name in ("clock.binary", "mail.binary", "clock/bundle.js")),
}
LEFT = {
    *(("user", name, 1) for name in ("two words", "md5", "king")),
    ("storage", "clock", 1),
    ("storage", "../evil", 1),
    ("event", "clock", 1),
    ("enabled", "a b", 1),
    ("file", "shadow.binary", 1),
    ("file", "pipe", 1),
}


def test_everything_comes_over_once_and_nothing_is_written_there(old: Old, toru: Toru, host: Host) -> None:
    before, ours = old.state(), host.run("cat", "/var/lib/toru/instance-id", check=False).stdout
    rows = rows_of_sqlite(host)

    # Rehearsed, nothing has changed anywhere.
    outcomes = imported(host, "--dry-run")
    assert (of(outcomes, "taken"), of(outcomes, "left")) == (TAKEN, LEFT)
    assert host.run("cat", "/var/lib/toru/instance-id", check=False).stdout == ours
    assert rows("SELECT * FROM users") == rows("SELECT * FROM plugin_kv") == []
    assert host.run("ls", PLUGINS).stdout == ""

    outcomes = imported(host)
    assert (of(outcomes, "taken"), of(outcomes, "left")) == (TAKEN, LEFT)
    assert all(it["reason"] for it in outcomes if it["outcome"] == "left")
    assert old.state() == before

    # What came is what was there.
    assert host.read("/var/lib/toru/instance-id") == f"{THEIR_ID}\n"
    assert rows("SELECT name, role, disabled FROM users ORDER BY name") == [
        ("ann", "client", 0),
        ("bob", "client", 0),
        ("gone", "client", 1),
    ]
    assert rows("SELECT key, value FROM plugin_kv ORDER BY key") == [
        ("json", '"{\\"a\\": 1}"'),
        ("nothing", "null"),
        ("theme", '"dark"'),
    ]
    assert rows("SELECT kind, cause FROM plugin_events WHERE cursor LIKE 'earlier:%' ORDER BY at") == [
        ("started", None),
        ("crashed", "exit status 1"),
        ("other", "plain words"),
    ]
    assert host.run("stat", "--format=%a %U %n", f"{PLUGINS}/clock.binary", f"{PLUGINS}/clock/bundle.js").stdout == (
        f"755 root {PLUGINS}/clock.binary\n644 root {PLUGINS}/clock/bundle.js\n"
    )
    # And it works: the plugin that was enabled runs, with the old id, and its user signs in with the old password.
    assert toru.ask("clock", "/environment")["TORU_INSTANCE_ID"] == THEIR_ID
    assert toru.config()["plugins"] == {"mail": False}
    assert not toru.is_loaded("mail")
    body = json.dumps({"name": "bob", "password": PASSWORD}).encode()
    headers = {"Content-Type": "application/json"}
    assert Api.at_web_address(host)("POST", "/api/auth/login", headers=headers, body=body).status == 200

    # What has changed here since is not changed back, and nothing comes twice.
    Api(host)("POST", "/api/plugins/clock/kv", body=b'{"action": "set", "key": "theme", "value": "light"}')
    host.run("toru", "user", "disable", "ann")
    toru.enable("mail")
    outcomes = imported(host)
    assert of(outcomes, "taken") == set()
    assert ("storage", "clock", 2) in of(outcomes, "here")
    left = {it["reason"] for it in outcomes if it["outcome"] == "left"}
    assert {"key theme: it is here, with another value", "it is decided otherwise here"} < left
    assert rows("SELECT value FROM plugin_kv WHERE key = 'theme'") == [('"light"',)]
    assert rows("SELECT disabled FROM users WHERE name = 'ann'") == [(1,)]
    assert toru.is_loaded("mail")
    assert rows("SELECT count(*) FROM plugin_events WHERE cursor LIKE 'earlier:%'") == [(3,)]
    assert rows("SELECT keys, bytes FROM plugin_kv_usage") == rows("SELECT count(*), sum(size_bytes) FROM plugin_kv")
    assert old.state() == before


def test_where_nothing_is_enabled_by_itself_what_was_enabled_there_is(old: Old, toru: Toru, host: Host) -> None:
    toru.settings("auto_enable = false\n")
    outcomes = imported(host)
    assert ("enabled", "clock", 1) in of(outcomes, "taken")
    assert toru.config()["plugins"] == {"mail": False, "clock": True}
    assert toru.pid("clock") != 0


SPOILT = {
    f"head -c 5000 /dev/urandom > {OLD}/steering.db": "steering.db can't be read: file is not a database",
    f"truncate -s 8192 {OLD}/steering.db": "nothing was taken",
    f"echo '{{' > {OLD}/plugins/.metadata/config.json": "nobody knows what was disabled; nothing was taken",
    f"rm {OLD}/steering.db; mkdir {OLD}/steering.db": "steering.db can't be read",
}


def test_what_can_not_be_read_is_named_and_nothing_is_taken(old: Old, host: Host) -> None:
    host.run("cp", "-a", OLD, f"{OLD}.sound")
    for spoil, told in SPOILT.items():
        host.run("sh", "-c", spoil)
        before = old.state()
        done = host.run("toru", "import", OLD, check=False)
        assert (done.returncode, done.stdout) == (1, ""), spoil
        assert told in done.stderr
        assert host.run("ls", PLUGINS).stdout == ""
        assert rows_of_sqlite(host)("SELECT * FROM users") == []
        assert old.state() == before
        host.run("sh", "-c", f"rm -r {OLD}; cp -a {OLD}.sound {OLD}")
    host.run("rm", "-r", f"{OLD}.sound")


def test_a_file_of_ours_is_not_changed(old: Old, toru: Toru, host: Host) -> None:
    toru.drop("clock.binary", "#!/bin/sh\n")
    (of_clock,) = (it for it in imported(host) if it["name"] == "clock.binary" and it["what"] == "file")
    assert (of_clock["outcome"], of_clock["reason"]) == ("left", "another one of this name is here")
    assert host.read(f"{PLUGINS}/clock.binary") == "#!/bin/sh\n"


def test_a_scan_that_was_under_way_is_not_taken_for_one_of_what_came(old: Old, toru: Toru, host: Host) -> None:
    host.put(f"{OLD}/plugins/bad.binary", "#!/bin/sh\nexit 1\n", 0o755)
    toru._files.add("bad.binary")
    # That scan has looked at everything, and waits for this one to listen.
    toru.plant("slow", "toru1.py", listens_after=6)
    toru.wait_until("it to be brought up", lambda: toru.pid("slow") != 0)
    assert host.show("toru-scan.service", "ActiveState") == {"ActiveState": "activating"}
    said = json.loads(host.run("toru", "import", "--plugins", f"{OLD}/plugins", "--json").stdout)
    (of_bad,) = (it for it in said["outcomes"] if it["what"] == "plugin")
    assert (of_bad["name"], of_bad["outcome"]) == ("bad.binary", "left")
    assert toru.pid("clock") != 0


def test_others_than_root_and_wrong_words_are_told(host: Host) -> None:
    refused = host.run("toru", "import", "/usr", user="nobody", check=False)
    assert (refused.returncode, refused.stderr) == (1, "toru: only root may import\n")
    for words in (("/usr",), (), ("--database", "/nowhere")):
        assert host.run("toru", "import", *words, check=False).returncode == 2, words
