"""By the core or straight to systemd: the same questions have the same answers, and the same wishes the same ends."""

import json
import re
import signal
import subprocess
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from tests.cli.command import Command
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3")

FIGURES = {"memory_bytes", "tasks", "cpu_seconds", "retry_in_seconds"}
"""What is another one a moment later."""
OF_THE_CORE = {"requests", "request_errors", "requests_in_flight", "changed_at"}
"""What only the core knows. At a daemon-reload systemd forgets since when a plugin sleeps that never ran."""

OF_A_RUN = {"pid", "invocation_id"}

QUESTIONS = [
    ("list",),
    ("status", "clock"),
    ("status", "field"),
    ("status", "fallen"),
    ("status", "asleep"),
    ("status", "off"),
    ("status", "clokc"),
    ("status", "../x"),
    ("why", "fallen"),
    ("why", "asleep"),
    ("why", "silent"),
    ("runs", "fallen"),
    ("runs", "hostile", "-n", "1"),
    ("runs", "asleep"),
    ("runs", "clokc"),
    ("runs", "clock", "0" * 32),
    ("sandbox", "field"),
    ("sandbox", "off"),
    ("sandbox", "silent"),
    ("logs", "hostile"),
    ("logs", "hostile", "-p", "err", "-n", "3", "--since", "1h"),
    ("logs", "fallen", "--grep", "GOING wrong"),
    ("logs", "hostile", "--until", "1h"),
    ("logs", "clock", "--since", "2099-01-01"),
    ("logs", "clokc"),
]

IN_WORDS = [
    ("list",),
    ("status", "fallen"),
    ("why", "fallen"),
    ("logs", "hostile", "-n", "5"),
    ("runs", "fallen"),
    ("sandbox", "field"),
]
"""One of each sort."""

# One after the other. They leave everything as it was.
WISHES = [
    ("disable", "asleep", "clock"),
    ("pause", "clock"),
    ("enable", "asleep", "clock"),
    ("restart", "clock", "off"),
    ("pause", "clock"),
    ("pause", "clock", "asleep"),
    ("resume", "clock"),
    ("resume", "clock"),
    ("retry", "clock", "nobody", "silent"),
    ("enable", "silent", "../x"),
    ("disable", "nobody"),
]


@pytest.fixture(scope="package")
def opal(shop: Toru) -> Iterator[str]:
    """Somebody who administers Toru, but may neither read the journal nor ask anything of systemd."""
    shop.host.run("useradd", "--system", "--groups", "toru-admin", "opal")
    yield "opal"
    shop.host.run("userdel", "opal")


def test_a_question_has_the_same_answer_either_way(toru: Command, shop: Toru) -> None:
    asked = [("json", *question) for question in QUESTIONS]
    asked += [(form, *question) for form in ("text", "terminal") for question in IN_WORDS]
    by_core = [said(toru, *question) for question in asked]
    with shop.core_down():
        for question, answer in zip(asked, by_core, strict=True):
            assert said(toru, *question) == answer, question


def test_a_wish_has_the_same_end_either_way(toru: Command, shop: Toru) -> None:
    by_core = [said(toru, "json", *wish, but=OF_A_RUN) for wish in WISHES]
    with shop.core_down():
        for wish, ended in zip(WISHES, by_core, strict=True):
            assert said(toru, "json", *wish, but=OF_A_RUN) == ended, wish


def test_the_host_in_figures_is_the_same_either_way(toru: Command, shop: Toru) -> None:
    by_core = toru.json("status")
    with shop.core_down():
        straight = toru.json("status")
    by_core.pop("units")
    units = {unit["name"]: unit["active"] for unit in straight.pop("units")}
    assert straight == by_core
    assert (units["toru.service"], units["toru.socket"]) == ("inactive", "inactive")


@pytest.mark.req("OPS-3", "SEC-1")
def test_a_member_of_the_group_does_by_the_core_what_systemd_leaves_to_root(
    toru: Command, shop: Toru, opal: str
) -> None:
    before = shop.pid("clock")
    assert shop.host.run("systemctl", "restart", "toru-plugin-clock.service", user=opal, check=False).returncode != 0
    assert toru("restart", "clock", user=opal).stdout == "clock\trestarted\trunning\n"
    assert shop.pid("clock") not in {0, before}
    for wish in ("pause", "resume", "disable", "enable"):
        assert toru(wish, "clock", user=opal).returncode == 0, wish
    assert shop.host.run("journalctl", "-q", "-u", "toru-plugin-clock", user=opal, check=False).stdout == ""
    for question in (
        ("list",),
        ("status", "field"),
        ("logs", "field"),
        ("why", "fallen"),
        ("runs", "fallen"),
        ("logs", "field", "-n1"),
    ):
        shown, to_root = toru(*question, user=opal), toru(*question)
        assert masked(shown.stdout) == masked(to_root.stdout) != "", question
        assert shown.stderr == ""


@pytest.mark.req("OPS-3", "SEC-1")
def test_without_the_core_a_member_of_the_group_looks_and_is_told_who_may_do_more(
    toru: Command, shop: Toru, opal: str
) -> None:
    with shop.core_down():
        assert masked(toru("list", user=opal).stdout) == masked(toru("list").stdout)
        refused = toru("restart", "clock", user=opal)
        hidden = toru("logs", "clock", user=opal)
    said = "toru: while the core is down only root may restart clock: sudo toru restart clock\n"
    assert (refused.returncode, refused.stderr) == (1, said)
    assert (hidden.returncode, hidden.stdout) == (1, "")
    assert "be root, or a member of the group systemd-journal" in hidden.stderr


def test_asking_starts_no_core_that_was_stopped(toru: Command, shop: Toru) -> None:
    shop.host.run("systemctl", "stop", "toru.service")  # its socket goes on listening
    before = shop.host.show("toru.service", "InactiveEnterTimestampMonotonic", "InvocationID")
    try:
        for question in (("list",), ("status",), ("status", "clock"), ("logs", "clock"), ("why", "clock")):
            assert toru(*question).stderr == "", question
        assert toru("restart", "clock").returncode == 0
        assert toru("user", "list").returncode == 0
        for needs_it in (
            ("events",),
            ("kv", "list", "clock"),
            ("token", "list"),
            ("session", "list"),
            ("host",),
            ("figures",),
        ):
            refused = toru(*needs_it)
            assert (refused.returncode, refused.stdout) == (1, "")
            assert refused.stderr == "toru: the core is down: systemctl start toru.service\n"
        assert shop.host.show("toru.service", "InactiveEnterTimestampMonotonic", "InvocationID") == before
        assert shop.host.show("toru.socket", "SubState") == {"SubState": "listening"}
    finally:
        shop.host.run("systemctl", "start", "toru.service")


def test_a_core_that_is_silent_is_told_of_and_done_without(toru: Command, shop: Toru) -> None:
    well = toru("list")
    pid = shop.host.show("toru.service", "MainPID")["MainPID"]
    shop.host.run("systemctl", "service-watchdogs", "no")  # on a busy machine this takes longer than it waits
    shop.host.run("kill", "-STOP", pid)
    try:
        asked, in_json = toru("list"), toru("list", "--json")
        wished = toru("restart", "clock")
    finally:
        shop.host.run("kill", "-CONT", pid)
        toru("list")  # when it answers, it has also told systemd that it lives
        shop.host.run("systemctl", "service-watchdogs", "yes")
    told = "the core does not answer: systemctl status toru.service; systemd is asked instead"
    assert (asked.returncode, masked(asked.stdout), asked.stderr) == (0, masked(well.stdout), f"toru: {told}\n")
    assert json.loads(in_json.stderr) == {"warning": {"code": "no-answer", "message": told}}
    assert len(json.loads(in_json.stdout)["plugins"]) == len(well.stdout.splitlines()) - 1
    assert (wished.stdout, wished.stderr) == ("clock\trestarted\trunning\n", f"toru: {told}\n")


def test_a_core_that_cannot_be_reached_is_told_of_and_done_without(toru: Command, shop: Toru) -> None:
    well = toru("list")
    shop.host.run("mv", "/run/toru/api.sock", "/run/toru/aside")
    try:
        asked, needs_it = toru("list"), toru("events")
    finally:
        shop.host.run("mv", "/run/toru/aside", "/run/toru/api.sock")
    told = "the core can't be asked (No such file or directory): systemctl status toru.socket toru.service"
    assert (asked.returncode, masked(asked.stdout)) == (0, masked(well.stdout))
    assert asked.stderr == f"toru: {told}; systemd is asked instead\n"
    assert (needs_it.returncode, needs_it.stderr) == (1, f"toru: {told}\n")


def test_following_goes_on_when_the_core_ends(toru: Command, shop: Toru) -> None:
    argv = ("toru", "logs", "field", "-f", "-n", "1")
    with toru.host.popen(*argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as following:
        assert following.stdout is not None
        assert following.stderr is not None
        assert following.stdout.readline()
        shop.ask_toru1("field", "/before")
        assert following.stdout.readline().endswith("\tplugin\thttp /before\n")
        with shop.core_down():
            assert following.stderr.readline() == "toru: the core has ended, so the journal itself is read\n"
            shop.ask_toru1("field", "/after")
            assert following.stdout.readline().endswith("\tplugin\thttp /after\n")
        following.send_signal(signal.SIGINT)
        assert following.wait(5) == 130


@pytest.mark.parametrize("core", ["up", "down"])
def test_a_file_that_came_a_moment_ago_is_enabled(toru: Command, shop: Toru, core: str) -> None:
    shop.host.run("systemctl", "stop", "toru-scan.path")
    plugin_id = f"fresh-{core}"
    try:
        shop.plant(plugin_id)
        enabled = either(toru, shop, core, "enable", plugin_id)
    finally:
        shop.host.run("systemctl", "start", "toru-scan.path")
    assert (enabled.returncode, enabled.stdout) == (0, f"{plugin_id}\tenabled\trunning\n")
    assert shop.pid(plugin_id) != 0
    shop.remove(f"{plugin_id}.binary")
    shop.scan()
    gone = [plugin_id, "its file is gone or was rejected"]
    shop.wait_until("the file to be missed", lambda: gone in [[row[0], row[-1]] for row in toru.table("list")])
    disabled = either(toru, shop, core, "disable", plugin_id, "--json")
    (outcome,) = json.loads(disabled.stdout)["results"]
    assert (disabled.returncode, outcome["success"], outcome["error"]) == (0, True, None)
    assert (outcome["plugin"]["state"], outcome["plugin"]["enabled"], outcome["plugin"]["path"]) == (
        *("stopped", False),
        None,
    )
    assert not shop.is_loaded(plugin_id)


def either(toru: Command, shop: Toru, core: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    if core == "up":
        return toru(*arguments)
    with shop.core_down():
        return toru(*arguments)


def said(toru: Command, form: str, *arguments: str, but: Collection[str] = ()) -> tuple[int, Any, str]:
    """Exit status, output and errors, but for what is another one a moment later."""
    if form == "terminal":
        return 0, masked(toru.on_terminal(*arguments, columns=120)), ""
    done = toru(*arguments, *(["--json"] if form == "json" else []))
    if form == "text":
        return done.returncode, masked(done.stdout), done.stderr
    documents = done.stdout.splitlines() if arguments[0] == "logs" else [done.stdout]
    return done.returncode, [steady(json.loads(text), FIGURES | set(but)) for text in documents if text], done.stderr


def steady(document: Any, but: Collection[str]) -> Any:
    if isinstance(document, list):
        return [steady(it, but) for it in document]
    if isinstance(document, dict):
        known = {name: it for name, it in document.items() if name not in OF_THE_CORE}
        return {name: type(it) if name in but else steady(it, but) for name, it in known.items()}
    return document


def masked(text: str) -> str:
    """Without figures, and without the blanks that make room for them."""
    return re.sub(" +", " ", re.sub(r"[0-9]+(\.[0-9]+)?( s\b| min\b|[KMG]\b)?", "#", text))
