"""Programs that are hooks: which ones are run, as whom, how many at once, and what becomes of those that go wrong."""

from __future__ import annotations

import pytest

from tests.docs.pages import blocks
from tests.hosts.host import Host
from tests.system.hooks import HOOKS, PATIENT, SEEN, STARTING, URL, WITNESS, Hooks, kill
from tests.system.test_events import QUICK, given_up
from tests.system.toru import Toru
from toru.admin.telling import AT_ONCE
from toru.domain.events import ENDED_WELL, FAILED

pytestmark = pytest.mark.req("OBS-5")


# Bounds.


def test_a_crash_loop_is_told_in_part_and_its_end_always(toru: Toru, hooks: Hooks) -> None:
    toru.settings(QUICK.format(failures=12) + "[hooks]\nburst = 3\ninterval = 3600\n")
    hooks.drop()
    toru.plant("looping", "odd.py", way="crashes at once", metadata={"protocol": "http"})
    toru.scan()
    toru.wait_until("it to be given up", lambda: given_up(toru, "looping"), 60)
    hooks.until_told("looping", "crashed", "crashed", "crashed", "disabled")
    assert [told["TORU_LEFT_OUT"] for told in hooks.told("looping")] == ["0", "0", "0", "9"]
    assert hooks.seen()[-1]["stdin"]["left_out"] == 9
    assert sum("hooks are not told of this" in line for line in hooks.said()) == 1


def test_no_more_than_so_many_run_at_once_and_the_others_wait(toru: Toru, host: Host, hooks: Hooks) -> None:
    for number in range(AT_ONCE + 4):
        host.put(f"{HOOKS}/patient-{number:02}", PATIENT, 0o755)
    hooks.counted_in()
    toru.plant("clock")
    toru.scan()
    kill(host, "clock")
    toru.wait_until("the first", lambda: hooks.at_work("patient-*") == AT_ONCE)
    host.run("touch", f"{SEEN}/.go")

    def of_all(message_id: str) -> list[float]:
        entries = [entry for entry in hooks.of_unit("toru-hook-patient-*") if entry.get("MESSAGE_ID") == message_id]
        return sorted(int(entry["__REALTIME_TIMESTAMP"]) for entry in entries)

    toru.wait_until("all of them", lambda: len(of_all(ENDED_WELL)) == AT_ONCE + 4)
    beginnings, ends = of_all(STARTING), of_all(ENDED_WELL)
    assert beginnings[AT_ONCE] >= ends[0], "the next one began when the first had ended"


# Hooks that go wrong.

WRONG = {
    "fails": ("#!/bin/sh\nexit 3\n", "Failed with result 'exit-code'."),
    "hangs": ("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1000; done\n", "Failed with result 'timeout'."),
    "no-interpreter": ("#!/nowhere/python9\n", "Failed with result 'exit-code'."),
    "no-program": ("no program at all\n", "Failed with result 'exit-code'."),
    "crashes": ("#!/bin/sh\nkill -9 $$\n", "Failed with result 'signal'."),
}


def test_hooks_that_go_wrong_harm_nobody_and_the_journal_says_so(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop_in("toru-hook-hangs@.service", "RuntimeMaxSec=1\nTimeoutStopSec=1")
    for name, (content, _) in WRONG.items():
        host.put(f"{HOOKS}/{name}", content, 0o755)
    hooks.drop()
    toru.plant("clock")
    toru.scan()
    kill(host, "clock")
    hooks.until_told("clock", "crashed")
    for name, (_, complaint) in WRONG.items():

        def said(name: str = name) -> list[str]:
            return [entry["MESSAGE"] for entry in hooks.of_unit(f"toru-hook-{name}@*")]

        toru.wait_until(name, lambda said=said, complaint=complaint: any(complaint in line for line in said()))
        assert any(f"Toru tells {name}: clock crashed: it was killed by SIGKILL" in line for line in said())
    toru.disable("clock")
    hooks.until_told("clock", "crashed", "disabled")
    assert host.run("systemctl", "list-units", "--failed", "--no-legend", "toru-hook*").stdout == ""


def test_a_hook_that_systemd_refuses_to_run_is_said_and_keeps_no_other_from_being_told(
    toru: Toru, host: Host, hooks: Hooks
) -> None:
    # What `systemctl edit --full` leaves: then there is no room for a transient unit of this name.
    host.put("/etc/systemd/system/toru-hook-bad@.service", "[Service]\nExecStart=/bin/true\n")
    host.put(f"{HOOKS}/bad", WITNESS, 0o755)
    hooks.drop()
    toru.plant("clock")
    toru.scan()
    kill(host, "clock")
    hooks.until_told("clock", "crashed")
    (line,) = [line for line in hooks.said() if line.startswith("bad can't be told: ")]
    assert "has a fragment file" in line
    host.run("rm", "/etc/systemd/system/toru-hook-bad@.service")
    host.run("systemctl", "daemon-reload")
    toru.disable("clock")
    hooks.until_told("clock", "disabled", hook="bad")


# Whose hooks are run.

# A name, what is done to the file, and what is then said of it.
NOT_ROOTS_WORD = [
    ("for-others", 'chmod o+w "$1"', "others than root may write to /etc/toru/hooks.d/for-others: chmod go-w"),
    ("for-a-group", 'chmod g+w "$1"', "others than root may write to /etc/toru/hooks.d/for-a-group: chmod go-w"),
    ("nobodys", 'chown nobody "$1"', "/etc/toru/hooks.d/nobodys does not belong to root"),
    ("plain", 'chmod -x "$1"', "it is not executable: chmod 755"),
    ("link", 'mv "$1" /usr/local/hook && ln -s /usr/local/hook "$1"', "it is a link"),
    ("to-nowhere", 'rm "$1" && ln -s /nowhere "$1"', "it is a link"),
    ("directory", 'rm "$1" && mkdir "$1"', "it is not a file"),
    ("fifo", 'rm "$1" && mkfifo -m 755 "$1"', "it is not a file"),
    ("copy~", "true", "its name may have letters and digits"),
    ("-dash", "true", "its name may have letters and digits"),
    ("$(touch x) %n", "true", "its name may have letters and digits"),
    ("old.dpkg-old", "true", "by its name it is a copy"),
]


@pytest.mark.req("SEC-5", "SEC-3")
def test_a_file_that_may_not_be_roots_word_is_not_run(toru: Toru, host: Host, hooks: Hooks) -> None:
    for name, spoil, _reason in NOT_ROOTS_WORD:
        host.put(f"{HOOKS}/{name}", WITNESS, 0o755)
        host.run("sh", "-c", spoil, "sh", f"{HOOKS}/{name}")
    hooks.drop()
    toru.plant("clock")
    toru.scan()
    kill(host, "clock")
    hooks.until_told("clock", "crashed")
    toru.disable("clock")
    hooks.until_told("clock", "crashed", "disabled")
    assert {run["hook"] for run in hooks.everything_seen()} == {"witness"}
    started = {
        entry["UNIT"].partition("@")[0] for entry in toru.journal("_PID=1") if "toru-hook-" in entry.get("UNIT", "")
    }
    assert started == {"toru-hook-witness"}
    complaints = [line for line in hooks.said(last_run=True) if "is no hook" in line]
    for name, _spoil, reason in NOT_ROOTS_WORD:
        (line,) = [line for line in complaints if line.startswith(f"{HOOKS}/{name} is no hook")]
        assert reason in line
    host.run("rm", "-f", "/usr/local/hook")


@pytest.mark.req("SEC-5")
def test_a_directory_that_others_may_write_to_holds_no_hook(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop()
    toru.plant("clock")
    toru.scan()
    host.run("chmod", "o+w", HOOKS)
    try:
        kill(host, "clock")
        toru.wait_until("the refusal", lambda: any("may write to /etc/toru/hooks.d:" in line for line in hooks.said()))
        # Which another entry may have led to: the crash has to be read before the directory is as it was.
        crash = ("UNIT=toru-plugin-clock.service", f"MESSAGE_ID={FAILED}", "_PID=1")
        toru.wait_until("the crash to be read", lambda: hooks.have_passed(*crash))
    finally:
        host.run("chmod", "o-w", HOOKS)
    toru.disable("clock")
    hooks.until_told("clock", "disabled")
    assert hooks.kinds("clock") == ["disabled"]


@pytest.mark.req("SEC-5")
def test_no_plugin_can_have_hooks_told_what_it_likes(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop()
    toru.plant("victim")
    name = "x\\n%n $(touch /var/lib/seen/x) --rehearse"
    toru.plant("--rehearse", metadata={"name": name, "version": "%H;\\t", "description": name})
    toru.plant("liar", "odd.py", way="forges events", metadata={"protocol": "http"})
    toru.scan()
    toru.wait_until("the lie", lambda: "forged" in toru.logged("liar"))
    kill(host, "--rehearse")
    hooks.until_told("--rehearse", "crashed")
    toru.disable("liar")
    hooks.until_told("liar", "disabled")
    assert {run["environment"]["TORU_PLUGIN"] for run in hooks.everything_seen()} == {"--rehearse", "liar"}
    assert host.run("test", "-e", f"{SEEN}/x", check=False).returncode == 1


def test_ops_may_let_one_hook_run_as_root_and_no_other(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop_in("toru-hook-mighty@.service", "DynamicUser=no")
    for name in ("mighty", "mighty-not", "meek"):
        host.put(f"{HOOKS}/{name}", WITNESS, 0o755)
    hooks.drop()
    toru.plant("clock")
    toru.scan()
    toru.disable("clock")
    for name in ("mighty", "mighty-not", "meek", "witness"):
        hooks.until_told("clock", "disabled", hook=name)
    uids = {name: hooks.seen(name)[0]["uid"] for name in ("mighty", "mighty-not", "meek", "witness")}
    assert uids.pop("mighty") == 0
    assert len({0, *uids.values()}) == 4


def test_the_program_and_the_drop_in_of_the_page_do_what_it_says(toru: Toru, host: Host, hooks: Hooks) -> None:
    (program,) = blocks("sh", page="docs/ops.md", heading="Programs")
    (drop_in,) = blocks("ini", page="docs/ops.md", heading="Programs")
    toru.plant("clock")
    toru.scan()
    with hooks.receiver(200) as requests:
        address = host.read(URL).strip()
        host.run("rm", URL)
        hooks.drop("chat", program.text.replace("https://chat.example.com/notify", address))
        kill(host, "clock")
        hostname = host.run("hostname").stdout.strip()
        assert next(requests)["body"] == f"text={hostname}: clock crashed: it was killed by SIGKILL"
    host.put("/run/editor", f'#!/bin/sh\ncat > "$1" <<END\n{drop_in.text.replace("$", chr(92) + "$")}END\n', 0o755)
    edit = "systemctl edit --force toru-hook-chat@.service"  # which wants a terminal
    host.run("env", "SYSTEMD_EDITOR=/run/editor", "script", "--quiet", "--command", edit, "/dev/null")
    host.put("/etc/toru/chat-password", "s3same", 0o600)
    hooks.drop("chat", '#!/bin/sh\nset -e\necho "$(id -u) $(cat "$CREDENTIALS_DIRECTORY/password")"\n')
    toru.disable("clock")
    toru.wait_until("the line", lambda: "0 s3same" in [entry["MESSAGE"] for entry in hooks.of_unit("toru-hook-chat@*")])
    host.run("rm", "-r", "/etc/toru/chat-password", "/etc/systemd/system/toru-hook-chat@.service.d")
