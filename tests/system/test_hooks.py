"""Hooks are told what happens to plugins, each event at least once, whatever becomes of the core."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.hosts.host import Host
from tests.system.hooks import HOOKS, PATIENT, SEEN, WITNESS, Hooks, kill, starts
from tests.system.test_events import QUICK, exits
from tests.system.toru import PROCESS_EXITED, Toru
from toru.admin.telling import AT_ONCE

pytestmark = pytest.mark.req("OBS-5")


def test_a_crash_while_the_core_is_down_is_told_once_with_the_facts(toru: Toru, host: Host, hooks: Hooks) -> None:
    toru.plant("clock")
    toru.scan()
    with toru.core_down():
        hooks.drop()
        kill(host, "clock")
        hooks.until_told("clock", "crashed")
        toru.disable("clock")
        hooks.until_told("clock", "crashed", "disabled")
    (crash, disable) = hooks.seen()
    (run,) = exits(toru, "clock")
    (entry,) = toru.journal("UNIT=toru-plugin-clock.service", f"MESSAGE_ID={PROCESS_EXITED}", "_PID=1")
    assert crash["stdin"]["plugin_id"] == crash["environment"]["TORU_PLUGIN"] == "clock"
    assert crash["stdin"]["details"] == {"invocation_id": run, "result": "signal", "signal": 9}
    assert crash["environment"]["TORU_INVOCATION_ID"] == run
    assert crash["environment"]["TORU_CAUSE"] == crash["stdin"]["cause"] == "it was killed by SIGKILL"
    assert crash["environment"]["TORU_AT"] == crash["stdin"]["timestamp"]
    assert crash["stdin"]["host"] == entry["_MACHINE_ID"]
    assert crash["stdin"]["hostname"] == entry["_HOSTNAME"]
    assert disable["environment"]["TORU_CAUSE"] == ""
    assert 0 not in {crash["uid"], disable["uid"]}


def test_the_disable_after_the_last_failure_is_told_with_its_reason(toru: Toru, hooks: Hooks) -> None:
    toru.settings(QUICK.format(failures=3))
    hooks.drop()
    with toru.core_down():
        toru.plant("looping", "odd.py", way="crashes at once", metadata={"protocol": "http"})
        toru.scan()
        hooks.until_told("looping", "crashed", "crashed", "crashed", "disabled")
    reason = toru.config()["disabled_because"]["looping"]["reason"]
    assert [told["TORU_CAUSE"] for told in hooks.told("looping")] == ["it exited with status 3"] * 3 + [reason]
    assert [told["TORU_INVOCATION_ID"] for told in hooks.told("looping")][:3] == exits(toru, "looping")


def test_a_hook_says_what_it_likes_in_the_journal_under_its_own_unit(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop()
    toru.plant("clock")
    toru.scan()
    kill(host, "clock")
    hooks.until_told("clock", "crashed")
    toru.wait_until("the line", lambda: toru.journal("SYSLOG_IDENTIFIER=toru-hook-witness"))
    (line,) = toru.journal("SYSLOG_IDENTIFIER=toru-hook-witness")
    assert line["MESSAGE"] == "I was told: clock crashed: it was killed by SIGKILL"
    key = hooks.told("clock")[0]["TORU_KEY"]
    assert (line["_SYSTEMD_UNIT"], line["TORU_PLUGIN"]) == (f"toru-hook-witness@{key}.service", "clock")
    # It says so when systemd runs the hook, which by then may have ended.
    told = "told witness: clock crashed: it was killed by SIGKILL"
    toru.wait_until("the note of it", lambda: told in hooks.said())


# What is told, and from when on.


def test_the_first_hook_is_told_from_then_on_and_without_any_nothing_runs(toru: Toru, host: Host, hooks: Hooks) -> None:
    assert hooks.state() == "inactive"
    toru.plant("clock")
    toru.scan()
    kill(host, "clock")
    toru.wait_until("the crash", lambda: exits(toru, "clock"))
    host.put(f"{HOOKS}/witness", WITNESS, 0o755)  # nothing else: toru-hooks.path sees it
    toru.wait_until("the service", lambda: hooks.state() == "active")
    toru.disable("clock")
    hooks.until_told("clock", "disabled")
    host.run("rm", f"{HOOKS}/witness")
    toru.enable("clock")
    toru.wait_until("the service to end", lambda: hooks.state() == "inactive")
    toru.disable("clock")
    hooks.drop()
    toru.enable("clock")
    toru.disable("clock")
    hooks.until_told("clock", "disabled", "disabled")
    assert hooks.kinds("clock") == ["disabled", "disabled"]


def test_ops_say_what_hooks_are_told_of(toru: Toru, hooks: Hooks) -> None:
    toru.settings('[hooks]\nevents = ["enabled", "started"]\n')
    hooks.drop()
    toru.plant("clock", metadata={"start": "on-demand"})
    toru.scan()
    toru.disable("clock")
    toru.enable("clock")
    toru.ask("clock")
    hooks.until_told("clock", "enabled", "started")
    assert hooks.kinds("clock") == ["enabled", "started"]


def test_a_mistake_in_the_settings_silences_nobody(toru: Toru, host: Host, hooks: Hooks) -> None:
    toru.plant("clock")
    toru.scan()
    host.put("/etc/toru/toru.toml", "nonsense = 1\n")
    try:
        hooks.drop()
        kill(host, "clock")
        hooks.until_told("clock", "crashed")
        assert any("nonsense is not a setting" in line for line in hooks.said())
    finally:
        host.run("rm", "/etc/toru/toru.toml")


# Loss and repetition.


def crash_on_and_on(toru: Toru, hooks: Hooks) -> None:
    toru.settings(QUICK.format(failures=1000) + "[hooks]\nburst = 1000\n")
    hooks.drop()
    toru.plant("crashing", crashes_after=0.1)
    toru.scan()


def runs_told(hooks: Hooks) -> list[str]:
    return [told["TORU_INVOCATION_ID"] for told in hooks.told("crashing") if told["TORU_EVENT"] == "crashed"]


def ended(toru: Toru, hooks: Hooks) -> set[str]:
    """Every run that crashed; the very last one may have come to its end as it was stopped."""
    toru.disable("crashing")
    hooks.until_told("crashing", "disabled", seconds=30)
    toru.wait_until("every hook to end", lambda: hooks.at_work("witness") == 0)
    crashed, told = exits(toru, "crashing"), runs_told(hooks)
    assert set(crashed[:-1]) <= set(told)
    return set(crashed) if crashed[-1] in told else set(crashed[:-1])


def test_restarting_what_tells_hooks_loses_nothing_and_repeats_nothing(toru: Toru, host: Host, hooks: Hooks) -> None:
    crash_on_and_on(toru, hooks)
    for count in range(1, 9):
        toru.wait_until("a crash", lambda count=count: len(exits(toru, "crashing")) >= count)
        host.run("systemctl", "restart", "toru-hooks.service")
    crashed = ended(toru, hooks)
    assert len(crashed) >= 8
    assert Counter(runs_told(hooks)) == Counter(crashed)


def test_killing_what_tells_hooks_loses_nothing_and_repeats_it_with_the_same_key(
    toru: Toru, host: Host, hooks: Hooks
) -> None:
    crash_on_and_on(toru, hooks)
    hooks.drop_in("toru-hooks.service", "RestartSec=0")
    host.run("systemctl", "daemon-reload")
    for count in range(1, 9):
        toru.wait_until("a crash", lambda count=count: len(exits(toru, "crashing")) >= count)
        host.run("systemctl", "kill", "--signal=KILL", "toru-hooks.service", check=False)
    crashed = ended(toru, hooks)
    assert len(crashed) >= 8
    assert set(runs_told(hooks)) == crashed
    assert len({(told["TORU_KEY"], told["TORU_EVENT"]) for told in hooks.told("crashing")}) == len(crashed) + 1


def test_what_happened_meanwhile_is_told_afterwards(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop()
    toru.plant("clock")
    toru.scan()
    host.run("systemctl", "stop", "toru-hooks.path", "toru-hooks.service")
    assert hooks.state() == "inactive"
    kill(host, "clock")
    toru.wait_until("the crash", lambda: exits(toru, "clock"))
    toru.disable("clock")
    assert hooks.seen() == []
    host.run("systemctl", "start", "toru-hooks.path")
    hooks.until_told("clock", "crashed", "disabled")


def test_what_happened_before_a_reboot_is_told_after_it(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop()
    toru.plant("clock")
    toru.scan()
    host.run("systemctl", "stop", "toru-hooks.path", "toru-hooks.service")
    kill(host, "clock")
    toru.wait_until("the crash", lambda: exits(toru, "clock"))
    host.reboot()
    hooks.until_told("clock", "crashed")
    toru.disable("clock")
    hooks.until_told("clock", "crashed", "disabled")


def test_who_was_not_yet_told_when_the_host_went_down_is_told_when_it_is_up(
    toru: Toru, host: Host, hooks: Hooks
) -> None:
    for number in range(AT_ONCE):
        host.put(f"{HOOKS}/patient-{number:02}", PATIENT, 0o755)
    hooks.drop()  # it comes last, and has to wait
    toru.plant("clock")
    toru.scan()
    kill(host, "clock")
    toru.wait_until("the others", lambda: len(starts(hooks, "toru-hook-patient-*")) == AT_ONCE)
    host.reboot()
    host.run("touch", f"{SEEN}/.go")
    hooks.until_told("clock", "crashed", seconds=30)


def test_what_happens_while_systemd_cannot_be_asked_is_told_when_it_can(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop_in("toru-hooks.service", "InaccessiblePaths=/run/dbus/system_bus_socket\nRestartSec=0.2")
    host.run("systemctl", "daemon-reload")
    hooks.drop()
    toru.plant("clock")
    toru.scan()
    kill(host, "clock")
    toru.wait_until("the refusal", lambda: any("can't be reached over D-Bus" in line for line in hooks.said()))
    host.run("rm", "-r", "/etc/systemd/system/toru-hooks.service.d")
    host.run("systemctl", "daemon-reload")
    toru.disable("clock")
    hooks.until_told("clock", "crashed", "disabled")
    assert hooks.kinds("clock") == ["crashed", "disabled"]


def test_a_hook_that_still_runs_is_not_told_the_same_again(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop("patient", PATIENT)
    place = host.read("/var/lib/toru-hooks/cursor")
    toru.plant("clock")
    toru.scan()
    kill(host, "clock")
    toru.wait_until("it to run", lambda: starts(hooks, "toru-hook-patient@*"))
    host.run("systemctl", "stop", "toru-hooks.path", "toru-hooks.service")
    host.put("/var/lib/toru-hooks/cursor", place)  # as if it had been killed before it wrote a newer one
    host.run("systemctl", "start", "toru-hooks.path")
    toru.disable("clock")
    toru.wait_until("both", lambda: len(starts(hooks, "toru-hook-patient@*")) == 2)
    host.run("touch", f"{SEEN}/.go")
    assert set(starts(hooks, "toru-hook-patient@*").values()) == {1}
