"""The list of plugins, and what can be done there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.browser import CLIENT
from tests.browser.manager import Manager, has_toast, is_live, row
from tests.hosts.fixtures import Hosts
from tests.system.toru import Toru

ABOUT = {"name": "Weather", "version": "2.4.1", "author": "Lake Station", "icon": "⛅"}


@pytest.mark.req("UI-1")
def test_the_list_shows_what_a_plugin_is_and_how_it_does(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata=ABOUT)
    toru.scan()
    weather = row(manager.page(path="/plugins"), "weather")
    for text in ("Weather", "2.4.1", "by Lake Station", "⛅", "Running"):
        expect(weather).to_contain_text(text)
    expect(weather.get_by_role("switch")).to_be_checked()


@pytest.mark.req("UI-1")
def test_the_switch_disables_and_enables_and_says_so(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata=ABOUT)
    toru.scan()
    page = manager.page(path="/plugins")
    switch = row(page, "weather").get_by_role("switch")
    row(page, "weather").locator("label").click()
    has_toast(page, "Weather is off")
    expect(switch).not_to_be_checked()
    expect(row(page, "weather")).to_contain_text("Off")
    assert not toru.is_loaded("weather")
    row(page, "weather").locator("label").click()
    has_toast(page, "Weather is on")
    expect(switch).to_be_checked()
    assert toru.pid("weather") > 0


@pytest.mark.req("UI-1")
def test_the_switch_works_by_keyboard(toru: Toru, manager: Manager) -> None:
    toru.plant("weather")
    toru.scan()
    page = manager.page(path="/plugins")
    row(page, "weather").get_by_role("switch").focus()
    page.keyboard.press("Space")
    expect(row(page, "weather")).to_contain_text("Off")
    toru.wait_until("its units to be gone", lambda: not toru.is_loaded("weather"))


@pytest.mark.req("UI-1")
def test_the_menu_restarts_with_a_fresh_process(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata=ABOUT)
    toru.scan()
    before = toru.pid("weather")
    page = manager.page(path="/plugins")
    row(page, "weather").get_by_role("button", name="Actions for Weather").click()
    page.get_by_role("menuitem", name="Restart").click()
    has_toast(page, "Weather has a fresh process")
    assert toru.pid("weather") not in (0, before)


@pytest.mark.req("UI-1")
def test_a_wish_that_fails_says_why(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 600\nmax_delay = 600\n")
    toru.plant("broken", "odd.py", way="crashes at once", metadata={"name": "Broken"})
    toru.scan()
    toru.disable("broken")
    page = manager.page(path="/plugins")
    row(page, "broken").locator("label").click()
    has_toast(page, "Could not enable Broken")
    told = page.get_by_role("alertdialog").filter(has_text="Could not enable Broken")
    told.get_by_role("link", name="Show its logs").click()
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("going wrong: crashes at once")


@pytest.fixture
def where_plugins_can_be_paused(hosts: Hosts, browser: Browser) -> Iterator[tuple[Toru, Manager]]:
    """Of the machine's cgroups some enforce limits and some can be frozen, and that may not be the same ones."""
    host = hosts("private")
    toru, manager = Toru(host), Manager(host, browser)
    yield toru, manager
    manager.close()
    toru.clean_up()


@pytest.mark.req("UI-1")
def test_the_menu_pauses_and_resumes(where_plugins_can_be_paused: tuple[Toru, Manager]) -> None:
    toru, manager = where_plugins_can_be_paused
    toru.plant("weather", metadata=ABOUT)
    toru.scan()
    before = toru.pid("weather")
    page = manager.page(path="/plugins")
    row(page, "weather").get_by_role("button", name="Actions for Weather").click()
    page.get_by_role("menuitem", name="Pause").click()
    has_toast(page, "Weather is paused")
    expect(row(page, "weather")).to_contain_text("Paused")
    assert toru.service("weather", "FreezerState") == {"FreezerState": "frozen"}
    row(page, "weather").get_by_role("button", name="Resume Weather").click()
    has_toast(page, "Weather goes on")
    expect(row(page, "weather")).to_contain_text("Running")
    assert toru.ask("weather")["pid"] == before


@pytest.mark.req("UI-1")
def test_what_is_asleep_looks_asleep_and_can_be_woken(toru: Toru, manager: Manager) -> None:
    toru.plant("archive", metadata={"start": "on-demand"})
    toru.scan()
    page = manager.page(path="/plugins")
    expect(row(page, "archive")).to_contain_text("Asleep")
    row(page, "archive").get_by_role("button", name="Wake").click()
    expect(row(page, "archive")).to_contain_text("Running")
    assert toru.pid("archive") > 0


@pytest.mark.req("UI-1", "SUP-5")
def test_what_backs_off_counts_down_and_can_be_tried_now(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 600\nmax_delay = 600\n")
    toru.plant("weather", metadata=ABOUT)
    toru.scan()
    page = manager.page(path="/plugins")
    toru.host.run("systemctl", "kill", "--signal=KILL", "toru-plugin-weather.service")
    expect(row(page, "weather")).to_contain_text("Retrying")
    timer = row(page, "weather").get_by_role("timer")
    expect(timer).to_have_text(re.compile(r"in (600|5\d\d) s"))
    expect(timer).not_to_have_text(timer.text_content() or "")
    expect(row(page, "weather")).to_contain_text("it was killed by SIGKILL")
    row(page, "weather").get_by_role("button", name="Try now").click()
    expect(row(page, "weather")).to_contain_text("Running")
    assert toru.pid("weather") > 0


@pytest.mark.req("UI-1", "SUP-3")
def test_what_was_given_up_shows_why_with_its_last_lines_and_gets_another_chance(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 0.1\nmax_delay = 0.2\nfailures = 2\n")
    toru.plant("weather", "lively.py", metadata=ABOUT, lines=["out of paper"], dies_after=0.3)
    toru.scan()
    toru.wait_until("it to be given up", lambda: not toru.plugin("weather")["enabled"])
    page = manager.page(path="/plugins")
    expect(row(page, "weather")).to_contain_text("it exited with status 7")
    row(page, "weather").get_by_role("button", name="Why, and its last lines: Weather").click()
    dialog = page.get_by_role("dialog", name="Why Weather is not well")
    expect(dialog).to_contain_text("it failed too many times in a row; at last it exited with status 7")
    expect(dialog.get_by_role("region", name="Its last lines")).to_contain_text("out of paper")
    starts = len(toru.starts("weather"))
    dialog.get_by_role("button", name="Try now").click()
    toru.wait_until("another start", lambda: len(toru.starts("weather")) > starts)


@pytest.mark.req("UI-1", "ISO-4")
def test_rejected_files_are_listed_with_their_reasons(toru: Toru, manager: Manager) -> None:
    toru.drop("rubbish.binary", "#!/bin/sh\necho rubbish\n")
    toru.scan()
    page = manager.page(path="/plugins")
    rejected = page.get_by_role("region", name="Rejected files")
    expect(rejected).to_contain_text("rubbish.binary")
    expect(rejected).to_contain_text("is not JSON")
    toru.remove("rubbish.binary")
    toru.scan()
    expect(rejected).to_have_count(0)


@pytest.mark.req("UI-1")
def test_search_and_filter_stand_in_the_address(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata=ABOUT)
    toru.plant("archive", metadata={"start": "on-demand"})
    toru.scan()
    page = manager.page(path="/plugins")
    page.get_by_role("searchbox", name="Search plugins").fill("lake")
    expect(row(page, "archive")).to_have_count(0)
    expect(row(page, "weather")).to_be_visible()
    page.reload()
    expect(row(page, "weather")).to_be_visible()
    expect(row(page, "archive")).to_have_count(0)
    page.goto("/plugins?show=asleep")
    expect(row(page, "archive")).to_be_visible()
    expect(row(page, "weather")).to_have_count(0)


@pytest.mark.req("UI-1")
def test_no_plugins_says_how_to_get_some(manager: Manager) -> None:
    expect(manager.page(path="/plugins").get_by_text("No plugins yet")).to_be_visible()


@pytest.mark.req("UI-1")
def test_while_plugins_are_not_known_it_says_so_and_tries_again(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata=ABOUT)
    toru.scan()
    page = manager.page(path="/accounts")
    is_live(page)

    def cut(route: Route) -> None:
        route.abort()

    # The network between browser and core, which the test owns.
    page.route("**/api/plugins", cut)
    page.goto("/plugins")
    unreachable = page.get_by_role("alert").filter(has_text="Toru can’t be reached")
    expect(unreachable).to_be_visible()
    page.unroute("**/api/plugins", cut)
    unreachable.get_by_role("button", name="Try again").click()
    expect(row(page, "weather")).to_be_visible()


@pytest.mark.req("UI-1", "SEC-1")
def test_a_client_sees_plugins_and_can_switch_none(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata=ABOUT)
    toru.drop("rubbish.binary", "#!/bin/sh\necho rubbish\n")
    toru.scan()
    page = manager.page(CLIENT, "/plugins")
    expect(row(page, "weather")).to_contain_text("Running")
    is_live(page)
    expect(page.get_by_role("switch")).to_have_count(0)
    row(page, "weather").get_by_role("button", name="Actions for Weather").click()
    expect(page.get_by_role("menuitem")).to_have_text(["Open", "Details"])
    page.keyboard.press("Escape")
    expect(page.get_by_text("Rejected files")).to_have_count(0)
    expect(page.get_by_role("link", name="Events")).to_have_count(0)


@pytest.mark.req("SEC-5")
def test_what_a_plugin_says_of_itself_is_text(toru: Toru, manager: Manager) -> None:
    nasty = "<img src=x onerror=\"document.title='taken'\">"
    toru.plant(
        "nasty",
        metadata={"name": nasty, "author": nasty, "icon": "<b>", "description": nasty},
        file="<img src=x>.binary",
    )
    toru.drop("<svg onload=x>.binary", "#!/bin/sh\necho '<script>'\n")
    toru.scan()
    page = manager.page(path="/plugins")
    expect(page.get_by_text(nasty).first).to_be_visible()
    page.goto("/plugins/nasty")
    expect(page.get_by_role("heading", level=1)).to_have_text(nasty)
    expect(page.get_by_role("main")).to_contain_text("/<img src=x>.binary")
    assert page.locator("img").count() == 0
    assert "taken" not in page.title().split(" · ")


MANY = 500


@pytest.mark.req("UI-1")
def test_of_five_hundred_plugins_those_in_sight_are_in_the_document_and_each_is_found(
    toru: Toru, manager: Manager
) -> None:
    """500 rows, as the server would say them: to have it look at 500 files takes a busy machine minutes."""
    toru.plant("web")
    toru.serve()  # of which nothing more is to be told
    page = manager.page(path="/accounts")
    one = page.context.request.get("/api/plugins/web").json()
    many = [{**one, "id": f"p{number}", "name": f"Plugin {number}"} for number in range(100, 100 + MANY)]
    page.route("**/api/plugins", lambda route: route.fulfill(json=many))
    page.goto("/plugins")
    expect(row(page, "p100")).to_be_visible()
    table = page.get_by_role("table", name="Plugins")
    expect(table).to_have_attribute("aria-rowcount", str(MANY + 1))
    assert page.locator("[data-plugin]").count() < 60
    took = page.evaluate(SCROLL)
    expect(row(page, f"p{99 + MANY}")).to_be_visible()
    assert page.locator("[data-plugin]").count() < 60
    page.get_by_role("searchbox", name="Search plugins").fill("plugin 321")
    expect(row(page, "p321")).to_be_visible()
    expect(table).to_have_attribute("aria-rowcount", "2")
    _print_frames(page, took)


SCROLL = """async () => {
    const main = document.getElementById("main"), frames = [];
    let before = performance.now();
    while (main.scrollTop + main.clientHeight < main.scrollHeight - 1) {
        main.scrollTop += 400;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        frames.push(now - before);
        before = now;
    }
    return frames;
}"""


def _print_frames(page: Page, milliseconds: list[float]) -> None:
    """No bound: the figures are for whoever reads the output (-s)."""
    sizes = page.evaluate("document.querySelectorAll('*').length")
    median = sorted(milliseconds)[len(milliseconds) // 2]
    print(f"{MANY} plugins: {sizes} elements in the document, {len(milliseconds)} frames of scrolling")
    print(f"{MANY} plugins: a frame takes {median:.0f} ms, the longest {max(milliseconds):.0f} ms")
