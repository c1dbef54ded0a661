"""What changes shows by itself, whoever changed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.manager import Manager, is_live, row
from tests.system.api import Api
from tests.system.toru import Toru

SERVICE = "toru-plugin-web.service"

STOPPED = ("UNIT=" + SERVICE, "MESSAGE_ID=9d1aaa27d60140bd96365438aad20286", "_PID=1")
"""systemd's own word for a unit that it has stopped (systemd.journal-fields(7), sd-messages.h)."""


@contextmanager
def nothing_is_asked(page: Page) -> Iterator[None]:
    """In the block the page asks the API nothing: what changes on it, the stream has changed, and no looking again."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/" in request.url:
            asked.append(request.url)

    page.on("request", note)
    yield
    page.remove_listener("request", note)
    assert asked == []


@pytest.mark.req("UI-6")
def test_two_people_see_each_others_actions(toru: Toru, manager: Manager) -> None:
    toru.plant("web")
    toru.scan()
    mine, theirs = manager.page(path="/plugins"), manager.page(path="/plugins")
    is_live(mine)
    is_live(theirs)
    with nothing_is_asked(theirs):
        row(mine, "web").locator("label").click()
        expect(row(theirs, "web")).to_contain_text("Off")
    toru.wait_until("its units to be gone", lambda: not toru.is_loaded("web"))
    with nothing_is_asked(mine):
        row(theirs, "web").locator("label").click()
        expect(row(mine, "web")).to_contain_text("Running")
    assert toru.pid("web") > 0


@pytest.mark.req("UI-6", "LIFE-5")
def test_what_ops_do_with_systemctl_shows(toru: Toru, manager: Manager) -> None:
    toru.plant("web")
    toru.scan()
    page = manager.page(path="/plugins")
    is_live(page)
    with nothing_is_asked(page):
        toru.host.run("systemctl", "stop", SERVICE)
        expect(row(page, "web")).to_contain_text("Asleep")
        toru.host.run("systemctl", "start", SERVICE)
        expect(row(page, "web")).to_contain_text("Running")


@pytest.mark.req("UI-6", "SUP-2")
def test_a_crash_shows_with_its_cause_and_so_does_the_restart(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 600\nmax_delay = 600\n")
    toru.plant("web")
    toru.scan()
    page = manager.page(path="/plugins")
    is_live(page)
    with nothing_is_asked(page):
        toru.host.run("systemctl", "kill", "--signal=KILL", SERVICE)
        expect(row(page, "web")).to_contain_text("Retrying")
        expect(row(page, "web")).to_contain_text("it was killed by SIGKILL")
        toru.host.run("systemctl", "restart", SERVICE)
        expect(row(page, "web")).to_contain_text("Running")


@pytest.mark.req("UI-6", "SUP-3")
def test_a_plugin_that_fails_for_good_is_shown_as_given_up_with_the_reason(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 0.1\nmax_delay = 0.2\nfailures = 3\n")
    page = manager.page(path="/plugins")
    is_live(page)
    expect(page.get_by_text("No plugins yet")).to_be_visible()
    with nothing_is_asked(page):
        toru.plant("web", crashes_after=0.2)
        toru.scan()
        expect(row(page, "web")).to_contain_text("Gave up")
        expect(row(page, "web")).to_contain_text("it exited with status 7")
        expect(row(page, "web").get_by_role("switch")).not_to_be_checked()
    assert toru.config()["plugins"]["web"] is False


@pytest.mark.req("UI-6", "LIFE-6")
def test_a_new_file_appears_and_a_removed_one_goes(toru: Toru, manager: Manager) -> None:
    page = manager.page(path="/plugins")
    is_live(page)
    toru.plant("web")
    expect(row(page, "web")).to_contain_text("Running")
    toru.disable("web")
    toru.remove("web.binary")
    expect(row(page, "web")).to_have_count(0)


@pytest.mark.req("UI-6")
def test_a_restart_of_the_core_is_shown_and_overcome(toru: Toru, manager: Manager) -> None:
    toru.plant("web")
    toru.scan()
    page = manager.page(path="/plugins")
    is_live(page)
    with toru.core_down():
        expect(page.get_by_role("status").get_by_text("Connection lost")).to_be_visible()
        toru.host.run("systemctl", "stop", SERVICE)
    is_live(page)
    expect(row(page, "web")).to_contain_text("Asleep")
    expect(page.get_by_role("status").get_by_text("Connection lost")).to_have_count(0)


@pytest.mark.req("UI-6")
def test_what_happened_while_the_stream_was_broken_is_there_when_it_is_back(toru: Toru, manager: Manager) -> None:
    toru.plant("ferry")
    toru.scan()
    page = manager.page(path="/plugins/ferry/events")
    is_live(page)
    events = page.get_by_role("list", name="Events, newest first")
    expect(events.locator("[data-kind=started]")).to_be_visible()
    # The network between browser and core, which the test owns.
    page.route("**/api/stream", lambda route: route.abort())
    with toru.core_down():
        expect(page.get_by_role("status").get_by_text("Connection lost")).to_be_visible()
    toru.host.run("systemctl", "kill", "--signal=KILL", "toru-plugin-ferry.service")
    toru.wait_until("the core to know of it", lambda: "crashed" in _kinds(toru, "ferry"))
    page.unroute_all()
    is_live(page)
    expect(events.locator("[data-kind=crashed]")).to_be_visible()


def _kinds(toru: Toru, plugin_id: str) -> set[str]:
    return {event["event_type"] for event in Api(toru.host).get(f"/api/plugins/{plugin_id}/events")["events"]}


@pytest.mark.req("UI-6")
def test_how_long_until_it_shows(toru: Toru, manager: Manager) -> None:
    """From systemd's own entry in the journal to the page, both by the clock of this machine.

    No bound: the figures are for whoever reads the output (-s).
    """
    # Until it has been seen: a busy core looks at what is, and not at each step on the way there.
    toru.settings("[restart]\nfirst_delay = 600\nmax_delay = 600\n")
    toru.plant("web")
    toru.scan()
    page = manager.page(path="/plugins")
    is_live(page)
    expect(row(page, "web")).to_contain_text("Running")
    page.evaluate(WATCH)
    crash = ("systemctl", "kill", "--signal=KILL", SERVICE)

    def last(*matches: str) -> float:
        return int(toru.journal(*matches)[-1]["__REALTIME_TIMESTAMP"]) / 1e6

    deeds: dict[str, tuple[str, tuple[str, ...], Callable[[], float]]] = {
        "kill -9": ("backing off", crash, lambda: toru.ends("web")[-1]),
        "systemctl stop": ("idle", ("systemctl", "stop", SERVICE), lambda: last(*STOPPED)),
    }
    for name, (state, command, happened) in deeds.items():
        page.evaluate("seen.length = 0")
        toru.host.run(*command)
        page.wait_for_function("state => seen.some(it => it[0] === state)", arg=state)
        _print(name, page, state, happened())
        toru.host.run("systemctl", "restart", SERVICE)
        expect(row(page, "web")).to_have_attribute("data-state", "running")
    toru.settings("[restart]\nfirst_delay = 0.1\nmax_delay = 0.2\nfailures = 3\n")
    toru.disable("web")
    expect(row(page, "web")).to_have_attribute("data-state", "stopped")
    toru.enable("web")
    expect(row(page, "web")).to_have_attribute("data-state", "running")
    page.evaluate("seen.length = 0")
    # As often as it takes: while it waits for its next try there is nobody to kill.
    toru.wait_until("it to be given up", lambda: _crashes_for_good(toru, crash), 60)
    page.wait_for_function("() => seen.some(it => it[0] === 'stopped')")
    disabled = ("TORU_EVENT=disabled", "TORU_PLUGIN=web")
    toru.wait_until("it to be written down after the one on request", lambda: len(toru.journal(*disabled)) == 2)
    _print("disabled by its failures", page, "stopped", last(*disabled))


def _crashes_for_good(toru: Toru, crash: tuple[str, ...]) -> bool:
    toru.host.run(*crash, check=False)
    return toru.plugin("web")["enabled"] is False


# From inside the page: its clock is the one that counts, and Playwright's own looks are some way apart.
WATCH = """() => {
    window.seen = [];
    const note = () => {
        const state = document.querySelector("[data-plugin=web]")?.dataset.state;
        if (seen.at(-1)?.[0] !== state) seen.push([state, Date.now() / 1000]);
    };
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def _print(name: str, page: Page, state: str, happened: float) -> None:
    shown = next(at for seen, at in page.evaluate("seen") if seen == state)
    print(f"{name}: shown {shown - happened:.2f} s after it happened")
