"""The list of plugins, and what can be done there."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.browser import CLIENT
from tests.browser.manager import Manager, has_toast, is_live, row
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
    assert not toru.is_loaded("weather")


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
    expect(row(page, "weather").get_by_role("timer")).to_contain_text("in 59")
    expect(row(page, "weather")).to_contain_text("it was killed by SIGKILL")
    row(page, "weather").get_by_role("button", name="Try now").click()
    expect(row(page, "weather")).to_contain_text("Running")
    assert toru.pid("weather") > 0


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


@pytest.mark.req("UI-1", "SEC-1")
def test_a_client_sees_plugins_and_can_switch_none(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata=ABOUT)
    toru.drop("rubbish.binary", "#!/bin/sh\necho rubbish\n")
    toru.scan()
    page = manager.page(CLIENT, "/plugins")
    expect(row(page, "weather")).to_contain_text("Running")
    is_live(page)
    expect(page.get_by_role("switch")).to_have_count(0)
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
