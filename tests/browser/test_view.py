"""Plugins' own pages: bundles of every kind there is in the field."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.manager import Manager, complaints_expected, has_toast, is_live, sidebar
from tests.system.toru import PLUGINS, Toru

BUNDLES = Path(__file__).parents[1] / "plugins" / "bundles"


def plant_with(toru: Toru, plugin_id: str, bundle: str | None, *, place: str = "bundle.js", **metadata: object) -> None:
    toru.plant(plugin_id, metadata={"name": plugin_id.capitalize(), **metadata})
    toru.remove(plugin_id)
    if bundle is not None:
        toru._files.add(plugin_id)
        text = (BUNDLES / bundle).read_text().replace("@ID@", plugin_id)
        toru.host.put(f"{PLUGINS}/{plugin_id}/{place}", text)
    toru.scan()


def leave(page: Page) -> None:
    """To another screen, without loading the document anew."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Accounts").click()
    expect(page.get_by_role("heading", level=1, name="Accounts")).to_be_visible()


@pytest.mark.req("UI-4")
@pytest.mark.parametrize(("bundle", "place"), [("plain.js", "bundle.js"), ("own.js", "frontend/bundle.js")])
def test_a_bundle_is_found_where_it_lies_however_it_registers(
    toru: Toru, manager: Manager, bundle: str, place: str
) -> None:
    plant_with(toru, "gauge", bundle, place=place)
    page = manager.page()
    sidebar(page).get_by_role("link", name="Gauge").click()
    expect(page.get_by_role("main")).to_contain_text(f"{bundle.removesuffix('.js')} is here")


@pytest.mark.req("UI-4")
def test_a_deep_link_and_the_back_button_work(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js")
    page = manager.page(path="/view/gauge/")
    expect(page.get_by_title("found by its id")).to_be_visible()
    leave(page)
    assert page.evaluate("seenByPlain.unmounts") == 1
    page.go_back()
    expect(page.get_by_text("plain is here")).to_be_visible()
    assert page.evaluate("[seenByPlain.mounts, seenByPlain.unmounts]") == [2, 1]


@pytest.mark.req("UI-4")
def test_the_api_reaches_the_plugins_storage_shows_toasts_and_navigates(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js")
    page = manager.page(path="/view/gauge/")
    expect(page.get_by_text("plain is here")).to_be_visible()
    assert page.evaluate("apiOfPlain.kv.set('a', {b: 1})") == {"b": 1}
    assert page.evaluate("apiOfPlain.kv.get('a')") == {"b": 1}
    assert page.evaluate("apiOfPlain.kv.delete('a')") is None
    assert page.evaluate("apiOfPlain.kv.get('a')") is None
    page.evaluate("apiOfPlain.showToast('it works', 'success')")
    has_toast(page, "it works")
    page.evaluate("apiOfPlain.navigate('/plugins')")
    expect(page.get_by_role("heading", level=1, name="Plugins")).to_be_visible()


@pytest.mark.req("UI-4")
def test_the_api_fetches_below_the_plugins_true_route(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js", route="/dial")
    page = manager.page(path="/view/gauge/")
    expect(page.get_by_text("plain is here")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(manager.address)))
    page.evaluate("Promise.all(['/a?b=1', 'c', '/api/health'].map(path => apiOfPlain.fetch(path))).then(() => 0)")
    for address in ("/api/plugins/route/dial/a?b=1", "/api/plugins/route/dial/c", "/api/health"):
        assert address in asked


@pytest.mark.req("UI-4")
def test_global_styles_and_portals_of_a_bundle_are_gone_after_leaving_and_never_repaint_the_manager(
    toru: Toru, manager: Manager
) -> None:
    plant_with(toru, "siren", "loud.js")
    page = manager.page(path="/accounts")
    is_live(page)
    before = _look(page)
    sidebar(page).get_by_role("link", name="Siren").click()
    expect(page.get_by_text("loud is here")).to_be_visible()
    expect(page.locator("#portal-of-loud")).to_be_visible()
    assert _look(page)["primary"] == "120 100% 50%"
    assert _look(page)["sidebar"] == before["sidebar"]
    leave(page)
    assert _look(page) == before
    expect(page.locator("#portal-of-loud")).to_have_count(0)
    sidebar(page).get_by_role("link", name="Siren").click()
    expect(page.locator("#portal-of-loud")).to_be_visible()
    assert _look(page)["primary"] == "120 100% 50%"


def _look(page: Page) -> dict[str, object]:
    """What the manager looks like, as far as a style of the whole document would change it."""
    return dict(
        page.evaluate(
            """() => {
                const look = (element, ...names) => names.map(name => getComputedStyle(element)[name]);
                const link = document.querySelector("nav a");
                return {
                    sidebar: look(link, "font", "color", "backgroundColor", "padding", "display")
                        .concat(look(link.closest("aside > div"), "backgroundColor", "width", "font")),
                    body: look(document.body, "backgroundColor", "margin", "font"),
                    main: look(document.querySelector("main"), "outlineWidth", "font", "color"),
                    root: look(document.documentElement, "backgroundColor"),
                    primary: getComputedStyle(document.documentElement).getPropertyValue("--primary").trim(),
                };
            }"""
        )
    )


@pytest.mark.req("UI-4")
def test_a_bundle_that_throws_in_mount_shows_its_words_and_a_way_to_the_logs(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "broken", "throws.js")
    page = manager.page(path="/view/broken/")
    expect(page.get_by_role("alert")).to_contain_text("no sprockets left")
    page.get_by_role("alert").get_by_role("link", name="Show its logs").click()
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("serving as")


@pytest.mark.req("UI-4")
def test_a_bundle_that_registers_nothing_says_what_is_missing(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "silent", "silent.js")
    expect(manager.page(path="/view/silent/").get_by_role("alert")).to_contain_text('window.ToruPlugins["silent"]')


@pytest.mark.req("UI-4")
def test_a_bundle_with_a_mistake_in_it_is_an_error_with_its_reason(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "typo", "plain.js")
    toru.host.put(f"{PLUGINS}/typo/bundle.js", "this is no JavaScript")
    page = manager.page(path="/view/typo/")
    expect(page.get_by_role("alert")).to_be_visible()
    with complaints_expected(manager, "Unexpected identifier"):
        pass


@pytest.mark.req("UI-4")
def test_a_plugin_without_a_bundle_says_so_and_offers_its_details(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "bare", None)
    page = manager.page(path="/view/bare/")
    expect(page.get_by_text("This plugin has no page of its own")).to_be_visible()


@pytest.mark.req("UI-4")
def test_a_bundle_that_never_loads_shows_an_error_in_time(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "stuck", "plain.js")
    page = manager.page(path="/accounts")
    # The network between browser and core, which the test owns: the answer never comes.
    page.route("**/bundle.js?v=*", lambda _route: None)
    page.clock.install()
    with page.expect_request("**/bundle.js?v=*"):
        sidebar(page).get_by_role("link", name="Stuck").click()
    expect(page.get_by_text("Loading Stuck")).to_be_visible()
    page.clock.run_for(16_000)
    expect(page.get_by_role("alert")).to_contain_text("did not arrive within 15 seconds")


@pytest.mark.req("UI-4", "API-3")
def test_an_upgraded_bundle_is_the_one_that_is_mounted_next(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "own.js")
    page = manager.page(path="/view/gauge/")
    expect(page.get_by_text("own is here")).to_be_visible()
    leave(page)
    text = (BUNDLES / "own.js").read_text().replace("@ID@", "gauge").replace("own is here", "the new one is here")
    toru.host.put(f"{PLUGINS}/gauge/bundle.js", text)
    sidebar(page).get_by_role("link", name="Gauge").click()
    expect(page.get_by_text("the new one is here")).to_be_visible()


@pytest.mark.req("UI-4")
def test_switching_a_plugin_off_unmounts_its_page_and_on_mounts_it_again(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js")
    page = manager.page(path="/view/gauge/")
    expect(page.get_by_text("plain is here")).to_be_visible()
    toru.disable("gauge")
    expect(page.get_by_text("This plugin is off")).to_be_visible()
    assert page.evaluate("seenByPlain.unmounts") == 1
    page.get_by_role("main").locator("label").click()
    expect(page.get_by_text("plain is here")).to_be_visible()


@pytest.mark.req("UI-4")
def test_fifty_mounts_leave_nothing_behind(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js")
    plant_with(toru, "siren", "loud.js")
    page = manager.page(path="/accounts")
    page.add_init_script(COUNTERS)
    page.reload()
    # Once each, so that what is loaded for good is there.
    for name in ("Gauge", "Siren"):
        sidebar(page).get_by_role("link", name=name).click()
        expect(page.get_by_text(" is here")).to_be_visible()
        leave(page)
    before = page.evaluate(LEFT)
    for _ in range(25):
        for name in ("Gauge", "Siren"):
            sidebar(page).get_by_role("link", name=name).click()
            expect(page.get_by_text(" is here")).to_be_visible()
            leave(page)
    after = page.evaluate(LEFT)
    assert page.evaluate("[seenByPlain.mounts, seenByPlain.unmounts]") == [26, 26]
    # "Loud" adds a style of its own at each mount, and forgets it: those are switched off, not the manager's.
    assert after["styles"] <= before["styles"]
    assert after["bodyChildren"] == before["bodyChildren"]
    assert after["intervals"] <= before["intervals"]
    assert after["listeners"] <= before["listeners"] + 2, (before, after)


COUNTERS = """
    window.counted = { listeners: 0, intervals: new Set() };
    for (const target of [window, document]) {
        const add = target.addEventListener.bind(target), remove = target.removeEventListener.bind(target);
        const known = new Map();
        const key = options => (typeof options === 'object' ? !!options?.capture : !!options);
        target.addEventListener = (name, listener, options) => {
            const id = name + key(options);
            const there = known.get(listener) ?? known.set(listener, new Set()).get(listener);
            if (listener && !there.has(id)) { there.add(id); counted.listeners += options?.once ? 0 : 1; }
            return add(name, listener, options);
        };
        target.removeEventListener = (name, listener, options) => {
            if (known.get(listener)?.delete(name + key(options))) counted.listeners -= 1;
            return remove(name, listener, options);
        };
    }
    const set = window.setInterval.bind(window), clear = window.clearInterval.bind(window);
    window.setInterval = (...a) => { const id = set(...a); counted.intervals.add(id); return id; };
    window.clearInterval = id => { counted.intervals.delete(id); return clear(id); };
"""
LEFT = """() => ({
    listeners: counted.listeners,
    intervals: counted.intervals.size,
    styles: [...document.querySelectorAll('style')].filter(style => style.media !== 'not all').length,
    bodyChildren: document.body.children.length,
})"""
