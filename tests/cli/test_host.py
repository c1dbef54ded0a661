"""`toru host` and `toru figures`."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3")

COLUMNS = {
    *("at", "memory_bytes", "tasks", "cpu_percent", "requests_per_second"),
    *("errors_per_second", "restarts"),
}


def asked(toru: Command, path: str) -> Any:
    return json.loads(toru.host.run("curl", "-s", "--unix-socket", "/run/toru/api.sock", f"http://toru{path}").stdout)


def test_the_host_is_told_at_a_glance(toru: Command) -> None:
    card = dict(toru.table("host"))
    assert card["host"] == toru.host.run("uname", "-n").stdout.strip()
    assert card["cpu"].rpartition(" of ")[2].split()[0] == toru.host.run("getconf", "_NPROCESSORS_ONLN").stdout.strip()
    assert "free: " in card["disk"]
    assert {"system", "up", "memory", "plugins"} <= set(card)
    answer, document = asked(toru, "/api/host"), toru.json("host")
    assert set(document) == set(answer)
    for steady in ("hostname", "system", "processors", "memory_total_bytes"):
        assert document[steady] == answer[steady]
    assert "\x1b[1m" + card["host"] in toru.on_terminal("host")


def test_figures_over_time_are_lines_or_columns(toru: Command, shop: Toru) -> None:
    shop.wait_until("figures", lambda: toru.json("figures", "clock")["at"], seconds=60)
    columns = toru.json("figures", "clock")
    assert set(columns) == COLUMNS
    answer = asked(toru, "/api/plugins/clock/figures")
    assert {name: values[: len(columns["at"])] for name, values in answer.items()} == columns
    first = toru.table("figures", "clock")[0]
    assert len(first) == len(COLUMNS)
    assert datetime.fromisoformat(first[0]).timestamp() == pytest.approx(columns["at"][0], abs=0.001)
    assert len(toru.table("figures", "-n", "1")) == 1
    assert toru.table("figures", "-n", "0") == []
    assert set(toru.json("figures")) == COLUMNS
    assert "MEMORY" in toru.on_terminal("figures", "clock")


@pytest.mark.parametrize(
    ("plugin_id", "sentence"),
    [("clokc", "there is no plugin clokc; did you mean clock?"), ("silent", "silent.binary was rejected: ")],
)
def test_nobody_has_no_figures(toru: Command, plugin_id: str, sentence: str) -> None:
    said = toru("figures", plugin_id)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith(f"toru: {sentence}")


@pytest.mark.req("OPS-3", "SEC-1")
def test_both_are_for_admins(toru: Command) -> None:
    for command in ("host", "figures"):
        said = toru(command, user="nobody")
        assert (said.returncode, said.stdout) == (1, "")
        assert said.stderr == "toru: only root and members of the group toru-admin may do this\n"
