"""Why a plugin is not as one would wish, in a sentence for people."""

import os
import signal

import pytest

from toru.domain.state import ActiveState, ServiceFacts, SocketFacts, UnitFacts, last_end, status_of

EXITED, KILLED, DUMPED = os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED

# result, how the main process ended, with which status → the sentence
ENDS = [
    # An exit code of the plugin's own.
    ("exit-code", EXITED, 1, "it exited with status 1"),
    ("exit-code", EXITED, 255, "it exited with status 255"),
    # systemd's, before the plugin ran.
    ("exit-code", EXITED, 200, "its working directory can't be entered (exit status 200)"),
    ("exit-code", EXITED, 203, "it could not be executed (exit status 203)"),
    ("exit-code", EXITED, 217, "its user could not be made (exit status 217)"),
    ("exit-code", EXITED, 226, "its sandbox could not be set up (exit status 226)"),
    ("exit-code", EXITED, 243, "its credentials could not be handed over (exit status 243)"),
    # A plugin that never answered: `greet` fails, and systemd ends what still runs.
    ("exit-code", KILLED, signal.SIGTERM, "it did not answer on its socket in time"),
    ("exit-code", KILLED, signal.SIGKILL, "it did not answer on its socket in time"),
    ("exit-code", EXITED, 0, "it did not answer on its socket in time"),
    ("signal", KILLED, signal.SIGKILL, "it was killed by SIGKILL"),
    ("signal", KILLED, signal.SIGTERM, "it was killed by SIGTERM"),
    ("signal", KILLED, signal.SIGSYS, "it was killed by SIGSYS"),
    ("signal", KILLED, 40, "it was killed by signal 40"),
    ("signal", KILLED, 999, "it was killed by signal 999"),
    ("core-dump", DUMPED, signal.SIGSEGV, "it was killed by SIGSEGV"),
    ("core-dump", DUMPED, signal.SIGABRT, "it was killed by SIGABRT"),
    ("signal", EXITED, 0, "what waited for its socket was killed"),
    # Nothing about the process says more than the result.
    ("timeout", KILLED, signal.SIGTERM, "it took too long to start or stop"),
    ("watchdog", DUMPED, signal.SIGABRT, "it stopped answering the watchdog"),
    ("oom-kill", KILLED, signal.SIGKILL, "it ran out of memory"),
    ("start-limit-hit", EXITED, 1, "it failed too many times in a row"),
    ("protocol", EXITED, 0, "it did not keep to the start protocol"),
    ("resources", 0, 0, "the system could not provide what it needs"),
    ("exec-condition", 0, 0, "a start condition said no"),
]

# service_result_table and socket_result_table of systemd, the same in 252 and 257.
SERVICE_RESULTS = {
    *("success", "resources", "protocol", "timeout", "exit-code", "signal", "core-dump", "watchdog"),
    *("start-limit-hit", "oom-kill", "exec-condition"),
}
SOCKET_RESULTS = {
    *("success", "resources", "timeout", "exit-code", "signal", "core-dump", "start-limit-hit", "trigger-limit-hit"),
    "service-start-limit-hit",
}


def ended(result: str, kind: int = EXITED, status: int = 1) -> ServiceFacts:
    return ServiceFacts(
        active=ActiveState.FAILED, sub="failed", result=result, exit_kind=kind, exit_status=status, changed_at=1
    )


def gave_up(result: str, service: ServiceFacts | None = None) -> UnitFacts:
    return UnitFacts(socket=SocketFacts(active=ActiveState.FAILED, result=result), service=service)


@pytest.mark.req("SUP-5")
@pytest.mark.parametrize(("result", "kind", "status", "sentence"), ENDS)
def test_how_a_run_ended(result: str, kind: int, status: int, sentence: str) -> None:
    assert last_end(ended(result, kind, status)) == sentence
    listening = SocketFacts(active=ActiveState.ACTIVE)
    assert status_of(UnitFacts(socket=listening, service=ended(result, kind, status)), enabled=True).reason == sentence


def test_every_result_of_systemd_is_in_the_table() -> None:
    assert {result for result, _, _, _ in ENDS} | {"success"} == SERVICE_RESULTS


@pytest.mark.parametrize("kind", [0, EXITED, KILLED, DUMPED])
def test_a_good_end_needs_no_reason(kind: int) -> None:
    assert last_end(ended("success", kind, 0)) is None


@pytest.mark.req("SUP-3", "SUP-5")
@pytest.mark.parametrize(
    ("result", "service", "sentence"),
    [
        (
            "service-start-limit-hit",
            ended("exit-code"),
            "it failed too many times in a row; at last it exited with status 1",
        ),
        (
            "service-start-limit-hit",
            ended("core-dump", DUMPED, signal.SIGSEGV),
            "it failed too many times in a row; at last it was killed by SIGSEGV",
        ),
        ("service-start-limit-hit", None, "it failed too many times in a row"),
        ("service-start-limit-hit", ended("success", EXITED, 0), "it failed too many times in a row"),
        (
            "trigger-limit-hit",
            None,
            "it ended at once, over and over, without taking the connection that woke it",
        ),
        ("resources", None, "the system could not provide what it needs"),
        ("exit-code", None, "its socket failed (exit-code)"),
        ("core-dump", None, "its socket failed (core-dump)"),
    ],
)
def test_a_plugin_that_was_given_up_says_why_and_how_it_ended_at_last(
    result: str, service: ServiceFacts | None, sentence: str
) -> None:
    assert status_of(gave_up(result, service), enabled=True).reason == sentence


@pytest.mark.req("SUP-5")
@pytest.mark.parametrize("result", sorted(SOCKET_RESULTS - {"success"}))
def test_every_way_a_socket_can_fail_is_a_sentence(result: str) -> None:
    reason = status_of(gave_up(result), enabled=True).reason
    assert reason is not None
    assert " " in reason


def test_it_is_not_said_twice_that_it_failed_too_often() -> None:
    reason = status_of(gave_up("service-start-limit-hit", ended("start-limit-hit")), enabled=True).reason
    assert reason == "it failed too many times in a row"


@pytest.mark.parametrize("word", ["eclipse", "", "exit-code-2"])
def test_a_result_that_systemd_has_yet_to_invent_is_shown_as_it_is(word: str) -> None:
    assert last_end(ended(word)) == f"it failed ({word})"
    assert status_of(gave_up(word), enabled=True).reason == f"its socket failed ({word})"


@pytest.mark.req("LIFE-5")
def test_a_disabled_plugin_that_failed_still_says_how() -> None:
    assert status_of(UnitFacts(service=ended("exit-code")), enabled=False).reason == "it exited with status 1"
