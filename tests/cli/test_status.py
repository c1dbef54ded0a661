"""`toru status`, of a plugin and of the host."""

import json
import re

import pytest
from rich.cells import cell_len

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3")


def test_a_healthy_plugin_ends_with_0_and_a_card(toru: Command, shop: Toru) -> None:
    said = toru("status", "field")
    card = dict(line.split("\t", 1) for line in said.stdout.splitlines())
    assert said.returncode == 0
    assert card["state"].startswith("running since ")
    assert card["pid"] == str(shop.pid("field"))
    assert card["sandbox"] == "default (asks for trusted)"
    assert card["unit"] == "toru-plugin-field.service"
    assert card["socket"] == "/run/toru/plugins/field.sock"
    assert card["own socket"] == "/run/toru-plugins/field/plugin.sock"
    assert "512M" in card["memory"]
    assert "256" in card["tasks"]


def test_the_card_ends_with_the_newest_log_lines(toru: Command, shop: Toru) -> None:
    log = toru.json("status", "field")["log"]
    assert 0 < len(log) <= 10
    written = [line["message"] for line in log if line["source"] == "plugin"]
    assert written == shop.logged("field")[-len(written) :]


def test_who_may_not_read_the_journal_is_told_so(toru: Command) -> None:
    said = toru("status", "clock", "--json", user="nobody")
    assert json.loads(said.stdout)["log"] is None
    assert said.returncode == 0


def test_a_failure_says_why_and_when_systemd_tries_again(toru: Command, shop: Toru) -> None:
    said = toru("status", "fallen", "--json")
    row = json.loads(said.stdout)
    assert said.returncode == 3
    assert row["state"] == "backing off"
    assert row["reason"] == row["last_end"] == "it exited with status 3"
    assert shop.service("fallen", "ExecMainStatus") == {"ExecMainStatus": "3"}
    assert 2000 < row["retry_in_seconds"] <= 3600


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("clokc", "there is no plugin clokc; did you mean clock?"),
        ("silent", "silent.binary was rejected: printed nothing for --metadata"),
        ("../\x1b[31m", r"'../\x1b[31m' is not a plugin id: 1 to 64 letters, digits and hyphens"),
    ],
)
def test_who_is_no_plugin_gets_a_sentence(toru: Command, text: str, sentence: str) -> None:
    said = toru("status", text)
    assert (said.returncode, said.stdout, said.stderr) == (1, "", f"toru: {sentence}\n")


def test_a_disabled_plugin_ends_with_3_too(toru: Command) -> None:
    said = toru("status", "off")
    assert (said.returncode, said.stdout.splitlines()[1]) == (3, "state\tdisabled")


def test_programs_get_the_same_as_json(toru: Command) -> None:
    said = toru("status", "clokc", "--json")
    assert (said.returncode, said.stdout) == (1, "")
    assert json.loads(said.stderr) == {
        "error": {"code": "unknown-plugin", "message": "there is no plugin clokc; did you mean clock?"}
    }


def test_without_an_id_it_counts(toru: Command) -> None:
    summary = toru.json("status")
    assert (summary["plugins"], summary["enabled"], summary["rejected"]) == (6, 5, 1)
    assert summary["health"] == {"healthy": 4, "unhealthy": 1, "disabled": 1}
    assert summary["systemd"] == toru.host.systemd_version
    units = {unit["name"]: unit["active"] for unit in summary["units"]}
    assert list(units) == ["toru.socket", "toru.service", "toru-plugins.service", "toru-scan.path"]
    assert units["toru-scan.path"] == toru.host.show("toru-scan.path", "ActiveState")["ActiveState"]


@pytest.mark.req("OPS-3", "SEC-5")
def test_a_person_sees_a_card_in_colour_and_nothing_is_markup(toru: Command) -> None:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said := toru.on_terminal("status", "hostile"))
    assert plain.startswith("● 👩 hostile  [red]loud[/red] :boom:  1.0\n")
    assert "\x1b[32mrunning since" in said
    assert max(map(cell_len, plain.splitlines())) <= 80
