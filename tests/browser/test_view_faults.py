"""Bundles that fail, in each of the ways there are: what is said, and where it leads."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.manager import Manager, complaints_expected, sidebar
from tests.browser.test_view import enter, leave, plant_with, put_bundle
from tests.system.toru import Toru


def leads_to_its_logs(page: Page) -> None:
    page.get_by_role("alert").get_by_role("link", name="Show its logs").click()
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("serving as")


@pytest.mark.req("UI-4")
def test_a_bundle_that_throws_in_mount_shows_its_words_and_a_way_to_the_logs(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "broken", "throws.js")
    page = manager.page(path="/view/broken/")
    expect(page.get_by_role("alert")).to_contain_text("no sprockets left")
    leads_to_its_logs(page)


@pytest.mark.req("UI-4")
def test_a_mount_that_fails_later_shows_its_words_and_nothing_of_the_half_page(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "broken", "rejects.js")
    page = manager.page(path="/view/broken/")
    expect(page.get_by_role("alert")).to_contain_text("the sprockets were not delivered")
    expect(page.get_by_text("half of rejects")).to_have_count(0)
    leads_to_its_logs(page)


@pytest.mark.req("UI-4")
def test_a_bundle_that_registers_nothing_says_what_is_missing(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "silent", "silent.js")
    page = manager.page(path="/view/silent/")
    expect(page.get_by_role("alert")).to_contain_text('window.ToruPlugins["silent"]')
    leads_to_its_logs(page)


@pytest.mark.req("UI-4")
def test_a_bundle_with_a_mistake_in_it_says_which_and_can_be_tried_again(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "typo", "plain.js")
    put_bundle(toru, "typo", "this is no JavaScript")
    page = manager.page(path="/view/typo/")
    with complaints_expected(manager, "Unexpected identifier"):
        expect(page.get_by_role("alert")).to_contain_text("Unexpected identifier")
    plant_with(toru, "typo", "plain.js")
    page.get_by_role("button", name="Load again").click()
    expect(page.get_by_text("plain is here")).to_be_visible()


@pytest.mark.req("UI-4")
def test_a_plugin_without_a_bundle_says_so_and_offers_its_details(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "bare", None)
    page = manager.page(path="/accounts")
    # As the core answers where neither a file lies nor the plugin has one.
    page.route("**/bundle.js", lambda route: route.fulfill(status=404, json={"detail": "no", "code": "no-bundle"}))
    enter(page, "Bare")
    expect(page.get_by_text("This plugin has no page of its own")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Details").last.click()
    expect(page.get_by_role("heading", level=1, name="Bare")).to_be_visible()


@pytest.mark.req("UI-4")
def test_a_bundle_that_never_comes_shows_an_error_in_time_and_what_comes_later_is_used(
    toru: Toru, manager: Manager
) -> None:
    plant_with(toru, "stuck", "plain.js")
    page = manager.page(path="/accounts")
    held = []
    # The network between browser and core, which the test owns: the answer doesn't come.
    page.route(
        "**/bundle.js",
        lambda route: held.append(route) if route.request.resource_type == "script" else route.continue_(),
    )
    page.clock.install()
    with page.expect_request(lambda request: request.resource_type == "script" and "/stuck/" in request.url):
        sidebar(page).get_by_role("link", name="Stuck").click()
    expect(page.get_by_text("Loading Stuck")).to_be_visible()
    page.clock.run_for(16_000)
    expect(page.get_by_role("alert")).to_contain_text("did not arrive within 15 seconds")
    held[0].continue_()
    page.wait_for_function("() => window.ToruPlugins?.stuck")
    page.get_by_role("button", name="Load again").click()
    expect(page.get_by_text("plain is here")).to_be_visible()
    assert len(held) == 1


@pytest.mark.req("UI-4")
def test_a_bundle_that_can_not_be_had_says_why_in_the_cores_words(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js")
    page = manager.page(path="/accounts")
    problem = {"status": 502, "code": "bad-answer", "detail": "gauge closed the connection without an answer"}
    page.route("**/bundle.js", lambda route: route.fulfill(status=502, json=problem))
    enter(page, "Gauge")
    expect(page.get_by_role("alert")).to_contain_text("gauge closed the connection without an answer")
    # When the plugin comes back, so does its page.
    page.unroute_all()
    toru.host.run("systemctl", "stop", "toru-plugin-gauge.service")
    expect(page.get_by_role("main").get_by_text("Asleep")).to_be_visible()
    toru.host.run("systemctl", "start", "toru-plugin-gauge.service")
    expect(page.get_by_text("plain is here")).to_be_visible()


@pytest.mark.req("UI-4")
def test_a_bundle_that_fails_to_unmount_is_left_all_the_same(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "mule", "stubborn.js")
    page = manager.page(path="/view/mule/")
    expect(page.get_by_text("stubborn is here")).to_be_visible()
    with complaints_expected(manager, "will not go"):
        leave(page)
    enter(page, "Mule")
    expect(page.get_by_text("stubborn is here")).to_be_visible()
    with complaints_expected(manager, "will not go"):
        leave(page)
