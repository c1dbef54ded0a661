"""`toru enable`, `disable` and `restart`."""

import json
from collections.abc import Iterator

import pytest

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3")


@pytest.fixture
def asleep(shop: Toru) -> Iterator[str]:
    """A plugin to disable."""
    yield "asleep"
    shop.enable("asleep")


@pytest.mark.req("OPS-3", "LIFE-1", "LIFE-2")
def test_disabled_and_enabled_again(toru: Command, shop: Toru) -> None:
    said = toru("disable", "asleep", "clock")
    assert (said.returncode, said.stdout, said.stderr) == (0, "asleep\tdisabled\t-\nclock\tdisabled\t-\n", "")
    assert not shop.is_loaded("clock")
    said = toru("enable", "asleep", "clock")
    assert (said.returncode, said.stdout) == (0, "asleep\tenabled\tidle\nclock\tenabled\trunning\n")
    assert shop.socket("asleep", "ActiveState") == {"ActiveState": "active"}


@pytest.mark.req("OPS-3", "API-2")
def test_paused_resumed_and_tried_again(toru: Command, shop: Toru) -> None:
    before = shop.pid("clock")
    assert toru("pause", "clock").stdout == "clock\tpaused\t-\n"
    assert shop.service("clock", "FreezerState", "MainPID") == {"FreezerState": "frozen", "MainPID": str(before)}
    assert toru("resume", "clock").stdout == "clock\tresumed\trunning\n"
    assert shop.service("clock", "FreezerState", "MainPID") == {"FreezerState": "running", "MainPID": str(before)}
    refused = toru("retry", "clock")
    assert (refused.returncode, refused.stderr) == (1, "toru: clock is running: there is nothing to try again\n")
    starts = len(shop.starts("fallen"))
    toru("retry", "fallen")
    shop.wait_until("another try", lambda: len(shop.starts("fallen")) == starts + 1, 5)
    shop.wait_until("another fall", lambda: shop.service("fallen", "SubState")["SubState"] == "auto-restart")


def test_a_failure_keeps_no_other_from_its_turn(toru: Command, shop: Toru, asleep: str) -> None:
    said = toru("disable", "nobody", "clokc", asleep)
    assert said.returncode == 1
    assert said.stdout == "asleep\tdisabled\t-\n"
    assert said.stderr.splitlines() == [
        "toru: there is no plugin nobody",
        "toru: there is no plugin clokc; did you mean clock?",
    ]
    assert not shop.is_loaded(asleep)


def test_programs_get_every_outcome_in_one_document(toru: Command) -> None:
    said = toru("restart", "clock", "nobody", "off", "--json")
    clock, nobody, off = json.loads(said.stdout)["results"]
    assert said.returncode == 1
    assert (clock["id"], clock["success"], clock["error"], clock["plugin"]["state"]) == ("clock", True, None, "running")
    assert (nobody["success"], nobody["plugin"]) == (False, None)
    assert nobody["error"] == {"code": "unknown-plugin", "message": "there is no plugin nobody"}
    assert (off["error"]["code"], off["plugin"]["health"]) == ("not-enabled", "disabled")
    errors = [json.loads(line)["error"] for line in said.stderr.splitlines()]
    assert [(error["id"], error["code"]) for error in errors] == [("nobody", "unknown-plugin"), ("off", "not-enabled")]


@pytest.mark.req("OPS-3", "SEC-3")
def test_who_may_not_is_told_who_may(toru: Command, shop: Toru) -> None:
    before = shop.pid("clock")
    said = [toru(verb, "clock", user="nobody") for verb in ("disable", "restart")]
    assert [(it.returncode, it.stderr) for it in said] == [
        (1, "toru: only root and members of toru-admin may disable clock: sudo toru disable clock\n"),
        (1, "toru: only root and members of toru-admin may restart clock: sudo toru restart clock\n"),
    ]
    assert shop.pid("clock") == before


def test_the_user_toru_may(toru: Command, shop: Toru) -> None:
    before = shop.pid("clock")
    assert toru("restart", "clock", user="toru").stdout == "clock\trestarted\trunning\n"
    assert shop.pid("clock") not in {0, before}


def test_a_person_sees_what_was_done(toru: Command, asleep: str) -> None:
    assert "\x1b[32m✓\x1b[0m \x1b[1masleep\x1b[0m is disabled\n" in toru.on_terminal("disable", asleep)
