"""`toru why`."""

import re

import pytest

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3", "SUP-5")


def test_it_says_how_the_last_run_ended_and_ends_with_its_own_lines(toru: Command, shop: Toru) -> None:
    said = toru("why", "fallen")
    rows = [line.split("\t") for line in said.stdout.splitlines()]
    card = {row[0]: row[1] for row in rows}
    assert said.returncode == 0
    assert (card["id"], card["state"], card["last run"]) == ("fallen", "backing off", "it exited with status 3")
    assert shop.service("fallen", "ExecMainStatus", "InvocationID") == {
        "ExecMainStatus": "3",
        "InvocationID": card["run"],
    }
    assert re.fullmatch(r"[0-9.]+ s", card["lasted"])
    lines = [row[-1] for row in rows if row[0] == "log"]
    assert "going wrong: crashes at once" in lines
    assert "toru-plugin-fallen.service: Failed with result 'exit-code'." in lines


def test_the_lines_of_one_run_can_be_asked_for(toru: Command) -> None:
    document = toru.json("why", "fallen")
    of_the_run = toru.table("logs", "fallen", "--run", document["last_run"]["invocation_id"])
    assert [row[-1] for row in of_the_run] == [line["message"] for line in document["logs"]]
    assert toru("logs", "fallen", "--run", "the last").returncode == 2


def test_what_has_never_ended_has_no_last_run(toru: Command) -> None:
    assert ["last run", "none has ended, as far as the journal goes back"] in toru.table("why", "asleep")
    document = toru.json("why", "asleep")
    assert (document["last_run"], document["logs"], document["state"]) == (None, [], "idle")


def test_who_may_not_read_the_journal_is_told_who_may(toru: Command) -> None:
    said = toru("why", "fallen", user="nobody")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "toru: the journal shows you nothing: be root, or a member of the group systemd-journal\n"


def test_a_person_sees_a_card(toru: Command) -> None:
    said = toru.on_terminal("why", "fallen")
    assert "\x1b[31m●\x1b[0m \x1b[1mfallen" in said
    assert "\x1b[31mit exited with status 3" in said
    assert "going wrong: crashes at once" in said
