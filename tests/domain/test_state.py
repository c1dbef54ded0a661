"""What people are told about everything that systemd 252 to 257 can say (systemctl --state=help)."""

import pytest

from toru.domain.state import (
    NO_UNITS,
    ActiveState,
    Health,
    ServiceFacts,
    SocketFacts,
    State,
    Status,
    UnitFacts,
    status_of,
)

IDLE, STARTING, RUNNING, STOPPING = State.IDLE, State.STARTING, State.RUNNING, State.STOPPING
BACKING_OFF, FAILED, STOPPED, PAUSED = State.BACKING_OFF, State.FAILED, State.STOPPED, State.PAUSED
WELL, ILL = Health.HEALTHY, Health.UNHEALTHY

# Every state of a service, as its ActiveState and SubState, while its socket listens.
SERVICES = [
    # active, sub, since, state, health
    ("inactive", "dead", 252, IDLE, WELL),
    ("activating", "condition", 252, STARTING, WELL),
    ("activating", "start-pre", 252, STARTING, WELL),
    ("activating", "start", 252, STARTING, WELL),
    ("activating", "start-post", 252, STARTING, WELL),
    ("active", "running", 252, RUNNING, WELL),
    ("active", "exited", 252, RUNNING, WELL),  # only if ops said RemainAfterExit=
    ("reloading", "reload", 252, RUNNING, WELL),
    ("reloading", "reload-signal", 257, RUNNING, WELL),
    ("reloading", "reload-notify", 257, RUNNING, WELL),
    ("refreshing", "mounting", 257, RUNNING, WELL),
    ("deactivating", "stop", 252, STOPPING, WELL),
    ("deactivating", "stop-watchdog", 252, STOPPING, WELL),
    ("deactivating", "stop-sigterm", 252, STOPPING, WELL),
    ("deactivating", "stop-sigkill", 252, STOPPING, WELL),
    ("deactivating", "stop-post", 252, STOPPING, WELL),
    ("deactivating", "final-watchdog", 252, STOPPING, WELL),
    ("deactivating", "final-sigterm", 252, STOPPING, WELL),
    ("deactivating", "final-sigkill", 252, STOPPING, WELL),
    ("failed", "failed", 252, FAILED, ILL),
    ("inactive", "dead-before-auto-restart", 257, BACKING_OFF, ILL),
    ("failed", "failed-before-auto-restart", 257, BACKING_OFF, ILL),
    ("inactive", "dead-resources-pinned", 257, IDLE, WELL),
    ("activating", "auto-restart", 252, BACKING_OFF, ILL),
    ("activating", "auto-restart-queued", 257, BACKING_OFF, ILL),
    ("maintenance", "cleaning", 252, IDLE, WELL),
]

# The words of `systemctl --state=help`; those of 257 include those of 252.
SERVICE_WORDS_252 = {
    *("dead", "condition", "start-pre", "start", "start-post", "running", "exited", "reload", "stop", "stop-watchdog"),
    *("stop-sigterm", "stop-sigkill", "stop-post", "final-watchdog", "final-sigterm", "final-sigkill", "failed"),
    *("auto-restart", "cleaning"),
}
SERVICE_WORDS_257 = SERVICE_WORDS_252 | {
    *("reload-signal", "reload-notify", "mounting", "dead-before-auto-restart", "failed-before-auto-restart"),
    *("dead-resources-pinned", "auto-restart-queued"),
}
ACTIVE_WORDS_252 = {"active", "reloading", "inactive", "failed", "activating", "deactivating", "maintenance"}
ACTIVE_WORDS_257 = ACTIVE_WORDS_252 | {"refreshing"}

# Every state of a socket, by its ActiveState (its SubState adds nothing), against what its service does.
SOCKETS = [
    # socket, service: its state and health
    (None, None, STOPPED, ILL),
    (None, "inactive", STOPPED, ILL),
    (None, "active", RUNNING, ILL),
    (None, "activating", STARTING, ILL),
    (None, "deactivating", STOPPING, ILL),
    (None, "failed", FAILED, ILL),
    ("active", None, IDLE, WELL),
    ("active", "inactive", IDLE, WELL),
    ("active", "active", RUNNING, WELL),
    ("active", "activating", STARTING, WELL),
    ("active", "deactivating", STOPPING, WELL),
    ("active", "failed", FAILED, ILL),
    ("activating", None, STARTING, WELL),
    ("activating", "inactive", STARTING, WELL),
    ("activating", "active", RUNNING, WELL),
    ("deactivating", None, STOPPING, WELL),
    ("deactivating", "inactive", STOPPING, WELL),
    ("deactivating", "active", RUNNING, WELL),
    ("inactive", None, STOPPED, ILL),
    ("inactive", "inactive", STOPPED, ILL),
    ("inactive", "active", RUNNING, ILL),
    ("inactive", "activating", STARTING, ILL),
    ("inactive", "failed", FAILED, ILL),
    ("maintenance", None, STOPPED, ILL),
    ("maintenance", "active", RUNNING, ILL),
    ("failed", None, FAILED, ILL),
    ("failed", "inactive", FAILED, ILL),
    ("failed", "failed", FAILED, ILL),
    ("failed", "active", RUNNING, ILL),
    ("failed", "activating", STARTING, ILL),
    ("failed", "deactivating", STOPPING, ILL),
]

LISTENING = SocketFacts(active=ActiveState.ACTIVE)


def service(
    active: str, sub: str = "", *, result: str | None = None, main_pid: int = 0, frozen: bool = False
) -> ServiceFacts:
    if result is None:
        result = "exit-code" if "fail" in active + sub else "success"
    return ServiceFacts(
        active=ActiveState(active), sub=sub, result=result, exit_kind=1, exit_status=1, main_pid=main_pid, frozen=frozen
    )


def told(facts: UnitFacts) -> tuple[State, Health]:
    status = status_of(facts, enabled=True)
    return status.state, status.health


def test_the_table_has_every_word_of_both_versions() -> None:
    assert {sub for _, sub, since, _, _ in SERVICES if since <= 252} == SERVICE_WORDS_252
    assert {sub for _, sub, _, _, _ in SERVICES} == SERVICE_WORDS_257
    assert {active for active, _, since, _, _ in SERVICES if since <= 252} == ACTIVE_WORDS_252
    assert {active for active, _, _, _, _ in SERVICES} == ACTIVE_WORDS_257
    assert {word.value for word in ActiveState} == ACTIVE_WORDS_257 | {"other"}


@pytest.mark.req("SUP-5")
@pytest.mark.parametrize(("active", "sub", "_since", "state", "health"), SERVICES)
def test_what_a_service_does_while_its_socket_listens(
    active: str, sub: str, _since: int, state: State, health: Health
) -> None:
    assert told(UnitFacts(socket=LISTENING, service=service(active, sub))) == (state, health)


@pytest.mark.req("SUP-5", "LIFE-5")
@pytest.mark.parametrize(("socket_active", "service_active", "state", "health"), SOCKETS)
def test_what_a_socket_adds_to_it(
    socket_active: str | None, service_active: str | None, state: State, health: Health
) -> None:
    facts = UnitFacts(
        socket=None if socket_active is None else SocketFacts(active=ActiveState(socket_active)),
        service=None if service_active is None else service(service_active),
    )
    assert told(facts) == (state, health)


@pytest.mark.req("SUP-5")
@pytest.mark.parametrize(("active", "sub", "_since", "state", "_health"), SERVICES)
@pytest.mark.parametrize("socket_active", [None, "failed", "active", "inactive"])
def test_every_combination_has_a_state_and_ill_health_has_a_reason(
    active: str, sub: str, _since: int, state: State, _health: Health, socket_active: str | None
) -> None:
    facts = UnitFacts(
        socket=None
        if socket_active is None
        else SocketFacts(
            active=ActiveState(socket_active), result="trigger-limit-hit" if socket_active == "failed" else "success"
        ),
        service=service(active, sub, result="exit-code" if state is BACKING_OFF else None),
    )
    status = status_of(facts, enabled=True)
    assert (status.health is ILL) == (status.reason is not None)
    if socket_active == "failed":
        assert status.health is ILL
    if state in {RUNNING, STARTING, STOPPING}:
        assert status.state is state, "whatever the socket does"


@pytest.mark.req("SUP-5", "LIFE-2")
@pytest.mark.parametrize(
    "facts",
    [
        NO_UNITS,
        *(UnitFacts(socket=LISTENING, service=service(active, sub)) for active, sub, _, _, _ in SERVICES),
    ],
)
def test_disabled_is_a_health_of_its_own_whatever_still_runs(facts: UnitFacts) -> None:
    status = status_of(facts, enabled=False)
    assert status.health is Health.DISABLED
    assert status.state is status_of(facts, enabled=True).state


def test_a_disabled_plugin_without_units_needs_no_excuse() -> None:
    assert status_of(NO_UNITS, enabled=False) == Status(state=STOPPED, health=Health.DISABLED)


@pytest.mark.req("LIFE-5")
def test_an_enabled_plugin_without_units_was_stopped_by_ops() -> None:
    assert status_of(NO_UNITS, enabled=True) == Status(state=STOPPED, health=ILL, reason="its units were stopped")


@pytest.mark.req("LIFE-5")
def test_a_plugin_that_lost_its_socket_says_what_to_do() -> None:
    status = status_of(UnitFacts(service=service("active", "running")), enabled=True)
    assert status == Status(state=RUNNING, health=ILL, reason="its socket is gone: disable and enable it")


@pytest.mark.req("LIFE-5")
@pytest.mark.parametrize("active", ["active", "reloading", "refreshing"])
def test_a_frozen_plugin_is_paused(active: str) -> None:
    facts = UnitFacts(socket=LISTENING, service=service(active, "running", frozen=True))
    assert told(facts) == (PAUSED, WELL)


@pytest.mark.req("SUP-5")
@pytest.mark.parametrize("sub", ["auto-restart", "auto-restart-queued", "failed-before-auto-restart"])
def test_backing_off_says_when_the_next_try_is(sub: str) -> None:
    waiting = ServiceFacts(
        active=ActiveState.ACTIVATING, sub=sub, result="signal", exit_kind=2, exit_status=11,
        changed_at=1000.5, restart_delay=4,
    )  # fmt: skip
    status = status_of(UnitFacts(socket=LISTENING, service=waiting), enabled=True)
    assert status == Status(state=BACKING_OFF, health=ILL, reason="it was killed by SIGSEGV", retry_at=1004.5)


@pytest.mark.req("SUP-5")
@pytest.mark.parametrize(("active", "sub", "_since", "state", "_health"), SERVICES)
def test_only_who_backs_off_has_a_next_try(active: str, sub: str, _since: int, state: State, _health: Health) -> None:
    status = status_of(UnitFacts(socket=LISTENING, service=service(active, sub)), enabled=True)
    assert (status.retry_at is not None) is (state is BACKING_OFF)


@pytest.mark.parametrize("word", ["hibernating", "", "ACTIVE", "Running", "active\n", "\U0001f9e9"])
def test_a_word_that_systemd_has_yet_to_invent_is_shown_sensibly(word: str) -> None:
    assert ActiveState(word) is ActiveState.OTHER
    running = service(word, word, main_pid=7)
    asleep = service(word, word)
    assert told(UnitFacts(socket=LISTENING, service=running)) == (RUNNING, WELL)
    assert told(UnitFacts(socket=LISTENING, service=asleep)) == (IDLE, WELL)
    assert told(UnitFacts(socket=SocketFacts(active=ActiveState(word)))) == (IDLE, WELL)
    assert told(UnitFacts(service=asleep)) == (STOPPED, ILL)


@pytest.mark.parametrize("active", sorted(ACTIVE_WORDS_257))
@pytest.mark.parametrize("sub", ["", "hibernating", "auto-restart-tomorrow"])
def test_a_substate_that_nobody_knows_says_no_less_than_the_state_above_it(active: str, sub: str) -> None:
    plainly = told(UnitFacts(socket=LISTENING, service=service(active)))
    assert told(UnitFacts(socket=LISTENING, service=service(active, sub))) == plainly
