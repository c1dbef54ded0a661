"""toru-export.service: files for outside agents, from the journal, none of its lines lost and none twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.host import Host
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OBS-3")

UNIT = "toru-export.service"
LOGS = "/var/log/toru"
STATE = "/var/lib/toru-export"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/test.conf"
CHATTY = str(Path(__file__).parents[1] / "cli/chatty.py")
COUNT = 2000
"""Lines that a counter writes each time."""

SETTINGS = '[export]\nmax_file = "64K"\nkeep = 100\n'
BACK_AT_ONCE = "[Service]\nRestartSec=100ms\n"

COUNTERS = ("killed", "renamed", "unheard", "barred")
"""Plugins, one for each test that counts."""


class Export:
    """The service, and the files as an agent sees them."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def start(self) -> None:
        self.host.run("systemctl", "start", UNIT)

    def stop(self) -> None:
        self.host.run("systemctl", "stop", UNIT)

    def kill(self) -> None:
        """With SIGKILL; systemd starts it again."""
        self.host.run("systemctl", "kill", "--signal=KILL", UNIT)

    def files(self, pattern: str) -> list[str]:
        """Those set aside first, the oldest foremost."""
        found = self.host.run("sh", "-c", f"ls -d {LOGS}/{pattern} || :").stdout.split()
        return sorted(found, key=lambda name: -int(re.sub(r".*\.log\.?|\D", "", name) or 0))

    def text(self, pattern: str) -> str:
        files = self.files(pattern)
        return self.host.run("cat", "--", *files).stdout if files else ""

    def lines(self, plugin_id: str) -> list[dict[str, Any]]:
        """Every line there is of a plugin, and each a whole one."""
        return [json.loads(line) for line in self.text(f"plugins/{plugin_id}.log*").splitlines()]

    def messages(self, plugin_id: str) -> list[str]:
        return [line["message"] for line in self.lines(plugin_id)]

    def of_supervisor(self, plugin_id: str) -> list[dict[str, Any]]:
        said = map(json.loads, self.text("plugin-supervisor.log*").splitlines())
        return [line for line in said if line.get("plugin") == plugin_id]

    def until_there(self, plugin_id: str, number: int) -> None:
        """Until a counter's line is in one of its files."""
        found = f'grep -qs \'"message": "line {number}"\' {LOGS}/plugins/{plugin_id}.log*'
        self.host.wait_for(f"line {number}", lambda: self.host.run("sh", "-c", found, check=False).returncode == 0, 60)

    def until_whole(self, plugin_id: str, lines: int) -> None:
        """Until there are so many lines of the plugin."""
        self.host.wait_for("every line", lambda: self.text(f"plugins/{plugin_id}.log").count("\n") == lines, 60)

    def until(self, plugin_id: str, last: str, seconds: float = 60) -> None:
        """Until this line is the last in the plugin's file."""
        found = f'tail -n1 {LOGS}/plugins/{plugin_id}.log 2>/dev/null | grep -c \'"message": "{last}"\''
        self.host.wait_for(last, lambda: self.host.run("sh", "-c", found, check=False).returncode == 0, seconds)


LINES = [
    "a plain line",
    "<3>it went wrong",
    "<4>look out",
    "<7>a detail",
    json.dumps({"timestamp": "2026-01-01T00:00:00Z", "level": "ERROR", "msg": "in parts", "error": "E1", "count": 3}),
    json.dumps({"level": "debug", "message": "whose?", "plugin": "other", "cursor": "x"}),
    '{"level": "error", "message": "half a sur\\ud800rogate"}',
    "\x1b[31mred\x1b[0m \u2028 \u202egnorw",
    "ÄÖÜ",
]
ENTRIES = [
    [["MESSAGE", "two\nlines"], ["PRIORITY", "3"], ["_SYSTEMD_UNIT", "toru-plugin-other.service"]],
    [["MESSAGE", "forged"], ["UNIT", "toru-plugin-other.service"], ["TORU_PLUGIN", "other"], ["_PID", "1"]],
    [["MESSAGE", "the last"], ["SYSLOG_IDENTIFIER", "toru-admin"], ["TORU_EVENT", "disabled"], ["_UID", "0"]],
]


@pytest.fixture(scope="module")
def toru(host: Host) -> Iterator[Toru]:
    """A host that exports, with plugins that write. The service comes back at once when it is killed."""
    toru = Toru(host)
    host.put("/etc/toru/toru.toml", SETTINGS)
    host.put(DROP_IN, BACK_AT_ONCE)
    host.run("systemctl", "daemon-reload")
    host.run("rm", "-rf", LOGS, STATE)
    host.run("systemctl", "start", UNIT)
    toru.plant("clock", metadata={"start": "on-demand"})
    toru.plant("talker", CHATTY, metadata={"protocol": "http"}, lines=LINES, entries=ENTRIES)
    for plugin_id in COUNTERS:
        toru.plant(plugin_id, "counting.py", metadata={"protocol": "http"}, count=COUNT)
    toru.scan()
    toru.wait_until("all to be ready", lambda: all("ready" in toru.logged(plugin_id) for plugin_id in COUNTERS))
    yield toru
    host.run("systemctl", "stop", UNIT)
    host.run("sh", "-c", f"rm -rf {LOGS} {STATE} {DROP_IN.rpartition('/')[0]}")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "reset-failed", UNIT, check=False)
    toru.clean_up()


@pytest.fixture
def export(toru: Toru) -> Export:
    """Running since before there were plugins."""
    return Export(toru.host)


def numbered(last: int) -> list[str]:
    return ["ready", *(f"line {number}" for number in range(1, last + 1))]


def said_by_it(toru: Toru) -> list[str]:
    return [entry["MESSAGE"] for entry in toru.journal(f"_SYSTEMD_UNIT={UNIT}")]


def test_nothing_starts_it_unless_ops_enable_it(host: Host) -> None:
    assert host.run("systemctl", "is-enabled", UNIT, check=False).stdout == "disabled\n"
    assert host.show(UNIT, "WantedBy", "RequiredBy", "TriggeredBy") == {
        "WantedBy": "",
        "RequiredBy": "",
        "TriggeredBy": "",
    }


@pytest.mark.req("SEC-5")
def test_every_line_of_a_plugin_is_a_json_object_in_its_own_file(toru: Toru, export: Export) -> None:
    export.until_whole("talker", len(LINES) + len(ENTRIES))
    text = export.text("plugins/talker.log")
    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    lines = export.lines("talker")
    entries = toru.journal("_SYSTEMD_UNIT=toru-plugin-talker.service")
    assert [line["cursor"] for line in lines] == [entry["__CURSOR"] for entry in entries]
    assert {line["plugin"] for line in lines} == {"talker"}
    # What comes by standard output and by journald's own socket is read as it is found.
    said = {
        way: [
            (line["level"], line["priority"], line["message"])
            for line, entry in zip(lines, entries, strict=True)
            if entry["_TRANSPORT"] == way
        ]
        for way in ("stdout", "journal")
    }
    assert said["stdout"] == [
        ("info", 6, "a plain line"),
        ("error", 3, "it went wrong"),
        ("warn", 4, "look out"),
        ("debug", 7, "a detail"),
        ("error", 3, "in parts"),
        ("debug", 7, "whose?"),
        ("info", 6, LINES[6]),
        ("info", 6, LINES[7]),
        ("info", 6, "ÄÖÜ"),
    ]
    assert said["journal"] == [
        ("error", 3, "two\nlines"),
        ("info", 6, "forged"),
        ("info", 6, "the last"),
    ]
    (parts,) = (line for line in lines if line["message"] == "in parts")
    assert (parts["plugin_timestamp"], parts["error"], parts["fields"]) == ("2026-01-01T00:00:00Z", "E1", {"count": 3})
    for line, entry in zip(lines, entries, strict=True):
        moment = datetime.fromisoformat(line["timestamp"])
        assert round(moment.timestamp() * 1e6) == int(entry["__REALTIME_TIMESTAMP"])
        assert line["timestamp"].endswith("Z")
        assert (line["pid"], line["invocation_id"]) == (int(entry["_PID"]), entry["_SYSTEMD_INVOCATION_ID"])
    assert export.of_supervisor("other") == []


def test_what_systemd_and_toru_say_of_plugins_is_in_a_file_with_what_happened(
    toru: Toru, host: Host, export: Export
) -> None:
    toru.ask("clock")
    # It may answer before systemd, for which it has begun when its greeting has ended, says that it has.
    toru.wait_until("it to have begun", lambda: toru.service("clock", "ActiveState")["ActiveState"] == "active")
    host.run("systemctl", "kill", "--signal=KILL", "toru-plugin-clock.service")
    toru.wait_until("the restart", lambda: len(toru.starts("clock")) == 2)

    def told() -> list[str]:
        return [line["event"] for line in export.of_supervisor("clock") if "event" in line]

    toru.wait_until("it to be told", lambda: "restarted" in told())
    toru.disable("clock")
    toru.wait_until("the disable", lambda: "disabled" in told())
    assert [event for event in told() if event != "enabled"] == [
        *("started", "crashed", "restarted", "stopped", "disabled"),
    ]
    lines = export.of_supervisor("clock")
    (crash,) = (line for line in lines if line.get("event") == "crashed")
    assert (crash["source"], crash["unit"]) == ("systemd", "toru-plugin-clock.service")
    assert (crash["level"], crash["cause"]) == ("warn", "it was killed by SIGKILL")
    assert crash["details"]["signal"] == 9
    (disable,) = (line for line in lines if line.get("event") == "disabled")
    assert disable["source"] == "toru"
    # Every word of systemd's about the plugin's units is there, each once.
    service, socket = (f"UNIT=toru-plugin-clock.{kind}" for kind in ("service", "socket"))
    entries = toru.journal(service, "_PID=1", "+", socket, "_PID=1")
    toru.wait_until("the last", lambda: entries[-1]["__CURSOR"] in export.text("plugin-supervisor.log*"))
    told_by_systemd = [line["cursor"] for line in export.of_supervisor("clock") if line["source"] == "systemd"]
    assert told_by_systemd == [entry["__CURSOR"] for entry in entries]


def test_whoever_may_read_the_journal_may_read_the_files_and_nobody_else(host: Host, export: Export) -> None:
    export.until_whole("talker", len(LINES) + len(ENTRIES))
    file = f"{LOGS}/plugins/talker.log"
    owners = host.run("stat", "-c", "%U:%G %a", LOGS, f"{LOGS}/plugins", file).stdout
    assert owners.splitlines() == ["toru:adm 750", "toru:adm 750", "toru:adm 640"]
    assert host.run("cat", file, user="nobody", check=False).returncode != 0


# Loss and repetition.


def test_kills_restarts_and_rotation_lose_no_line_and_double_none(toru: Toru, export: Export) -> None:
    for part in range(1, 5):
        toru.ring("killed")
        export.until_there("killed", (part - 1) * COUNT + 1)  # so it is at work on this part
        if part % 3:
            export.kill()
        else:
            export.stop()
            export.start()
    export.until("killed", f"line {4 * COUNT}")
    assert export.messages("killed") == numbered(4 * COUNT) == toru.logged("killed")
    sizes = export.host.run("stat", "-c", "%s", *export.files("plugins/killed.log*")).stdout.split()
    assert max(map(int, sizes)) <= 64 << 10
    cursors = [line["cursor"] for line in export.of_supervisor("killed")]
    assert len(cursors) == len(set(cursors))


def test_files_that_others_rename_lose_no_line_and_double_none(toru: Toru, export: Export) -> None:
    file = f"{LOGS}/plugins/renamed.log"
    for part in range(1, 5):
        toru.ring("renamed")
        export.until_there("renamed", (part - 1) * COUNT + 1)
        # As logrotate does it with dateext, without `create` or a word to the one who writes. Just now it may have
        # been set aside.
        export.host.run("mv", file, f"{file}-2026010{part}", check=False)
        if part % 2:
            export.kill()
        export.until_there("renamed", part * COUNT)
    assert sorted(export.messages("renamed")) == sorted(numbered(4 * COUNT))


def test_what_is_written_while_it_is_off_is_there_when_it_is_on_again(toru: Toru, export: Export) -> None:
    export.until("unheard", "ready")
    export.stop()
    toru.ring("unheard")
    toru.wait_until("the lines", lambda: toru.logged("unheard")[-1] == f"line {COUNT}", 60)
    export.host.run("journalctl", "--rotate")
    export.start()
    export.until("unheard", f"line {COUNT}")
    assert export.messages("unheard") == numbered(COUNT)


def test_where_it_may_not_write_it_says_so_and_goes_on_later(toru: Toru, host: Host, export: Export) -> None:
    export.until("barred", "ready")
    export.stop()
    host.put(DROP_IN, f"{BACK_AT_ONCE}ReadOnlyPaths={LOGS}\n")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "start", UNIT, check=False)
    sentence = f"logs can't be exported: {LOGS}/plugin-supervisor.log: Read-only file system"
    toru.wait_until("the reason", lambda: sentence in said_by_it(toru))
    toru.ring("barred")
    toru.wait_until("the lines", lambda: toru.logged("barred")[-1] == f"line {COUNT}", 60)
    host.put(DROP_IN, BACK_AT_ONCE)
    host.run("systemctl", "daemon-reload")
    export.until("barred", f"line {COUNT}")
    assert export.messages("barred") == numbered(COUNT)


def test_a_mistake_in_the_settings_keeps_it_from_starting_and_is_told_with_its_line(
    toru: Toru, host: Host, export: Export
) -> None:
    export.stop()
    host.put("/etc/toru/toru.toml", "[export]\n\nkeep = 0\n")
    host.run("systemctl", "start", UNIT, check=False)
    sentence = "/etc/toru/toru.toml:3: export.keep must be a whole number, 1 to 100"
    toru.wait_until("the reason", lambda: sentence in said_by_it(toru))
    host.put("/etc/toru/toru.toml", SETTINGS)
    toru.wait_until("it to be back", lambda: host.show(UNIT, "ActiveState") == {"ActiveState": "active"})


def test_a_place_that_the_journal_does_not_know_is_told_and_it_begins_with_now(
    toru: Toru, host: Host, export: Export
) -> None:
    export.stop()
    host.put(f"{STATE}/cursor", "nonsense")
    host.run("chown", "toru:", f"{STATE}/cursor")
    before = export.text("plugins/*.log*")
    export.start()
    sentence = "the journal no longer has the place where this ended: lines may be missing"
    toru.wait_until("the warning", lambda: sentence in said_by_it(toru))
    toru.wait_until("it in the file", lambda: sentence in export.text("plugin-supervisor.log*"))
    assert export.text("plugins/*.log*") == before


def test_files_that_nobody_wrote_to_for_long_are_removed_and_others_left_alone(host: Host, export: Export) -> None:
    old = ["gone.log", "gone.log.2", "gone.log.gz", "gone.txt"]
    recent = ["here.log", "here.log.100", "here.log.101"]
    for name, days in {**dict.fromkeys(old, 31), **dict.fromkeys(recent, 29)}.items():
        host.run("touch", f"--date={days} days ago", f"{LOGS}/plugins/{name}")
    export.stop()
    export.start()
    left = host.run("sh", "-c", f"cd {LOGS}/plugins && ls gone* here*").stdout.split()
    assert left == ["gone.log.gz", "gone.txt", "here.log", "here.log.100"]
