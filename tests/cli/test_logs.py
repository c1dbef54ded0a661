"""`toru logs`."""

import json
import re
import signal
import subprocess
from datetime import datetime

import pytest

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3")


def test_a_pipe_gets_an_entry_a_line(toru: Command, shop: Toru) -> None:
    rows = toru.table("logs", "field")
    assert {len(row) for row in rows} == {4}
    times = [datetime.fromisoformat(row[0]) for row in rows]
    assert times == sorted(times)
    assert [row[3] for row in rows if row[2] == "plugin"] == shop.logged("field")
    assert "Started toru-plugin-field.service - Toru plugin From the field." in [
        row[3] for row in rows if row[2] == "systemd"
    ]


def test_programs_get_an_object_a_line(toru: Command, shop: Toru) -> None:
    lines = [json.loads(line) for line in toru("logs", "field", "-n", "2", "--json").stdout.splitlines()]
    assert len(lines) == 2
    written = next(line for line in lines if line["source"] == "plugin")
    assert (written["level"], written["priority"], written["pid"]) == ("info", 6, shop.pid("field"))
    assert written["invocation_id"] == shop.service("field", "InvocationID")["InvocationID"]
    assert lines[0]["cursor"] != lines[1]["cursor"]


@pytest.mark.req("OPS-3", "SEC-5")
def test_what_a_plugin_writes_can_neither_move_the_cursor_nor_forge_a_line(toru: Command) -> None:
    piped, shown = toru("logs", "hostile").stdout, toru.on_terminal("logs", "hostile", columns=120)
    assert "\x1b[31mfirst" in shown  # its priority is the only thing that colours it
    for said in (piped, re.sub(r"\x1b\[[0-9;]*m", "", shown)):
        assert r"\x1b[31mred\x1b[0m and \x07bell" in said
        assert r"\u202egnorw si siht" in said
        assert "[link=https://example.org]not markup[/link]" in said
        assert "日本語 and a       tab" in said
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said.replace("\t", ""))
        assert not re.search(r"^Jan 01 00:00:00", said, re.MULTILINE)
    assert r"first\nJan 01 00:00:00  forged" in piped


@pytest.mark.req("OPS-3", "SEC-5")
def test_an_entry_that_breaks_the_rules_is_shown_all_the_same(toru: Command) -> None:
    lines = [json.loads(line) for line in toru("logs", "hostile", "--json").stdout.splitlines()]
    messages = {line["message"]: line for line in lines}
    assert messages["urgent"]["priority"] in range(8)
    assert any("two of two" in message for message in messages)


def test_only_what_is_urgent_and_not_too_old(toru: Command) -> None:
    rows = toru.table("logs", "hostile", "--priority", "err", "--since", "1h")
    # "first", and perhaps the one that gives two priorities, of which one is err.
    assert [row[3].split()[-1] for row in rows if row[3] != "two of two"] == ["forged"]
    assert {row[1] for row in rows} == {"err"}
    assert [row[3] for row in toru.table("logs", "hostile", "--grep", "GNORW SI")] == [r"\u202egnorw si siht"]
    assert toru("logs", "hostile", "--since", "2099-01-01").stdout == ""


def test_follow_delivers_each_line_until_ctrl_c(toru: Command, shop: Toru) -> None:
    with toru.host.popen("toru", "logs", "field", "-f", "-n", "1", stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        assert following.stdout.readline()
        shop.ask_toru1("field", "/listened")
        assert following.stdout.readline().endswith("\tplugin\thttp /listened\n")
        following.send_signal(signal.SIGINT)
        assert following.wait(5) == 130


def test_follow_ends_when_nobody_reads_any_more(toru: Command) -> None:
    with toru.host.popen("toru", "logs", "off", "-f", "-n", "1", stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        following.stdout.readline()
        following.stdout.close()
        assert following.wait(5) == 141


def test_who_may_not_read_the_journal_is_told_who_may(toru: Command) -> None:
    said = toru("logs", "clock", user="nobody")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "toru: the journal shows you nothing: be root, or a member of the group systemd-journal\n"


def test_a_plugin_that_never_was_has_no_log(toru: Command) -> None:
    said = toru("logs", "clokc")
    assert (said.returncode, said.stderr) == (1, "toru: there is no plugin clokc; did you mean clock?\n")
