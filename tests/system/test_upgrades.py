"""The core with a database of an earlier release, and with one of a later release."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.host import Host
from tests.store.test_upgrading import make_newer, make_old
from tests.system.api import Api
from tests.system.databases import SQLITE, rows_of_sqlite
from tests.system.toru import Toru
from toru import __version__

STATE = "/var/lib/toru"
COPY = re.compile(r"toru\.db\.r0001-\d{8}T\d{6}Z")


@pytest.fixture
def no_core(toru: Toru, host: Host) -> Iterator[None]:
    """The core is down, with no database; and has an empty one afterwards."""
    host.run("systemctl", "stop", "toru.service", "toru.socket")
    host.run("sh", "-c", f"rm -f {SQLITE}*")
    yield
    host.run("systemctl", "stop", "toru.service", "toru.socket")
    host.run("sh", "-c", f"rm -f {SQLITE}*")
    host.run("systemctl", "reset-failed", "toru.socket", "toru.service")
    host.run("systemctl", "start", "toru.socket", "toru.service")


def lay_down(host: Host, database: Path) -> None:
    host.put(SQLITE, database.read_bytes(), 0o600)
    host.run("chown", "toru:toru", SQLITE)


def kept(host: Host) -> list[str]:
    return [name for name in host.run("ls", STATE).stdout.split() if COPY.fullmatch(name)]


@pytest.mark.req("KV-3", "OPS-2")
def test_an_older_database_is_upgraded_at_the_start_and_a_copy_stays(
    no_core: None, toru: Toru, host: Host, tmp_path: Path
) -> None:
    make_old(f"sqlite:///{tmp_path}/toru.db")
    lay_down(host, tmp_path / "toru.db")
    toru.plant("clock")
    toru.scan()
    host.run("systemctl", "start", "toru.socket", "toru.service")
    answer = Api(host)("POST", "/api/plugins/clock/kv", body=b'{"action": "get", "key": "k"}')
    assert json.loads(answer.body) == {"value": "kept"}
    assert rows_of_sqlite(host)("SELECT release FROM releases") == [(__version__,)]
    (copy,) = kept(host)
    assert host.run("stat", "--format=%a %U", f"{STATE}/{copy}").stdout == "600 toru\n"


@pytest.mark.req("OPS-2", "OPS-3")
def test_a_newer_database_ends_the_core_once_with_a_sentence(
    no_core: None, toru: Toru, host: Host, tmp_path: Path
) -> None:
    make_newer(f"sqlite:///{tmp_path}/toru.db")
    lay_down(host, tmp_path / "toru.db")
    make_old(f"sqlite:///{tmp_path}/old.db")
    copy = f"{SQLITE}.r0001-20260101T000000Z"
    host.put(copy, (tmp_path / "old.db").read_bytes(), 0o600)
    toru.plant("clock")
    toru.scan()
    running = toru.pid("clock")
    since = host.cursor()
    host.run("systemctl", "start", "toru.socket")
    assert host.run("systemctl", "start", "toru.service", check=False).returncode == 1
    sentence = (
        f"the database is of Toru 99.1.0 (revision r9999), and this is Toru {__version__} (revision r0003), which "
        f"can't go back: install Toru 99.1.0 again, or put back {copy}, the copy from before the upgrade"
    )
    wanted = ("ActiveState", "Result", "ExecMainStatus", "NRestarts", "StatusText", "ExecMainPID")
    shown = host.show("toru.service", *wanted)
    # Not by its unit, which journald looks up in /proc, and misses if the process has ended by then.
    pid = shown.pop("ExecMainPID")
    assert shown == {
        "ActiveState": "failed",
        "Result": "exit-code",
        "ExecMainStatus": "78",
        "NRestarts": "0",
        "StatusText": sentence,
    }
    # Its own words; what systemd says before it runs it stands under another name.
    entries = host.journal(f"_PID={pid}", "SYSLOG_IDENTIFIER=toru", since_cursor=since)
    assert [entry["MESSAGE"] for entry in entries] == [sentence], "and no traceback"
    # Nobody's request starts it again and again.
    toru.wait_until("its addresses to be closed", lambda: active(host, "toru.socket") == "inactive")
    refused = host.run("toru", "user", "add", "ann", "--generate", check=False)
    assert (refused.returncode, refused.stderr) == (1, f"toru: {sentence}\n")
    assert toru.pid("clock") == running != 0, "plugins run on"
    # As the sentence says.
    host.run("sh", "-c", f"rm -f {SQLITE}-wal {SQLITE}-shm; mv {copy} {SQLITE}; chown toru:toru {SQLITE}")
    host.run("systemctl", "start", "toru.service")
    assert (active(host, "toru.service"), active(host, "toru.socket")) == ("active", "active")
    assert len(rows_of_sqlite(host)("SELECT * FROM plugin_kv")) == 1


@pytest.mark.req("ISO-5")
def test_a_core_that_fails_in_another_way_keeps_its_addresses(host: Host, toru: Toru) -> None:
    """What systemd has to kill is failed for a moment, though it starts again at once."""
    host.put("/run/systemd/system/toru.service.d/hurry.conf", "[Service]\nTimeoutStopSec=100ms\n")
    host.run("systemctl", "daemon-reload")
    since = host.cursor()
    try:
        host.run("systemctl", "kill", "--signal=STOP", "toru.service")
        host.run("systemctl", "restart", "toru.service")
        toru.wait_until("nobody to mind any more", lambda: active(host, "toru-halt.service") == "inactive")
        assert (active(host, "toru.service"), active(host, "toru.socket")) == ("active", "active")
        told = [entry["MESSAGE"] for entry in host.journal("UNIT=toru.service", "_PID=1", since_cursor=since)]
        assert any("Failed with result 'timeout'" in line for line in told)
    finally:
        host.run("rm", "-r", "/run/systemd/system/toru.service.d")
        host.run("systemctl", "daemon-reload")


def active(host: Host, unit: str) -> str:
    return host.show(unit, "ActiveState")["ActiveState"]
