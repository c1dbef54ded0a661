"""`toru sandbox`."""

import json
from collections.abc import Iterator
from pathlib import PurePath

import pytest

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3", "SEC-4")

DROP_IN = "/etc/systemd/system/toru-plugin-clock.service.d/50-local.conf"


@pytest.fixture
def loosened(shop: Toru) -> Iterator[None]:
    """Ops have let the clock see everybody's processes."""
    shop.host.put(DROP_IN, "[Service]\nProtectProc=default\n")
    shop.host.run("systemctl", "daemon-reload")
    yield
    shop.host.run("rm", "-r", str(PurePath(DROP_IN).parent))
    shop.host.run("systemctl", "daemon-reload")


def test_as_it_comes_a_plugin_is_kept_in_well(toru: Command) -> None:
    assert toru.table("sandbox", "clock") == [["id", "clock"], ["grade", "good"], ["profile", "default"]]


def test_what_is_loosened_is_told_with_the_file_that_says_so(toru: Command, shop: Toru, loosened: None) -> None:
    assert shop.service("clock", "ProtectProc") == {"ProtectProc": "default"}
    rows = toru.table("sandbox", "clock")
    assert ["grade", "loosened"] in rows
    (wall,) = (row[1:] for row in rows if row[0] == "loosened")
    assert (wall[:3], wall[-1]) == (["ProtectProc", "default", "invisible"], DROP_IN)
    assert any(row[0] == "restart" and DROP_IN in row[1] for row in rows)
    shown = toru.on_terminal("sandbox", "clock", columns=120)
    assert "\x1b[33mloosened" in shown
    assert "ProtectProc=default" in shown
    assert DROP_IN in shown


def test_all_settings_in_force_are_what_systemd_says(toru: Command, shop: Toru, loosened: None) -> None:
    rows = toru.table("sandbox", "clock", "--all")
    settings = {(row[0], row[2]): row[3:] for row in rows if row[0] != "file"}
    service = "toru-plugin-clock.service"
    wanted = ("ProtectProc", "NoNewPrivileges", "ProtectSystem", "PrivateDevices")
    assert {name: settings[service, name][0] for name in wanted} == shop.service("clock", *wanted)
    assert settings[service, "ProtectProc"] == ["default", DROP_IN]
    files = [row[2] for row in rows if row[:2] == ["file", service]]
    facts = shop.service("clock", "FragmentPath", "DropInPaths")
    assert files == [facts["FragmentPath"], *facts["DropInPaths"].split()]
    assert [DROP_IN, "ops"] in [row[2:] for row in rows]
    shown = toru.on_terminal("sandbox", "clock", "--all", columns=160)
    assert "system calls" in shown
    assert "toru-plugin-clock.socket" in shown


def test_programs_get_the_api_s_answer(toru: Command) -> None:
    url = "http://toru/api/plugins/field/units"
    answer = toru.host.run("curl", "-s", "--unix-socket", "/run/toru/api.sock", url).stdout
    assert toru.json("sandbox", "field") == json.loads(answer)


def test_of_a_plugin_that_is_off_there_is_nothing_to_judge(toru: Command) -> None:
    said = toru("sandbox", "off")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == "id\toff\ngrade\tnone: it is off, so systemd has nothing in force for it\n"
    assert toru("sandbox", "off", "--all").stdout == ""
    assert toru.json("sandbox", "off") == {"id": "off", "service": None, "socket": None, "sandbox": None}


def test_nobody_is_no_plugin(toru: Command) -> None:
    said = toru("sandbox", "clokc")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "toru: there is no plugin clokc; did you mean clock?\n"


def test_everybody_may_know_as_systemd_tells_everybody(toru: Command) -> None:
    assert toru("sandbox", "field", user="nobody").stdout == toru("sandbox", "field").stdout != ""
