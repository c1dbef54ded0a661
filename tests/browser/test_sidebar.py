"""The sidebar: a way to each enabled plugin, and how it does."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.manager import Manager, is_live, row, sidebar
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
    expect(page.get_by_text("it was killed by SIGKILL")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Logs", exact=True).click()
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("Main process exited")
