"""The frame around every screen: by keyboard, in the colours one chose, and when the network fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.browser import let_in
from tests.browser.manager import Manager, complaints_expected, is_live

IS_DARK = "() => document.documentElement.classList.contains('dark')"


def command(page: Page, typed: str) -> None:
    """Something that the palette offers, by keyboard alone."""
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox", name="Where to, or what to do?")).to_be_focused()
    page.keyboard.type(typed)
    page.keyboard.press("Enter")


@pytest.mark.req("UI-5")
def test_the_theme_is_the_systems_until_another_is_chosen_which_is_kept(manager: Manager) -> None:
    page = manager.page(color_scheme="dark")
    is_live(page)
    assert page.evaluate(IS_DARK)
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"() => !({IS_DARK})()")
    command(page, "theme dark")
    page.wait_for_function(IS_DARK)
    page.reload()
    is_live(page)
    assert page.evaluate(IS_DARK), "kept, although the system is light"
    command(page, "theme system")
    page.wait_for_function(f"() => !({IS_DARK})()")


@pytest.mark.req("UI-5")
def test_the_first_tab_leads_past_the_navigation(manager: Manager) -> None:
    page = manager.page(path="/plugins")
    is_live(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.req("UI-5")
def test_a_dialog_keeps_the_focus_and_gives_it_back(manager: Manager) -> None:
    page = manager.page(path="/accounts")
    opener = page.get_by_role("button", name="New token")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What for")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.closest('[role=dialog]') !== null")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


@pytest.mark.req("UI-5")
def test_what_could_not_be_read_says_so_and_can_be_tried_again(manager: Manager) -> None:
    page = manager.page(path="/plugins")
    is_live(page)

    def fail(route: Route) -> None:
        route.abort()

    page.route("**/api/sessions", fail)
    page.get_by_role("link", name="Accounts").click()
    section = page.get_by_role("region", name="Where you are signed in")
    expect(section.get_by_role("alert")).to_contain_text("Toru can’t be reached")
    page.unroute("**/api/sessions")
    section.get_by_role("button", name="Try again").click()
    expect(section.get_by_text("This browser")).to_be_visible()


@pytest.mark.req("UI-5")
def test_an_address_that_is_none_says_so_and_leads_back(manager: Manager) -> None:
    page = manager.page(path="/no/such/place")
    expect(page.get_by_role("heading", level=1, name="There is no such page")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="To the overview").click()
    expect(page).to_have_url(f"{manager.address}/")


@pytest.mark.req("UI-5")
def test_a_page_whose_files_an_upgrade_has_taken_away_says_so_on_a_screen_and_on_the_sign_in(manager: Manager) -> None:
    let_in(manager.host, "out")
    page = manager.page("out", "/plugins")
    is_live(page)
    with of_an_older_version(page, manager):
        page.get_by_role("link", name="Accounts").click()
    expect(page.get_by_role("heading", level=1, name="Accounts")).to_be_visible()
    with of_an_older_version(page, manager):
        manager.host.run("toru", "user", "disable", "out")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    manager.host.run("toru", "user", "enable", "out")
    manager.forget("out")


@contextmanager
def of_an_older_version(page: Page, manager: Manager) -> Iterator[None]:
    """What the page has not loaded before this is no longer there, until it is loaded anew as it is told."""
    gone: dict[str, Any] = {"status": 404, "json": {"detail": "there is no such file", "code": "not-found"}}
    page.route("**/assets/*", lambda route: route.fulfill(**gone))
    with complaints_expected(manager, "/assets/"):
        yield
        expect(page.get_by_role("alert")).to_contain_text("Toru has been upgraded")
        page.unroute_all()
        with page.expect_event("load"):
            page.get_by_role("button", name="Reload").click()
