"""Log lines over HTTP: pages, levels, search, cursors, the file and the live stream."""

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru
from toru.domain.events import STOPPED, STOPPING
from toru.web.logs import LogPage, LogRow

pytestmark = pytest.mark.req("API-4", "OBS-1")

LAST_WORDS = "/api/plugins/wordy/logs?page_size=1"
CHATTY = str(Path(__file__).parents[1] / "cli/chatty.py")
LINES = [
    "a plain line",
    "<3>it went wrong",
    "<7>a detail",
    json.dumps(
        {"timestamp": "2026-01-01T00:00:00Z", "level": "error", "message": "JSON went wrong", "plugin": "other"}
    ),
    json.dumps({"level": "debug", "message": "JSON detail", "count": 3}),
    '{"level": "error", "message": "half a sur\\ud800rogate"}',
    "\x1b[31mred\x1b[0m",
    "last of them: ÄÖÜ",
]
ENTRIES = [
    [["MESSAGE", "first\nJan 01 00:00:00  forged"], ["PRIORITY", "3"], ["_SYSTEMD_UNIT", "toru-plugin-other.service"]],
    [["MESSAGE", "claims another unit"], ["UNIT", "toru-plugin-other.service"], ["PRIORITY", "4"]],
]


@pytest.fixture(scope="module")
def talker(host: Host) -> Iterator[Toru]:
    """A host with a plugin that has said its lines, and another that said nothing."""
    toru = Toru(host)
    toru.plant("talker", CHATTY, metadata={"protocol": "http"}, lines=LINES, entries=ENTRIES)
    toru.plant("other")
    toru.scan()
    # By standard output and by journald's own socket: either may come last.
    toru.wait_until("every line", lambda: len(toru.logged("talker")) == len(LINES) + len(ENTRIES))
    toru.wait_until("the other to serve", lambda: toru.logged("other"))
    yield toru
    toru.clean_up()


@pytest.fixture(scope="module")
def api(talker: Toru) -> Api:
    return Api(talker.host)


def messages(answer: Any) -> list[str]:
    return [line["message"] for line in answer["logs"]]


def test_the_newest_come_first_and_are_what_the_journal_has(talker: Toru, api: Api) -> None:
    answer = api.get("/api/plugins/talker/logs")
    LogPage.model_validate(answer)
    times = [line["at"] for line in answer["logs"]]
    assert times == sorted(times, reverse=True)
    assert answer["next_cursor"] is None
    by_cursor = {entry["__CURSOR"]: entry for entry in talker.host.journal("_SYSTEMD_UNIT=toru-plugin-talker.service")}
    own = [line for line in answer["logs"] if line["source"] == "plugin"]
    assert {line["cursor"] for line in own} == set(by_cursor)
    for line in own:
        entry = by_cursor[line["cursor"]]
        assert line["invocation_id"] == entry["_SYSTEMD_INVOCATION_ID"]
        assert line["pid"] == int(entry["_PID"])


def test_pages_and_cursors_give_every_line_once(api: Api) -> None:
    all_lines = api.get("/api/plugins/talker/logs")["logs"]
    paged: list[Any] = []
    for page in range(100):
        part = api.get(f"/api/plugins/talker/logs?page={page}&page_size=3")
        assert (part["page"], part["page_size"]) == (page, 3)
        paged += part["logs"]
        if part["next_cursor"] is None:
            break
    assert paged == all_lines
    walked: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        part = api.get(f"/api/plugins/talker/logs?page_size=4{cursor and f'&cursor={cursor}'}")
        walked += part["logs"]
        cursor = part["next_cursor"]
    assert walked == all_lines
    assert api.get(f"/api/plugins/talker/logs?page={len(all_lines)}&page_size=1")["logs"] == []


def test_a_json_line_becomes_its_fields_but_never_another_plugins(api: Api) -> None:
    lines = {line["message"]: line for line in api.get("/api/plugins/talker/logs")["logs"]}
    wrong = lines["JSON went wrong"]
    assert (wrong["level"], wrong["priority"], wrong["timestamp"]) == ("err", 3, "2026-01-01T00:00:00Z")
    assert (wrong["plugin_id"], wrong["fields"]) == ("talker", {})
    assert lines["JSON detail"]["fields"] == {"count": 3}
    assert {line["plugin_id"] for line in lines.values()} == {"talker"}
    assert lines["first\nJan 01 00:00:00  forged"]["level"] == "err", "an entry is one line, whatever is in it"


@pytest.mark.req("SEC-5")
def test_what_one_plugin_writes_is_in_no_other_plugins_log(api: Api) -> None:
    said = messages(api.get("/api/plugins/other/logs"))
    assert not [message for message in said if "forged" in message or "claims" in message]


@pytest.mark.parametrize("level", ["err", "error", "ERROR", "3"])
def test_a_level_is_what_the_line_itself_says(api: Api, level: str) -> None:
    said = messages(api.get(f"/api/plugins/talker/logs?level={level}"))
    # Not in this order: what comes by standard output and by journald's own socket is read as it is found.
    assert {"it went wrong", "JSON went wrong", "first\nJan 01 00:00:00  forged"} <= set(said)
    assert not {"a plain line", "a detail", "JSON detail"} & set(said)


def test_search_is_for_text_in_whatever_case(api: Api) -> None:
    assert messages(api.get("/api/plugins/talker/logs?q=WENT%20wrong")) == ["JSON went wrong", "it went wrong"]
    assert messages(api.get("/api/plugins/talker/logs?q=%C3%A4%C3%B6%C3%BC")) == ["last of them: ÄÖÜ"]
    assert messages(api.get("/api/plugins/talker/logs?q=WENT%20wrong&page_size=1&page=1")) == ["it went wrong"]
    assert api.get("/api/plugins/talker/logs?q=never%20said")["next_cursor"] is None


def test_since_and_until_are_bounds(api: Api) -> None:
    lines = api.get("/api/plugins/talker/logs")["logs"]
    middle = datetime.fromisoformat(lines[len(lines) // 2]["at"])
    moment = middle.isoformat().replace("+", "%2B")
    after = api.get(f"/api/plugins/talker/logs?since={moment}")["logs"]
    before = api.get(f"/api/plugins/talker/logs?until={moment}")["logs"]
    assert after + before == lines
    assert all(datetime.fromisoformat(line["at"]) >= middle for line in after)
    future = (middle + timedelta(days=1)).isoformat().replace("+", "%2B")
    assert api.get(f"/api/plugins/talker/logs?since={future}")["logs"] == []


def test_one_run_alone(talker: Toru, api: Api) -> None:
    run = talker.service("talker", "InvocationID")["InvocationID"]
    lines = api.get(f"/api/plugins/talker/logs?invocation={run}")["logs"]
    assert {line["invocation_id"] for line in lines} == {run}
    assert api.get(f"/api/plugins/talker/logs?invocation={'0' * 32}")["logs"] == []


@pytest.mark.req("API-4", "SEC-5")
def test_the_file_has_every_line_oldest_first_and_none_is_forged(api: Api) -> None:
    answer = api("GET", "/api/plugins/talker/logs/download")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="talker.log"'
    text = answer.body.decode()
    entries = [line for line in text.splitlines() if not line.startswith("\t")]
    assert len(entries) == len(api.get("/api/plugins/talker/logs")["logs"])
    assert [entry.split()[0] for entry in entries] == sorted(entry.split()[0] for entry in entries)
    assert "\n\tJan 01 00:00:00  forged\n" in text
    assert "\x1b" not in text
    errors = api("GET", "/api/plugins/talker/logs/download?level=err").body.decode()
    assert "it went wrong" in errors
    assert "a plain line" not in errors


def test_the_live_stream_brings_each_line_as_it_is_written(talker: Toru, api: Api) -> None:
    newest = api.get("/api/plugins/other/logs?page_size=2")["logs"]
    with api.stream("/api/plugins/other/logs/stream", {"Last-Event-ID": newest[1]["cursor"]}) as stream:
        missed = stream.first("log")
        assert (missed.data, missed.id) == (newest[0], newest[0]["cursor"]), "what came after the cursor"
        talker.host.run("systemctl", "restart", "toru-plugin-other.service")
        event = stream.first("log", source="plugin")
        LogRow.model_validate(event.data)
        assert event.data["message"] == f"serving as {talker.pid('other')}"
    with api.stream("/api/plugins/other/logs/stream?level=warning&q=exited") as stream:
        talker.host.run("kill", "-9", str(talker.pid("other")))
        first = stream.first("log")
        assert first.data["message"].endswith("Main process exited, code=killed, status=9/KILL")


@pytest.mark.req("API-4", "ISO-5")
def test_streams_hold_up_no_stop(talker: Toru, api: Api) -> None:
    with api.stream("/api/plugins/other/logs/stream") as logs, api.stream("/api/stream") as events:
        events.first("hello")
        before = talker.host.cursor()
        talker.host.run("systemctl", "restart", "toru.service")
        assert logs.ended(3)
        assert events.ended(3)
    told = talker.host.journal("UNIT=toru.service", "_PID=1", since_cursor=before)
    at = {entry.get("MESSAGE_ID"): int(entry["__REALTIME_TIMESTAMP"]) / 1e6 for entry in told}
    assert at[STOPPED] - at[STOPPING] < 5


WORDY = """\
#!/bin/sh
if [ "$1" != --metadata ]; then
    seq --format='line %.0f of many, and each of them {padding}' 20000
    exec sleep infinity
fi
echo '{{"id": "wordy", "name": "Wordy", "version": "1", "route": "/wordy", "protocol": "http"}}'
"""

# Begins to read a file, goes on when told to, and prints whether it came to its proper end (RFC 9112, section 7.1).
SLOW_READER = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("/run/toru/api.sock")
connection.sendall(b"GET /api/plugins/wordy/logs/download HTTP/1.1\\r\\nHost: toru\\r\\n\\r\\n")
answer = connection.recv(1000)
print(answer.split()[1].decode(), flush=True)
sys.stdin.readline()
while part := connection.recv(65536):
    answer += part
print(answer.endswith(b"\\r\\n0\\r\\n\\r\\n"))
"""


@pytest.mark.req("API-4", "ISO-5")
def test_nobody_takes_half_a_file_for_the_whole(talker: Toru, api: Api) -> None:
    talker.drop("wordy.binary", WORDY.format(padding="x" * 300))
    talker.scan()
    talker.wait_until("all it has to say", lambda: "line 20000 " in messages(api.get(LAST_WORDS))[0])
    pipe = subprocess.PIPE
    with talker.host.popen("python3", "-c", SLOW_READER, stdin=pipe, stdout=pipe) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "200\n"
        talker.host.run("systemctl", "restart", "--no-block", "toru.service")
        state = ("systemctl", "show", "--property=ActiveState", "--value", "toru.service")
        talker.wait_until("the core to stop", lambda: talker.host.run(*state).stdout != "active\n")
        assert reader.communicate("go on\n", timeout=30)[0] == "False\n"


def test_lines_of_a_plugin_that_is_gone_are_still_there(talker: Toru, api: Api) -> None:
    talker.plant("passing", CHATTY, metadata={"protocol": "http"}, lines=["I was here"])
    talker.scan()
    talker.wait_until("its line", lambda: "I was here" in talker.logged("passing"))
    talker.disable("passing")
    talker.remove("passing.binary")
    talker.scan()
    talker.wait_until("it to be gone", lambda: api("GET", "/api/plugins/passing").status == 404)
    assert api.get("/api/plugins/passing", expect=404)["code"] == "unknown-plugin"
    assert "I was here" in messages(api.get("/api/plugins/passing/logs"))
    assert api.get("/api/plugins/never-was/logs", expect=404)["code"] == "unknown-plugin"
