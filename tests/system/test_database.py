"""A database that is read-only, or on a disk that is full: told as such, well again by itself, and no plugin minds."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru

pytestmark = pytest.mark.req("KV-3", "ISO-5")

DISK = "/var/lib/toru/disk"
KV = "/api/plugins/keeper/kv"


@pytest.fixture
def api(host: Host) -> Api:
    return Api(host)


@pytest.fixture
def disk(toru: Toru, host: Host) -> Iterator[str]:
    """The database lies on a small disk of its own, and a plugin keeps something in it."""
    host.run("mkdir", "-p", DISK)
    host.run("mount", "-t", "tmpfs", "-o", "size=4M", "tmpfs", DISK)
    host.run("chown", "toru:toru", DISK)
    toru.settings(f'database_url = "sqlite:///{DISK}/toru.db"\n')
    toru.plant("keeper")
    toru.scan()
    api = Api(host)
    toru.wait_until("a database", lambda: put(api, 1) == 200)
    yield DISK
    host.run("rm", "/etc/toru/toru.toml")
    host.run("systemctl", "restart", "toru.service")
    host.run("umount", DISK)
    host.run("rmdir", DISK)


def put(api: Api, value: object) -> int:
    body = json.dumps({"action": "set", "key": "k", "value": value}).encode()
    answer = api("POST", KV, body=body)
    if answer.status != 200:
        assert answer.json()["code"] == "store-unavailable"
    return answer.status


def get(api: Api) -> object:
    answer = api("POST", KV, body=b'{"action": "get", "key": "k"}')
    assert answer.status == 200, answer.body
    return answer.json()["value"]


def told(toru: Toru, what: str) -> bool:
    return any(what in entry["MESSAGE"] for entry in toru.journal("_SYSTEMD_UNIT=toru.service", "PRIORITY=3"))


def crash(toru: Toru) -> float:
    """Returns the time just before it happened."""
    before, moment = toru.pid("keeper"), time.time()
    toru.host.run("kill", "-9", str(before))
    toru.wait_until("the plugin to be back", lambda: toru.pid("keeper") not in (0, before))
    toru.until_shown("keeper", state="running", pid=toru.pid("keeper"))
    return moment


def crashes(api: Api, since: float) -> int:
    return len(api.get(f"/api/plugins/keeper/events?kind=crashed&since={since:.6f}")["events"])


# Opens the database as the core does, and is killed with it: what SQLite puts beside it stays there.
HOLDER = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1])
database.execute("SELECT count(*) FROM plugin_kv").fetchall()
print("open", flush=True)
time.sleep(600)
"""


def test_a_full_disk(toru: Toru, api: Api, host: Host, disk: str) -> None:
    full = host.run("sh", "-c", f"cat /dev/zero > {disk}/filler", check=False)
    assert "No space left" in full.stderr
    assert put(api, "x" * 80_000) == 503
    assert told(toru, "full")
    assert get(api) == 1, "what can be read is read"
    moment = crash(toru)
    assert toru.ask("keeper")["pid"] == toru.pid("keeper")
    assert api.get("/api/plugins/keeper")["pid"] == toru.pid("keeper")
    assert crashes(api, moment) == 0
    host.run("rm", f"{disk}/filler")
    assert put(api, "x" * 80_000) == 200
    toru.wait_until("what happened meanwhile", lambda: crashes(api, moment) == 1, 40)


def test_a_database_that_is_read_only(toru: Toru, api: Api, host: Host, disk: str) -> None:
    with host.popen("python3", "-c", HOLDER, f"{disk}/toru.db", user="toru", stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        host.run("systemctl", "stop", "toru.service", "toru.socket")
        holder.kill()
    host.run("chmod", "-R", "a-w", disk)
    host.run("systemctl", "start", "toru.socket", "toru.service")
    assert api("GET", "/api/health").status == 200
    assert put(api, 2) == 503
    assert told(toru, "toru.db is read-only")
    moment = crash(toru)
    assert toru.ask("keeper")["pid"] == api.get("/api/plugins/keeper")["pid"] == toru.pid("keeper")
    core = host.show("toru.service", "MainPID")
    host.run("chmod", "-R", "u+w", disk)
    toru.wait_until("it to be written to", lambda: put(api, 3) == 200)
    assert get(api) == 3
    toru.wait_until("what happened meanwhile", lambda: crashes(api, moment) == 1, 40)
    assert host.show("toru.service", "MainPID") == core, "nobody had to restart anything"
