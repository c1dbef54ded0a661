"""`toru list`, for pipes, programs and people."""

import json
import re

import pytest

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3")

FOR_FRONT_ENDS = ["id", "name", "version", "author", "icon", "route", "enabled", "running", "health", "pid"]


def test_a_pipe_gets_a_line_for_each_plugin_parted_by_tabs(toru: Command) -> None:
    rows = {row[0]: row[1:] for row in toru.table("list")}
    assert rows["clock"] == ["healthy", "running", "2.1.0", "World clock", "-"]
    assert rows["asleep"] == ["healthy", "idle", "1.0", "The asleep", "-"]
    assert rows["off"] == ["disabled", "stopped", "1.0", "The off", "-"]
    assert rows["fallen"][0] == "unhealthy"
    assert rows["fallen"][-1].startswith("it exited with status 3")


@pytest.mark.req("OPS-3", "ISO-4")
def test_rejected_files_stand_behind_the_plugins_with_their_reasons(toru: Command) -> None:
    *_, last = toru.table("list")
    assert last == ["silent.binary", "rejected", "-", "-", "-", "printed nothing for --metadata"]


def test_a_pipe_gets_no_colour_no_boxes_and_whole_lines(toru: Command) -> None:
    said = toru("list").stdout
    assert "\x1b" not in said
    assert not re.search(r"[\u2500-\u257f…]", said)
    assert {len(line.split("\t")) for line in said.splitlines()} == {6}


def test_json_says_what_systemd_says(toru: Command, shop: Toru) -> None:
    document = toru.json("list")
    plugins = {row["id"]: row for row in document["plugins"]}
    clock = plugins["clock"]
    assert list(clock)[:11] == [*FOR_FRONT_ENDS, "socket_path"]
    assert clock["pid"] == shop.pid("clock")
    assert clock["socket_path"] == shop.socket("clock", "Listen")["Listen"].removesuffix(" (Stream)")
    assert clock["unit"] == "toru-plugin-clock.service"
    assert (clock["author"], clock["icon"], clock["health"]) == ("Ann O’Nym", "🕐", "healthy")
    assert (plugins["field"]["sandbox"], plugins["field"]["sandbox_asked"]) == ("default", "trusted")
    assert (plugins["asleep"]["running"], plugins["asleep"]["pid"]) == (False, None)
    assert document["rejected"] == [{"file": "silent.binary", "reason": "printed nothing for --metadata", "id": None}]


def test_json_is_plain_ascii_in_every_locale(toru: Command) -> None:
    said = toru.host.run("env", "LC_ALL=C", "PYTHONIOENCODING=ascii", "toru", "list", "--json").stdout
    assert said.isascii()
    assert {row["icon"] for row in json.loads(said)["plugins"]} >= {"🕐"}


def test_a_locale_that_lacks_a_character_gets_its_escape(toru: Command) -> None:
    said = toru.host.run("env", "PYTHONIOENCODING=ascii", "toru", "status", "clock").stdout
    assert r"author\tAnn O\u2019Nym" in said.replace("\t", r"\t")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_colours_and_lines_that_fit(toru: Command, columns: int) -> None:
    said = toru.on_terminal("list", columns=columns)
    assert "\x1b[32m●" in said
    assert "\x1b[31m●" in said
    assert "\x1b[1mclock" in said
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    assert max(map(len, plain.splitlines())) <= columns
    assert re.search(r"○ +\S+ +off +The off +1\.0 +disabled", plain)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_terminal_without_colours_gets_none(toru: Command, environment: dict[str, str]) -> None:
    said = toru.on_terminal("list", environment=environment)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", said)
    assert "clock" in said


@pytest.mark.req("SEC-5")
def test_a_name_is_never_read_as_markup(toru: Command) -> None:
    for said in (toru("list").stdout, toru.on_terminal("list", columns=120), toru.on_terminal("status", "hostile")):
        assert "[red]loud[/red] :boom:" in said


def test_no_scan_yet_is_a_sentence(toru: Command) -> None:
    toru.host.run("mv", "/run/toru/catalogue.json", "/run/toru/aside")
    try:
        for arguments in (["list"], ["status"], ["status", "clock"]):
            said = toru(*arguments)
            assert (said.returncode, said.stdout) == (1, "")
            assert said.stderr == "toru: no scan has run yet: systemctl start toru-scan\n"
    finally:
        toru.host.run("mv", "/run/toru/aside", "/run/toru/catalogue.json")
