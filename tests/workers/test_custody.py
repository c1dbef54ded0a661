"""Whose plugin is whose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toru.domain.ids import PluginId
from toru.domain.manifest import Protocol
from toru.gateway.targets import Availability, Target
from toru.workers.custody import CORE, Custody, owner_of

PLUGINS = [PluginId(f"plugin-{number}") for number in range(200)]


class Log:
    """What custody wants done, and nobody does it."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, PluginId]] = []

    def give(self, name: str, target: Target) -> None:
        self.said.append(("give", name, target.plugin))

    def drop(self, name: str, plugin_id: PluginId) -> None:
        self.said.append(("drop", name, plugin_id))

    def ask_back(self, name: str, plugin_id: PluginId) -> None:
        self.said.append(("ask back", name, plugin_id))

    def take(self) -> list[tuple[str, str, PluginId]]:
        said, self.said = self.said, []
        return said


def target(plugin_id: PluginId) -> Target:
    return Target(
        plugin=plugin_id,
        name=plugin_id,
        route=f"/{plugin_id}",
        protocol=Protocol.TORU_1,
        socket_path="/run/x.sock",
        bell_path=None,
        availability=Availability.RUNNING,
        timeout=30,
        max_body=1,
        max_concurrent=1,
    )


OF_THE_WORKER = next(it for it in PLUGINS if owner_of(it, [CORE, "1"]) == "1")
OF_THE_CORE = next(it for it in PLUGINS if owner_of(it, [CORE, "1"]) == CORE)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def custody(log: Log) -> Custody:
    """Of two plugins, both with the core."""
    custody = Custody(log)
    custody.begin()
    for plugin_id in (OF_THE_WORKER, OF_THE_CORE):
        custody.aim(plugin_id, target(plugin_id))
    assert log.take() == [("give", CORE, OF_THE_WORKER), ("give", CORE, OF_THE_CORE)]
    return custody


def test_when_somebody_comes_only_what_becomes_his_moves() -> None:
    before = {it: owner_of(it, [CORE, "1", "2"]) for it in PLUGINS}
    after = {it: owner_of(it, [CORE, "1", "2", "3"]) for it in PLUGINS}
    moved = [it for it in PLUGINS if before[it] != after[it]]
    assert {after[it] for it in moved} == {"3"}
    assert len(PLUGINS) / 8 < len(moved) < len(PLUGINS) / 2


@pytest.mark.req("PROTO-5")
def test_a_plugin_is_nobodys_until_who_had_it_has_let_go(custody: Custody, log: Log) -> None:
    custody.joined("1", [])
    assert log.take() == [("ask back", CORE, OF_THE_WORKER)]
    assert (custody.holder(OF_THE_WORKER), custody.holder(OF_THE_CORE)) == (None, CORE)
    custody.aim(OF_THE_WORKER, replace(target(OF_THE_WORKER), timeout=1))
    assert log.take() == []
    custody.let_go(OF_THE_WORKER, CORE)
    assert log.take() == [("give", "1", OF_THE_WORKER)]
    assert custody.holder(OF_THE_WORKER) == "1"


def test_who_leaves_is_asked_for_everything_and_who_is_gone_for_nothing(custody: Custody, log: Log) -> None:
    custody.joined("1", [])
    custody.let_go(OF_THE_WORKER, CORE)
    log.take()
    custody.leaves("1")
    assert log.take() == [("ask back", "1", OF_THE_WORKER)]
    assert custody.holder(OF_THE_WORKER) is None
    custody.gone("1")
    assert log.take() == [("give", CORE, OF_THE_WORKER)]


def test_who_comes_back_while_it_is_asked_for_does_not_get_it_twice(custody: Custody, log: Log) -> None:
    custody.joined("1", [])
    custody.gone("1")
    assert log.take() == [("ask back", CORE, OF_THE_WORKER)]
    custody.let_go(OF_THE_WORKER, CORE)
    assert log.take() == [("give", CORE, OF_THE_WORKER)]


def test_a_new_core_leaves_a_worker_what_it_has(log: Log) -> None:
    custody = Custody(log)
    custody.aim(OF_THE_WORKER, target(OF_THE_WORKER))
    custody.aim(OF_THE_CORE, target(OF_THE_CORE))
    gone = PluginId("gone")
    custody.joined("1", [OF_THE_WORKER, OF_THE_CORE, gone])
    assert log.take() == []
    custody.begin()
    assert log.take() == [("give", "1", OF_THE_WORKER), ("ask back", "1", OF_THE_CORE), ("drop", "1", gone)]


def test_a_plugin_that_is_switched_off_is_dropped_and_given_anew(custody: Custody, log: Log) -> None:
    off = replace(target(OF_THE_CORE), availability=Availability.OFF)
    custody.aim(OF_THE_CORE, off)
    assert log.take() == [("drop", CORE, OF_THE_CORE)]
    assert OF_THE_CORE not in custody.targets
    custody.aim(OF_THE_CORE, target(OF_THE_CORE))
    custody.aim(OF_THE_CORE, target(OF_THE_CORE))
    assert log.take() == [("give", CORE, OF_THE_CORE)]


def test_one_that_was_away_gives_up_what_somebody_else_has_since(custody: Custody, log: Log) -> None:
    custody.joined("1", [OF_THE_CORE])
    assert ("drop", "1", OF_THE_CORE) in log.take()
    assert custody.holder(OF_THE_CORE) == CORE
