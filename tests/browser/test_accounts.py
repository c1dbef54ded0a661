"""Accounts: one's own, and, for admins, everybody's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.browser import ADMIN, CLIENT, PASSWORD, let_in
from tests.browser.cast import FIREFOX
from tests.browser.manager import Manager, has_toast, is_live
from tests.system.toru import Toru

NEW_PASSWORD = "Even-Better-Horse-2"  # noqa: S105  of nobody


@pytest.fixture(autouse=True)
def nobody_new(manager: Manager) -> Iterator[None]:
    yield
    for name in ("nora", "petra"):
        manager.host.run(
            *("curl", "--silent", "--unix-socket", "/run/toru/api.sock", "--request", "DELETE"),
            f"http://toru/api/users/{name}",
        )
        manager.forget(name)


@pytest.mark.req("UI-5", "API-6")
def test_an_admin_lets_somebody_in_grants_a_plugin_and_throws_them_out(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata={"name": "Weather"})
    toru.plant("secret", metadata={"name": "Secret"})
    toru.scan()
    page = manager.page(path="/accounts/users")
    page.get_by_role("button", name="Add user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("nora")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_text("All plugins, new ones too").click()
    dialog.get_by_text("Weather").click()
    dialog.get_by_role("button", name="Save").click()
    has_toast(page, "nora is let in")
    theirs = manager.page("nora", "/plugins")
    expect(theirs.get_by_role("row", name="Weather")).to_be_visible()
    expect(theirs.get_by_text("Secret")).to_have_count(0)
    page.get_by_role("button", name="Edit nora").click()
    page.get_by_role("dialog").get_by_text("May sign in").click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(theirs.get_by_role("button", name="Sign in")).to_be_visible()
    page.get_by_role("button", name="Remove nora").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    has_toast(page, "nora is removed")
    assert "nora" not in manager.host.run("toru", "user", "list").stdout


@pytest.mark.req("UI-5")
def test_a_refusal_is_shown_where_it_belongs(manager: Manager) -> None:
    page = manager.page(path="/accounts/users")
    page.get_by_role("button", name="Add user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("nora")
    dialog.get_by_label("Password").fill("weak")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("8")
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name=f"Remove {ADMIN}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    has_toast(page, "last admin")


@pytest.mark.req("UI-5", "SEC-2")
def test_a_new_password_of_ones_own_ends_ones_other_sessions(manager: Manager) -> None:
    let_in(manager.host, "petra")
    elsewhere, page = manager.page("petra"), None
    is_live(elsewhere)
    manager.forget("petra")
    page = manager.page("petra", "/accounts")
    page.get_by_label("Old password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password again").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    has_toast(page, "Your password is changed")
    expect(elsewhere.get_by_role("button", name="Sign in")).to_be_visible()
    is_live(page)


@pytest.mark.req("UI-5", "SEC-2")
def test_a_session_that_is_ended_elsewhere_is_over_there_at_once(manager: Manager) -> None:
    let_in(manager.host, "petra")
    elsewhere = manager.page("petra", "/plugins", user_agent=FIREFOX)
    is_live(elsewhere)
    manager.forget("petra")
    page = manager.page("petra", "/accounts")
    sessions = page.get_by_role("list", name="Where you are signed in")
    expect(sessions.get_by_role("listitem")).to_have_count(2)
    expect(sessions.get_by_text("This browser")).to_have_count(1)
    sessions.get_by_role("button", name="Sign out").click()
    has_toast(page, "is signed out")
    expect(elsewhere.get_by_role("button", name="Sign in")).to_be_visible()
    (cookie,) = elsewhere.context.cookies()
    assert _status_with(manager, "Cookie: session_id=" + cookie["value"]) == "401"
    expect(sessions.get_by_role("listitem")).to_have_count(1)
    is_live(page)


@pytest.mark.req("UI-5", "SEC-2")
def test_one_signs_out_everywhere_else(manager: Manager) -> None:
    let_in(manager.host, "petra")
    others = []
    for _ in range(2):
        others.append(manager.page("petra", "/plugins"))
        is_live(others[-1])
        manager.forget("petra")
    page = manager.page("petra", "/accounts")
    page.get_by_role("button", name="Sign out elsewhere").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out elsewhere").click()
    has_toast(page, "2 other browsers are signed out")
    for other in others:
        expect(other.get_by_role("button", name="Sign in")).to_be_visible()
    is_live(page)


@pytest.mark.req("UI-5", "SEC-2")
def test_an_admin_signs_somebody_out(manager: Manager) -> None:
    let_in(manager.host, "petra")
    theirs = manager.page("petra", "/plugins")
    is_live(theirs)
    page = manager.page(path="/accounts/users")
    page.get_by_role("button", name="Where petra is signed in").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("from 127.0.0.1")).to_be_visible()
    dialog.get_by_role("button", name="Sign out").click()
    expect(dialog).to_contain_text("petra is signed in nowhere")
    expect(theirs.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.req("UI-5", "API-6")
def test_a_token_is_shown_once_works_and_can_be_revoked(manager: Manager) -> None:
    page = manager.page(CLIENT, "/accounts")
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What for").fill("backup")
    dialog.get_by_role("button", name="Create").click()
    token = dialog.locator("code").inner_text()
    assert _status_with(manager, f"Authorization: Bearer {token}") == "200"
    dialog.get_by_role("button", name="Close").last.click()
    expect(page.get_by_text(token)).to_have_count(0)
    page.get_by_role("button", name="Revoke backup").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    has_toast(page, "backup is worth nothing any more")
    assert _status_with(manager, f"Authorization: Bearer {token}") == "401"


def _status_with(manager: Manager, header: str) -> str:
    curl = ("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}")
    return manager.host.run(*curl, f"-H{header}", f"{manager.address}/api/plugins").stdout
