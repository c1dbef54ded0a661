"""What changes shows by itself, whoever changed it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.manager import Manager, is_live, row
from tests.system.toru import Toru

SERVICE = "toru-plugin-web.service"


@pytest.mark.req("UI-6")
def test_two_people_see_each_others_actions(toru: Toru, manager: Manager) -> None:
    toru.plant("web")
    toru.scan()
    mine, theirs = manager.page(path="/plugins"), manager.page(path="/plugins")
    is_live(theirs)
    row(mine, "web").locator("label").click()
    expect(row(theirs, "web")).to_contain_text("Off")
    row(theirs, "web").locator("label").click()
    expect(row(mine, "web")).to_contain_text("Running")


@pytest.mark.req("UI-6", "LIFE-5")
def test_what_ops_do_with_systemctl_shows(toru: Toru, manager: Manager) -> None:
    toru.plant("web")
    toru.scan()
    page = manager.page(path="/plugins")
    is_live(page)
    toru.host.run("systemctl", "stop", SERVICE)
    expect(row(page, "web")).to_contain_text("Asleep")
    toru.host.run("systemctl", "start", SERVICE)
    expect(row(page, "web")).to_contain_text("Running")


@pytest.mark.req("UI-6", "SUP-3")
def test_a_plugin_that_fails_for_good_is_shown_as_given_up_with_the_reason(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 0.1\nmax_delay = 0.2\nfailures = 3\n")
    page = manager.page(path="/plugins")
    is_live(page)
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
def test_how_long_until_it_shows(toru: Toru, manager: Manager) -> None:
    """No bound: the figures are for whoever reads the output (-s). They include systemctl's own time."""
    toru.settings("[restart]\nfirst_delay = 0.5\nmax_delay = 0.8\nfailures = 100\n")
    toru.plant("web")
    toru.scan()
    page = manager.page(path="/plugins")
    is_live(page)
    crash = ("systemctl", "kill", "--signal=KILL", SERVICE)
    for name, shown, command in (("kill -9", "Retrying", crash), ("stop", "Asleep", ("systemctl", "stop", SERVICE))):
        took = [_seconds_until(page, shown, lambda argv=command: toru.host.run(*argv)) for _ in range(3)]  # type: ignore[misc]
        print(f"{name}: median {statistics.median(took):.2f} s, worst {max(took):.2f} s")


def _seconds_until(page: Page, shown: str, act: Callable[[], object]) -> float:
    expect(row(page, "web")).to_contain_text("Running") if shown == "Retrying" else None
    # Watched from inside the page: its clock is the one that counts, and Playwright's own looks are some way apart.
    page.evaluate(
        """text => { window.shown = new Promise(resolve => { const look = () =>
            document.querySelector("[data-plugin=web]")?.textContent.includes(text)
                ? resolve(Date.now() / 1000) : requestAnimationFrame(look); look() }) }""",
        shown,
    )
    began = time.time()
    act()
    at = float(page.evaluate("window.shown"))
    if shown == "Asleep":
        page.evaluate("fetch('/api/plugins/web/restart', {method: 'POST'})")
        expect(row(page, "web")).to_contain_text("Running")
    return at - began
