"""`toru runs`."""

import json
from datetime import datetime

import pytest

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3", "SUP-5")


def test_each_run_is_a_line_the_newest_first(toru: Command, shop: Toru) -> None:
    before = shop.service("field", "InvocationID")["InvocationID"]
    toru("restart", "field")
    now = shop.service("field", "InvocationID")["InvocationID"]
    shop.wait_until("the new run", lambda: toru.table("runs", "field", "-n", "1")[0][::4] == [now, "it goes on"])
    running, ended = toru.table("runs", "field", "-n", "2")
    assert (running[0], running[2:]) == (now, ["-", "-", "it goes on"])
    assert (ended[0], ended[-1]) == (before, "it ended on request")
    # The journal's own times of what systemd said of the run.
    told = shop.host.journal(f"INVOCATION_ID={before}", "_PID=1")
    moments = [int(entry["__REALTIME_TIMESTAMP"]) / 1e6 for entry in told]
    start, end = (datetime.fromisoformat(moment).timestamp() for moment in ended[1:3])
    assert start == pytest.approx(min(moments), abs=0.001)
    assert any(end == pytest.approx(moment, abs=0.001) for moment in moments)
    assert float(ended[3]) == pytest.approx(end - start, abs=0.002)


def test_one_run_comes_with_its_own_last_lines(toru: Command, shop: Toru) -> None:
    facts = shop.service("fallen", "InvocationID", "ExecMainStatus")
    rows = toru.table("runs", "fallen", facts["InvocationID"])
    card = {row[0]: row[1] for row in rows}
    assert (card["run"], card["end"]) == (facts["InvocationID"], f"it exited with status {facts['ExecMainStatus']}")
    assert "going wrong: crashes at once" in [row[-1] for row in rows if row[0] == "log"]


def test_programs_get_the_api_s_answers(toru: Command, shop: Toru) -> None:
    curl = ("curl", "-s", "--unix-socket", "/run/toru/api.sock")
    run = shop.service("fallen", "InvocationID")["InvocationID"]
    for arguments, path in ((("fallen",), ""), (("fallen", run), f"/{run}")):
        answer = json.loads(toru.host.run(*curl, f"http://toru/api/plugins/fallen/runs{path}").stdout)
        assert toru.json("runs", *arguments) == answer


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["clokc"], 1, "there is no plugin clokc; did you mean clock?"),
        (["clock", "0" * 32], 1, "the journal remembers no such run of clock"),
        (["clock", "the last"], 2, "'the last' is no invocation id: 32 digits from 0 to f"),
        (["clock", "0" * 32, "-n", "3"], 2, "either --lines or one run"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(toru: Command, arguments: list[str], status: int, sentence: str) -> None:
    said = toru("runs", *arguments)
    assert (said.returncode, said.stdout, said.stderr) == (status, "", f"toru: {sentence}\n")


def test_who_may_not_read_the_journal_is_told_who_may(toru: Command) -> None:
    said = toru("runs", "fallen", user="nobody")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "toru: the journal shows you nothing: be root, or a member of the group systemd-journal\n"


def test_a_person_sees_a_table_and_a_card(toru: Command, shop: Toru) -> None:
    run = shop.service("fallen", "InvocationID")["InvocationID"]
    listed = toru.on_terminal("runs", "fallen", columns=120)
    assert "STARTED" in listed
    assert f"it exited with status 3  {run}" in listed
    shown = toru.on_terminal("runs", "fallen", run)
    assert "\x1b[31mit exited with status 3" in shown
    assert "going wrong: crashes at once" in shown
    assert "It has not run" in toru.on_terminal("runs", "asleep")
