"""`toru list`, for pipes, programs and people."""

import json
import re

import pytest
from rich.cells import cell_len

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3")

FOR_FRONT_ENDS = ["id", "name", "version", "author", "icon", "route", "enabled", "running", "health", "pid"]


@pytest.fixture(scope="module")
def piped(toru: Command) -> str:
    return toru("list").stdout


def test_a_pipe_gets_a_line_for_each_plugin_parted_by_tabs(piped: str) -> None:
    rows = {row[0]: row[1:] for row in (line.split("\t") for line in piped.splitlines())}
    assert rows["clock"] == ["healthy", "running", "2.1.0", "World clock", "-"]
    assert rows["asleep"] == ["healthy", "idle", "1.0", "The asleep", "-"]
    assert rows["off"] == ["disabled", "stopped", "1.0", "The off", "-"]
    assert rows["fallen"][:2] == ["unhealthy", "backing off"]
    assert re.fullmatch(r"it exited with status 3; next try within [23][0-9]{3} s", rows["fallen"][-1])


@pytest.mark.req("OPS-3", "ISO-4")
def test_rejected_files_stand_behind_the_plugins_with_their_reasons(piped: str) -> None:
    assert piped.endswith("\nsilent.binary\trejected\t-\t-\t-\tprinted nothing for --metadata\n")


def test_a_pipe_gets_no_colour_no_boxes_and_whole_lines(piped: str) -> None:
    assert "\x1b" not in piped
    assert not re.search(r"[\u2500-\u257f…]", piped)
    assert {len(line.split("\t")) for line in piped.splitlines()} == {6}


def test_json_says_what_systemd_says(toru: Command, shop: Toru) -> None:
    said = toru("list", "--json").stdout
    assert said.isascii()
    document = json.loads(said)
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


def test_a_terminal_gets_colours_and_lines_that_fit(toru: Command) -> None:
    said = toru.on_terminal("list", columns=80)
    assert "\x1b[32m●" in said
    assert "\x1b[31m●" in said
    assert "\x1b[1mclock" in said
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    assert max(map(cell_len, plain.splitlines())) <= 80
    assert re.search(r"○ +\S+ +off +The off +1\.0 +disabled", plain)


def test_who_wants_no_colour_gets_none(toru: Command) -> None:
    said = toru.on_terminal("list", environment={"NO_COLOR": "1"})
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", said)
    assert "clock" in said


def test_no_scan_yet_is_a_sentence(toru: Command) -> None:
    toru.host.run("mv", "/run/toru/catalogue.json", "/run/toru/aside")
    try:
        said = toru("list")
    finally:
        toru.host.run("mv", "/run/toru/aside", "/run/toru/catalogue.json")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "toru: no scan has run yet: systemctl start toru-scan\n"
