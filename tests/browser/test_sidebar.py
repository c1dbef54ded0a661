"""The sidebar: a way to each enabled plugin, and how it does."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.manager import Manager, is_live, row, sidebar
from tests.browser.test_view import plant_with
from tests.system.toru import Toru


@pytest.mark.req("UI-3", "LIFE-1", "LIFE-2")
def test_enabled_plugins_are_there_with_icon_name_and_dot_and_go_when_disabled(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata={"name": "Weather", "icon": "⛅"})
    toru.plant("notes", metadata={"name": "Notes"})
    toru.scan()
    page = manager.page()
    expect(sidebar(page).get_by_role("link")).to_have_count(2)
    weather = sidebar(page).get_by_role("link", name="Weather")
    expect(weather).to_contain_text("⛅")
    expect(weather.locator("[data-health]")).to_have_attribute("data-health", "healthy")
    toru.disable("notes")
    expect(sidebar(page).get_by_role("link")).to_have_count(1)


@pytest.mark.req("UI-3")
def test_without_enabled_plugins_there_is_no_section(toru: Toru, manager: Manager) -> None:
    toru.plant("notes")
    toru.scan()
    page = manager.page(path="/plugins")
    expect(sidebar(page)).to_have_count(1)
    toru.disable("notes")
    expect(sidebar(page)).to_have_count(0)
    expect(row(page, "notes")).to_be_visible()


@pytest.mark.req("UI-3")
def test_a_crashed_plugins_click_shows_the_error_and_leads_to_its_logs(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 600\nmax_delay = 600\n")
    toru.plant("weather", metadata={"name": "Weather"})
    toru.scan()
    page = manager.page()
    is_live(page)
    toru.host.run("systemctl", "kill", "--signal=KILL", "toru-plugin-weather.service")
    weather = sidebar(page).get_by_role("link", name="Weather")
    expect(weather.locator("[data-health]")).to_have_attribute("data-health", "unhealthy")
    weather.click()
    expect(page.get_by_text("it was killed by SIGKILL", exact=True)).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Logs", exact=True).click()
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("Main process exited")


@pytest.mark.req("UI-3")
def test_on_a_phone_it_is_behind_a_button_and_goes_when_a_plugin_is_chosen(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js")
    page = manager.page(viewport={"width": 360, "height": 700})
    expect(sidebar(page)).to_have_count(0)
    page.get_by_role("button", name="Open navigation").click()
    sidebar(page).get_by_role("link", name="Gauge").click()
    expect(page.get_by_text("plain is here")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


MANY = 300


def many(route: Route) -> None:
    """The core's own answer, with its one plugin many times: what is looked at is the sidebar, and not the plugins."""
    answer = route.fetch()
    (plugin,) = answer.json()
    route.fulfill(response=answer, json=[{**plugin, "id": f"p-{n:03}", "name": f"Plugin {n:03}"} for n in range(MANY)])


@pytest.mark.req("UI-3")
def test_of_many_plugins_few_are_drawn_and_all_can_be_reached_by_keys(toru: Toru, manager: Manager) -> None:
    toru.plant("gauge")
    toru.serve()  # of which nothing more is to be told
    page = manager.page()
    page.route("**/api/plugins", many)
    page.goto("/accounts")
    links = sidebar(page).get_by_role("link")
    first = sidebar(page).get_by_role("link", name="Plugin 000")
    first.focus()
    assert links.count() < 80
    for key, numbers in (
        ("ArrowDown", range(1, 61)),
        ("ArrowUp", range(59, 57, -1)),
        ("Tab", range(59, 99)),
        ("End", [MANY - 1]),
        ("Home", [0]),
    ):
        for number in numbers:
            if len(numbers) > 1:  # nobody presses keys faster than what comes next is drawn
                expect(sidebar(page).get_by_role("link", name=f"Plugin {number:03}")).to_be_attached()
            page.keyboard.press(key)
        link = sidebar(page).get_by_role("link", name=f"Plugin {numbers[-1]:03}")
        expect(link).to_be_focused()
        expect(link).to_be_in_viewport()
        assert links.count() < 80
    item = sidebar(page).get_by_role("listitem").filter(has=page.get_by_role("link", name="Plugin 000"))
    expect(item).to_have_attribute("aria-setsize", str(MANY))
    expect(item).to_have_attribute("aria-posinset", "1")
