"""When a plugin is restarted from here, and when it has earned a clean slate."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from toru.core.pacing import Pacing
from toru.domain.errors import SystemdRefused
from toru.domain.ids import PluginId
from toru.domain.policy import RestartPolicy
from toru.domain.state import NO_UNITS, ActiveState, ServiceFacts, SocketFacts, UnitFacts

CLOCK, OTHER = PluginId("clock"), PluginId("other")
LISTENING = SocketFacts(active=ActiveState.ACTIVE)
PLAIN = RestartPolicy()
QUICK = RestartPolicy(first_delay=0.02, max_delay=0.32, stable_after=0.05)


def service(active: str, sub: str, at: float, *, result: str = "success", delay: float = 16) -> UnitFacts:
    facts = ServiceFacts(
        active=ActiveState(active), sub=sub, result=result, changed_at=at, restart_delay=delay, main_pid=7
    )
    return UnitFacts(socket=LISTENING, service=facts)


def crashed(at: float, *, delay: float = 16) -> UnitFacts:
    return service("activating", "auto-restart", at, result="exit-code", delay=delay)


def starting(at: float) -> UnitFacts:
    return service("activating", "start", at, result="exit-code")


def running(at: float) -> UnitFacts:
    return service("active", "running", at)


def stopping(at: float) -> UnitFacts:
    return service("deactivating", "stop-sigterm", at)


def asleep(at: float) -> UnitFacts:
    return service("inactive", "dead", at)


def failed(at: float) -> UnitFacts:
    return service("failed", "failed", at, result="exit-code")


@dataclass
class Deeds:
    """What was done, to whom and when, by the one who can do it."""

    done: list[tuple[str, PluginId]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    refuses: set[PluginId] = field(default_factory=set)
    meanwhile: Callable[[], None] = lambda: None

    def act(self, deed: str) -> Callable[[PluginId], Awaitable[None]]:
        async def do(plugin_id: PluginId) -> None:
            self.done.append((deed, plugin_id))
            self.times.append(time.time())
            await asyncio.sleep(0)
            self.meanwhile()
            if plugin_id in self.refuses:
                raise SystemdRefused(f"Unit {plugin_id.service} not loaded.")

        return do

    def pacing(self, policy: RestartPolicy = PLAIN, version: int = 252) -> Pacing:
        return Pacing(policy, version, restart=self.act("restart"), forget_failures=self.act("forget"))


@pytest.fixture
def deeds() -> Deeds:
    return Deeds()


TURN = 0.002
"""Seconds that pass at least between two looks at a loop that runs. All that is due is done in between."""


def watch(pacing: Pacing, until: Callable[[], bool] | None = None, *, at_least: float = 0.02) -> None:
    """Lets the loop run until this is so, 5 s at most; or for a while, to see that nothing more happens.

    Whatever ends the loop before its time fails the test.
    """

    async def both() -> None:
        loop = asyncio.create_task(pacing.run())
        deadline = time.monotonic() + 5
        turns = 0

        def enough() -> bool:
            if until is None:
                return turns * TURN >= at_least
            return until() or time.monotonic() > deadline

        while not (loop.done() or enough()):
            await asyncio.sleep(TURN)
            turns += 1
        if loop.done():
            loop.result()
        loop.cancel()

    asyncio.run(both())


def crash_again(pacing: Pacing, times: int, *, first: float = 1000, delay: float = 16) -> list[float | None]:
    """Crashes in a row, a start between each; after how long each one will be restarted from here."""
    waits: list[float | None] = []
    for at in range(times):
        moment = first + 100 * at
        pacing.see(CLOCK, crashed(moment, delay=delay))
        due = pacing.next_try_at(CLOCK)
        waits.append(None if due is None else due - moment)
        pacing.see(CLOCK, starting(moment + 50))
        pacing.see(CLOCK, running(moment + 51))
    return waits


@pytest.mark.req("SUP-2")
@pytest.mark.parametrize("version", [252, 253])
def test_an_old_systemd_is_helped_after_1_2_4_and_8_seconds_and_then_left_to_its_16(deeds: Deeds, version: int) -> None:
    assert crash_again(deeds.pacing(version=version), 7) == [1, 2, 4, 8, None, None, None]


@pytest.mark.req("SUP-2")
@pytest.mark.parametrize("version", [254, 257])
def test_a_new_systemd_paces_by_itself(deeds: Deeds, version: int) -> None:
    assert crash_again(deeds.pacing(version=version), 5) == [None] * 5


@pytest.mark.req("LIFE-5")
@pytest.mark.parametrize("delay", [7, 0.1, 100])
def test_a_delay_that_ops_wrote_into_the_unit_is_theirs(deeds: Deeds, delay: float) -> None:
    assert crash_again(deeds.pacing(), 3, delay=delay) == [None, None, None]


def test_a_longest_delay_that_systemd_rounds_to_a_microsecond_is_still_ours(deeds: Deeds) -> None:
    pacing = deeds.pacing(RestartPolicy(max_delay=50 / 3))
    assert crash_again(pacing, 2, delay=16.666667) == [1, 2]


@pytest.mark.req("SUP-2")
def test_plugins_are_paced_each_by_itself(deeds: Deeds) -> None:
    pacing = deeds.pacing()
    crash_again(pacing, 3)
    pacing.see(OTHER, crashed(5000))
    assert pacing.next_try_at(OTHER) == 5001
    assert pacing.next_try_at(CLOCK) is None


@pytest.mark.req("SUP-2")
def test_a_failure_that_is_reported_twice_counts_once(deeds: Deeds) -> None:
    pacing = deeds.pacing()
    for _ in range(3):
        pacing.see(CLOCK, crashed(1000))
    pacing.see(CLOCK, crashed(1000), at_first_sight=True)  # over a new connection
    assert pacing.next_try_at(CLOCK) == 1001
    pacing.see(CLOCK, crashed(1010))
    assert pacing.next_try_at(CLOCK) == 1012


@pytest.mark.req("SUP-2", "ISO-5")
def test_a_plugin_found_backing_off_is_left_to_systemd_for_it_may_have_failed_often(deeds: Deeds) -> None:
    pacing = deeds.pacing()
    pacing.see(CLOCK, crashed(1000), at_first_sight=True)
    assert pacing.next_try_at(CLOCK) is None
    assert crash_again(pacing, 2, first=2000) == [None, None]


@pytest.mark.req("SUP-4")
def test_a_plugin_found_backing_off_is_helped_again_once_it_was_well(deeds: Deeds) -> None:
    pacing = deeds.pacing()
    pacing.see(CLOCK, crashed(1000), at_first_sight=True)
    pacing.see(CLOCK, running(1016))
    watch(pacing, lambda: bool(deeds.done))
    assert deeds.done == [("forget", CLOCK)]
    assert crash_again(pacing, 2, first=2000) == [1, 2]


@pytest.mark.req("SUP-5")
@pytest.mark.parametrize("fresh", ["a clean slate", "a stop by hand", "new units"])
def test_restarts_are_counted_from_a_fresh_start_on(deeds: Deeds, fresh: str) -> None:
    pacing = deeds.pacing(QUICK)
    counted: list[int] = []

    def ran_again() -> bool:
        if deeds.done and not counted:
            counted.append(pacing.restarts(CLOCK))
            pacing.see(CLOCK, running(time.time()))
        return bool(counted) and (fresh != "a clean slate" or ("forget", CLOCK) in deeds.done)

    pacing.see(CLOCK, crashed(time.time(), delay=0.32))
    watch(pacing, ran_again)
    assert (counted, pacing.restarts(OTHER)) == ([1], 0)
    match fresh:
        case "a clean slate":
            assert pacing.restarts(CLOCK) == 0
        case "a stop by hand":
            pacing.see(CLOCK, stopping(time.time()))
            assert pacing.restarts(CLOCK) == 1, "until it starts again, as systemd's own count"
        case _:
            pacing.see(CLOCK, NO_UNITS)
    pacing.see(CLOCK, running(time.time()))
    assert pacing.restarts(CLOCK) == 0


@pytest.mark.req("SUP-2", "ISO-5")
def test_a_plugin_found_running_starts_from_one_second_at_its_next_crash(deeds: Deeds) -> None:
    pacing = deeds.pacing()
    pacing.see(CLOCK, running(time.time()), at_first_sight=True)
    assert crash_again(pacing, 1, first=time.time()) == [pytest.approx(1)]


@pytest.mark.req("LIFE-5")
@pytest.mark.parametrize("then", [starting, running, stopping, asleep, failed])
def test_a_planned_restart_is_off_when_the_plugin_goes_another_way(
    deeds: Deeds, then: Callable[[float], UnitFacts]
) -> None:
    pacing = deeds.pacing(QUICK)
    now = time.time()
    pacing.see(CLOCK, crashed(now, delay=0.32))
    assert pacing.next_try_at(CLOCK) is not None
    pacing.see(CLOCK, then(now + 0.01))
    assert pacing.next_try_at(CLOCK) is None
    watch(pacing, at_least=0.04)
    assert ("restart", CLOCK) not in deeds.done


@pytest.mark.req("LIFE-2")
def test_a_plugin_whose_units_went_is_forgotten(deeds: Deeds) -> None:
    pacing = deeds.pacing()
    crash_again(pacing, 3)
    pacing.see(CLOCK, crashed(2000))
    pacing.see(CLOCK, NO_UNITS)
    assert pacing.next_try_at(CLOCK) is None
    assert crash_again(pacing, 1) == [1], "a new beginning"


@pytest.mark.req("SUP-2")
def test_restarts_happen_when_they_are_due_and_once_each(deeds: Deeds) -> None:
    pacing = deeds.pacing(QUICK)
    crashes: list[float] = []
    turns: list[float] = []

    def crash_when_restarted() -> bool:
        turns.append(time.time())
        if len(crashes) == len(deeds.done) < 4:
            crashes.append(time.time())
            pacing.see(CLOCK, crashed(crashes[-1], delay=0.32))
        return len(deeds.done) == 4

    watch(pacing, crash_when_restarted)
    assert deeds.done == [("restart", CLOCK)] * 4
    assert pacing.restarts(CLOCK) == 4, "systemd 252 counts none of them"
    for crash, at, promised in zip(crashes, deeds.times, (0.02, 0.04, 0.08, 0.16), strict=True):
        assert at - crash >= promised
        # A machine that is busy elsewhere lets no turn pass either.
        assert sum(crash + promised < turn < at for turn in turns) * TURN < 0.5


@pytest.mark.req("SUP-4")
@pytest.mark.parametrize("version", [252, 257])
def test_a_plugin_that_was_well_for_long_enough_has_a_clean_slate_once(deeds: Deeds, version: int) -> None:
    pacing = deeds.pacing(QUICK, version)
    now = time.time()
    pacing.see(CLOCK, crashed(now - 1, delay=0.32))
    pacing.see(CLOCK, running(now))

    def much_later() -> bool:
        pacing.see(CLOCK, running(now))  # its memory changes all the time
        return time.time() > now + 0.15 and bool(deeds.done)

    watch(pacing, much_later)
    assert deeds.done == [("forget", CLOCK)]
    assert deeds.times[0] >= now + 0.05


@pytest.mark.req("SUP-4")
def test_after_a_clean_slate_it_starts_from_one_second_again(deeds: Deeds) -> None:
    pacing = deeds.pacing()
    assert crash_again(pacing, 3) == [1, 2, 4]  # and has been running for years, by these dates
    watch(pacing, lambda: bool(deeds.done))
    assert deeds.done == [("forget", CLOCK)]
    assert crash_again(pacing, 2, first=2000) == [1, 2]


@pytest.mark.req("SUP-3", "SUP-4")
@pytest.mark.parametrize("version", [252, 257])
@pytest.mark.parametrize("then", [crashed, failed, starting])
def test_who_crashes_before_it_was_well_for_long_enough_earns_nothing(
    deeds: Deeds, then: Callable[[float], UnitFacts], version: int
) -> None:
    pacing = deeds.pacing(QUICK, version)
    now = time.time()
    pacing.see(CLOCK, running(now))
    pacing.see(CLOCK, then(now + 0.01))
    watch(pacing, at_least=0.08)
    assert ("forget", CLOCK) not in deeds.done


@pytest.mark.req("SUP-3", "SUP-4")
@pytest.mark.parametrize(("lasted", "forgiven"), [(1.0, True), (3600, True), (0.9, False), (0, False)])
@pytest.mark.parametrize("by_way_of_stopping", [True, False])
def test_a_clean_end_is_forgiven_unless_it_comes_at_once(
    deeds: Deeds,
    lasted: float,
    forgiven: bool,  # noqa: FBT001
    by_way_of_stopping: bool,  # noqa: FBT001
) -> None:
    pacing = deeds.pacing()
    began = time.time() - lasted
    pacing.see(CLOCK, running(began))
    if by_way_of_stopping:
        pacing.see(CLOCK, stopping(began + lasted))
    pacing.see(CLOCK, asleep(began + lasted))
    watch(pacing, (lambda: bool(deeds.done)) if forgiven else None)
    assert deeds.done == ([("forget", CLOCK)] if forgiven else [])


@pytest.mark.req("SUP-4")
def test_a_plugin_that_is_woken_as_soon_as_it_sleeps_keeps_what_it_earned(deeds: Deeds) -> None:
    pacing = deeds.pacing()
    now = time.time()
    for facts in (running(now - 5), stopping(now), asleep(now), starting(now)):
        pacing.see(CLOCK, facts)
    watch(pacing, lambda: bool(deeds.done))
    assert deeds.done == [("forget", CLOCK)]


@pytest.mark.req("SUP-4")
def test_time_goes_on_for_a_frozen_plugin(deeds: Deeds) -> None:
    pacing = deeds.pacing(QUICK)
    now = time.time()
    pacing.see(CLOCK, running(now))
    frozen = ServiceFacts(active=ActiveState.ACTIVE, sub="running", frozen=True, changed_at=now)
    pacing.see(CLOCK, UnitFacts(socket=LISTENING, service=frozen))
    watch(pacing, lambda: bool(deeds.done))
    assert deeds.done == [("forget", CLOCK)]
    assert deeds.times[0] >= now + 0.05


@pytest.mark.req("ISO-2")
def test_a_refusal_is_told_and_the_others_are_served(
    deeds: Deeds, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    pacing = deeds.pacing(QUICK)
    deeds.refuses = {CLOCK}
    pacing.see(CLOCK, running(1000))
    pacing.see(CLOCK, crashed(time.time(), delay=0.32))
    pacing.see(OTHER, crashed(time.time() + 0.01, delay=0.32))
    watch(pacing, lambda: len(deeds.done) == 2)
    assert deeds.done == [("restart", CLOCK), ("restart", OTHER)]
    assert "clock: Unit toru-plugin-clock.service not loaded." in capfd.readouterr().err
    pacing.see(CLOCK, crashed(time.time(), delay=0.32))
    assert pacing.next_try_at(CLOCK) is not None, "its next failure is seen"


@pytest.mark.req("SUP-4")
def test_a_clean_slate_that_fell_due_without_a_connection_is_given_over_the_next_one(deeds: Deeds) -> None:
    pacing = deeds.pacing()
    deeds.refuses = {CLOCK}
    pacing.see(CLOCK, running(1000))

    def connected_again() -> bool:
        if len(deeds.done) == 1:
            pacing.see(CLOCK, running(1000), at_first_sight=True)
        return len(deeds.done) == 2

    watch(pacing, connected_again)
    assert deeds.done == [("forget", CLOCK)] * 2


@pytest.mark.req("ISO-2", "LIFE-2")
def test_a_plugin_that_goes_while_another_ones_turn_is_waited_for_ends_nothing(deeds: Deeds) -> None:
    pacing = deeds.pacing(QUICK)
    deeds.meanwhile = lambda: pacing.see(OTHER, NO_UNITS)
    for plugin_id in (CLOCK, OTHER):
        pacing.see(plugin_id, running(1000))
    watch(pacing)
    assert deeds.done == [("forget", CLOCK)]
