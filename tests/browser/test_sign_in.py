"""Signing in and out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.browser import ADMIN, CLIENT, PASSWORD, let_in
from tests.browser.manager import Manager, is_live
from tests.system.toru import Toru


@pytest.mark.req("UI-5", "SEC-2")
def test_a_wrong_password_is_refused_in_words_and_the_right_one_lets_in(manager: Manager) -> None:
    page = manager.page(None, "/plugins")
    page.get_by_label("Name").fill(ADMIN)
    page.get_by_label("Password").fill("Wrong-Password-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Wrong name or password.")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    # Where they wanted to go.
    expect(page.get_by_role("heading", level=1, name="Plugins")).to_be_visible()


@pytest.mark.req("UI-5")
def test_signing_out_leads_back_to_the_sign_in(manager: Manager) -> None:
    let_in(manager.host, "out")
    page = manager.page("out")
    is_live(page)
    page.get_by_role("button", name="Signed in as out").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    manager.forget("out")


@pytest.mark.req("UI-5", "SEC-2")
def test_who_is_disabled_is_out_at_once(manager: Manager) -> None:
    let_in(manager.host, "dora")
    page = manager.page("dora", "/plugins")
    is_live(page)
    manager.host.run("toru", "user", "disable", "dora")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    manager.host.run("toru", "user", "enable", "dora")
    manager.forget("dora")


@pytest.mark.req("UI-5", "SEC-1", "SEC-2")
def test_whoever_signs_in_next_sees_nothing_of_who_was_there_before(manager: Manager) -> None:
    let_in(manager.host, "dora")
    page = manager.page("dora", "/accounts")
    sessions = page.get_by_role("region", name="Where you are signed in")
    expect(sessions.get_by_role("list")).to_be_visible()
    manager.host.run("toru", "user", "disable", "dora")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    manager.host.run("toru", "user", "enable", "dora")
    manager.forget("dora")
    page.route("**/api/sessions", lambda _: None)  # the answer doesn't come
    page.get_by_label("Name").fill(CLIENT)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(sessions.get_by_role("status", name="Loading")).to_be_visible()
    expect(sessions.get_by_role("list")).to_have_count(0)


@pytest.mark.req("UI-5", "SEC-1")
def test_a_client_sees_what_was_granted_and_no_more(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata={"name": "Weather"})
    toru.plant("secret", metadata={"name": "Secret"})
    toru.scan()
    let_in(manager.host, "gina", "--plugin", "weather")
    page = manager.page("gina", "/plugins")
    expect(page.get_by_role("row", name="Weather")).to_be_visible()
    expect(page.get_by_text("Secret")).to_have_count(0)
    page.goto("/plugins/secret")
    expect(page.get_by_text("There is no such plugin")).to_be_visible()


@pytest.mark.req("UI-5")
def test_a_client_keeps_out_of_what_is_for_admins(manager: Manager) -> None:
    page = manager.page(CLIENT, "/accounts")
    expect(page.get_by_role("heading", name="API tokens")).to_be_visible()
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    page.goto("/accounts/users")
    expect(page.get_by_role("region", name="Users").get_by_role("alert")).to_contain_text("admin")
