"""Plugins' own pages: what the manager does for bundles, and what it keeps them from."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.manager import Manager, has_toast, is_live, sidebar
from tests.browser.proxy import PREFIX, proxied
from tests.system.toru import PLUGINS, Toru

BUNDLES = Path(__file__).parents[1] / "plugins" / "bundles"


def plant_with(toru: Toru, plugin_id: str, bundle: str | None, *, place: str = "bundle.js", **metadata: object) -> None:
    toru.plant(plugin_id, metadata={"name": plugin_id.capitalize(), **metadata})
    toru.remove(plugin_id)
    if bundle is not None:
        put_bundle(toru, plugin_id, (BUNDLES / bundle).read_text().replace("@ID@", plugin_id), place)
    toru.scan()


def put_bundle(toru: Toru, plugin_id: str, text: str, place: str = "bundle.js") -> None:
    toru._files.add(plugin_id)
    toru.host.put(f"{PLUGINS}/{plugin_id}/{place}", text)


def leave(page: Page) -> None:
    """To another screen, without loading the document anew."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Accounts").click()
    expect(page.get_by_role("heading", level=1, name="Accounts")).to_be_visible()


def enter(page: Page, name: str) -> None:
    sidebar(page).get_by_role("link", name=name).click()


def look(page: Page) -> dict[str, object]:
    """What the manager looks like, as far as a style of the whole document would change it."""
    return dict(
        page.evaluate(
            """() => {
                const look = (element, ...names) => names.map(name => getComputedStyle(element)[name]);
                const link = document.querySelector("nav a");
                return {
                    sidebar: look(link, "font", "color", "backgroundColor", "padding", "display")
                        .concat(look(link.closest("aside > div"), "backgroundColor", "width", "font")),
                    body: look(document.body, "backgroundColor", "margin", "font", "pointerEvents"),
                    main: look(document.querySelector("main"), "outlineWidth", "font", "color"),
                    root: look(document.documentElement, "backgroundColor"),
                    names: [document.documentElement.className, document.body.className],
                    primary: getComputedStyle(document.documentElement).getPropertyValue("--primary").trim(),
                };
            }"""
        )
    )


@pytest.mark.req("UI-4", "API-3")
@pytest.mark.parametrize(("bundle", "place"), [("plain.js", "bundle.js"), ("own.js", "frontend/bundle.js")])
def test_a_bundle_is_found_where_it_lies_however_it_registers(
    toru: Toru, manager: Manager, bundle: str, place: str
) -> None:
    plant_with(toru, "gauge", bundle, place=place)
    page = manager.page()
    for _ in range(2):  # it is no matter whether it can unmount
        enter(page, "Gauge")
        expect(page.get_by_role("region", name="Page of Gauge")).to_have_text(f"{bundle.removesuffix('.js')} is here")
        leave(page)


@pytest.mark.req("UI-4")
def test_a_deep_link_and_the_back_button_work(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js")
    page = manager.page(path="/view/gauge")
    expect(page.get_by_title("found by its id")).to_be_visible()
    leave(page)
    assert page.evaluate("seenByPlain.unmounts") == 1
    page.go_back()
    expect(page.get_by_text("plain is here")).to_be_visible()
    assert page.evaluate("[seenByPlain.mounts, seenByPlain.unmounts, seenByPlain.apis.size]") == [2, 1, 2]


@pytest.mark.req("UI-4")
def test_a_page_has_places_of_its_own_in_the_address_and_stays_mounted_between_them(
    toru: Toru, manager: Manager
) -> None:
    plant_with(toru, "atlas", "places.js")
    page = manager.page(path="/view/atlas/maps/3?scale=2#legend")
    places = ["/maps/3?scale=2#legend", "/maps/3?scale=2#part", "/items/7?c=d", "/items/7/deeper?a=b"]
    expect(page.get_by_text(f"at {places[0]}", exact=True)).to_be_visible()
    page.get_by_role("link", name="a part").click()
    expect(page.get_by_text(f"at {places[1]}", exact=True)).to_be_visible()
    page.get_by_role("button", name="by the api").click()
    expect(page.get_by_text(f"at {places[2]}", exact=True)).to_be_visible()
    page.get_by_role("button", name="its own way").click()
    for place in reversed(places):
        expect(page.get_by_text(f"at {place}", exact=True)).to_be_visible()
        assert page.url == f"{manager.address}/view/atlas{place}"
        if place != places[0]:
            page.go_back()
    assert page.evaluate("[seenByPlaces.mounts, seenByPlaces.unmounts]") == [1, 0]


@pytest.mark.req("UI-4", "KV-1")
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
    # Leaving the page takes away what the plugin put on <body>, but not what the manager did.
    page.evaluate("apiOfPlain.showToast('it fails', 'error')")  # an error stays until somebody closes it
    page.evaluate("apiOfPlain.navigate('/plugins?q=gau')")
    expect(page.get_by_role("heading", level=1, name="Plugins")).to_be_visible()
    assert page.url == f"{manager.address}/plugins?q=gau"
    has_toast(page, "it fails")
    told = page.get_by_role("alertdialog").filter(has_text="it fails")
    told.get_by_role("button", name="Close").click()
    expect(told).to_have_count(0)


@pytest.mark.req("UI-4")
def test_the_api_fetches_below_the_plugins_true_route(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js", route="/dial")
    page = manager.page(path="/view/gauge/")
    expect(page.get_by_text("plain is here")).to_be_visible()
    answers = page.evaluate(
        """paths => Promise.all(paths.map(async path => {
            const answer = await apiOfPlain.fetch(path);
            return [new URL(answer.url).pathname, (await answer.json()).path ?? null];
        }))""",
        ["/a?b=1", "c", "", "/api/health", f"{manager.address}/api/health"],
    )
    route = "/api/plugins/route/dial"
    assert answers == [
        [f"{route}/a", "/a?b=1"],
        [f"{route}/c", "/c"],
        [route, "/"],
        ["/api/health", None],
        ["/api/health", None],
    ]


@pytest.mark.req("UI-4")
def test_a_page_works_below_a_path_of_a_reverse_proxy(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js", route="/dial")
    with proxied(manager.address) as address:
        page = manager.page(path=f"{PREFIX}/view/gauge/", address=address)
        expect(page.get_by_text("plain is here")).to_be_visible()
        assert page.evaluate("apiOfPlain.fetch('/a').then(answer => answer.json())")["path"] == "/a"
        assert page.evaluate("apiOfPlain.fetch('/api/health').then(answer => answer.status)") == 200
        page.evaluate("apiOfPlain.kv.set('a', 1)")
        page.evaluate("apiOfPlain.navigate('deeper')")
        page.wait_for_url(f"{address}{PREFIX}/view/gauge/deeper")
        page.evaluate("apiOfPlain.navigate('/accounts')")
        expect(page.get_by_role("heading", level=1, name="Accounts")).to_be_visible()
        assert page.url == f"{address}{PREFIX}/accounts"


@pytest.mark.req("UI-4")
def test_global_styles_and_portals_of_a_bundle_are_gone_after_leaving_and_never_repaint_the_manager(
    toru: Toru, manager: Manager
) -> None:
    plant_with(toru, "siren", "loud.js")
    page = manager.page(path="/accounts")
    is_live(page)
    before = look(page)
    for _ in range(2):
        enter(page, "Siren")
        expect(page.get_by_text("loud is here")).to_be_visible()
        # One, not that of the last time as well.
        expect(page.locator("#portal-of-loud")).to_have_count(1)
        expect(page.locator("#portal-of-loud")).to_be_visible()
        assert look(page)["primary"] == "120 100% 50%"
        assert look(page)["sidebar"] == before["sidebar"]
        leave(page)
        assert look(page) == before
        expect(page.locator("#portal-of-loud")).to_be_hidden()


@pytest.mark.req("UI-4")
def test_what_a_bundle_made_when_it_was_loaded_is_hidden_on_leaving_and_there_again_on_return(
    toru: Toru, manager: Manager
) -> None:
    plant_with(toru, "nest", "settled.js")
    page = manager.page(path="/accounts")
    is_live(page)
    before = look(page)
    for _ in range(2):
        enter(page, "Nest")
        expect(page.get_by_text("settled is here")).to_be_visible()
        expect(page.locator("#dialogs-of-settled")).to_be_visible()
        expect(page.locator(".toast-of-settled")).to_have_count(1)
        assert look(page)["primary"] == "60 100% 50%"
        # It has locked <body>, and so itself and the sidebar.
        page.evaluate("document.querySelector('nav a[href$=accounts]').click()")
        expect(page.get_by_role("heading", level=1, name="Accounts")).to_be_visible()
        expect(page.locator("#dialogs-of-settled")).to_be_hidden()
        expect(page.locator(".toast-of-settled")).to_have_count(0)
        assert look(page) == before


@pytest.mark.req("UI-4")
def test_a_bundle_that_arrives_when_somebody_has_left_repaints_nothing(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "siren", "loud.js")
    plant_with(toru, "gauge", "plain.js")
    page = manager.page(path="/accounts")
    is_live(page)
    held = []
    page.route(
        "**/siren/bundle.js",
        lambda route: held.append(route) if route.request.resource_type == "script" else route.continue_(),
    )
    with page.expect_request(lambda request: request.resource_type == "script" and "/siren/" in request.url):
        enter(page, "Siren")
    enter(page, "Gauge")
    expect(page.get_by_text("plain is here")).to_be_visible()
    before = look(page)
    held[0].continue_()
    page.wait_for_function("() => window.ToruPlugins.siren")
    assert look(page) == before
    leave(page)
    # It is there now, and its styles are its own.
    enter(page, "Siren")
    expect(page.get_by_text("loud is here")).to_be_visible()
    assert look(page)["primary"] == "120 100% 50%"
    enter(page, "Gauge")
    expect(page.get_by_text("plain is here")).to_be_visible()
    assert look(page) == before
    assert len(held) == 1


@pytest.mark.req("UI-4", "API-3")
def test_an_upgraded_bundle_is_the_one_that_is_mounted_next(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "own.js")
    page = manager.page(path="/view/gauge/")
    expect(page.get_by_text("own is here")).to_be_visible()
    leave(page)
    text = (BUNDLES / "own.js").read_text().replace("@ID@", "gauge").replace("own is here", "the new one is here")
    put_bundle(toru, "gauge", text)
    enter(page, "Gauge")
    expect(page.get_by_text("the new one is here")).to_be_visible()


@pytest.mark.req("UI-4", "API-3")
def test_a_bundle_without_validators_runs_anew_only_when_its_text_has_changed(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", None)
    page = manager.page(path="/accounts")
    script = (BUNDLES / "plain.js").read_text().replace("@ID@", "gauge") + "window.runs = (window.runs ?? 0) + 1;"
    # As a plugin answers that serves its bundle itself, and knows nothing of ETags.
    page.route(
        "**/gauge/bundle.js", lambda route: route.fulfill(body=script, content_type="text/javascript; charset=utf-8")
    )
    for _ in range(2):
        enter(page, "Gauge")
        expect(page.get_by_text("plain is here")).to_be_visible()
        leave(page)
    assert page.evaluate("runs") == 1
    script += "// changed"
    enter(page, "Gauge")
    expect(page.get_by_text("plain is here")).to_be_visible()
    assert page.evaluate("runs") == 2


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
    is_live(page)
    # A few, so that what is made once is there.
    page.evaluate(COME_AND_GO, 3)
    before = page.evaluate(LEFT)
    page.evaluate(COME_AND_GO, 50)
    after = page.evaluate(LEFT)
    assert page.evaluate("[seenByPlain.mounts, seenByPlain.unmounts]") == [53, 53]
    print(f"before 50 mounts {before}, after them {after}")
    # "Loud" forgets a style and a portal at each mount. Those styles are switched off, and one portal is hidden.
    for what in ("listeners", "intervals", "styles", "bodyChildren"):
        assert after[what] <= before[what], what
    # Those of toasts, of the router and of queries come and go, and are few.
    assert after["timeouts"] <= before["timeouts"] + 5


COUNTERS = """
    window.counted = { listeners: 0, intervals: new Set(), timeouts: new Set() };
    for (const target of [window, document]) {
        const add = target.addEventListener.bind(target), remove = target.removeEventListener.bind(target);
        const known = new Map();
        const key = options => (typeof options === 'object' ? !!options?.capture : !!options);
        target.addEventListener = (name, listener, options) => {
            const id = name + key(options);
            const there = known.get(listener) ?? known.set(listener, new Set()).get(listener);
            if (listener && !there.has(id)) {
                there.add(id);
                counted.listeners += options?.once ? 0 : 1;
                options?.signal?.addEventListener('abort', () => { if (there.delete(id)) counted.listeners -= 1; });
            }
            return add(name, listener, options);
        };
        target.removeEventListener = (name, listener, options) => {
            if (known.get(listener)?.delete(name + key(options))) counted.listeners -= 1;
            return remove(name, listener, options);
        };
    }
    for (const [kind, running] of [['Interval', counted.intervals], ['Timeout', counted.timeouts]]) {
        const set = window['set' + kind].bind(window), clear = window['clear' + kind].bind(window);
        window['set' + kind] = (act, ...more) => {
            const id = set((...a) => { if (kind === 'Timeout') running.delete(id); act(...a); }, ...more);
            running.add(id);
            return id;
        };
        window['clear' + kind] = id => { running.delete(id); return clear(id); };
    }
"""
COME_AND_GO = """async times => {
    const until = async fact => { while (!fact()) await new Promise(requestAnimationFrame); };
    const go = address => [...document.querySelectorAll('aside nav a')].find(a => a.href.includes(address)).click();
    const title = () => document.querySelector('main h1')?.textContent;
    for (let time = 0; time < times; time++) {
        for (const id of ['gauge', 'siren']) {
            go('/view/' + id);
            await until(() => / is here/.test(document.querySelector('main [data-phase=mounted]')?.textContent));
            go('/accounts');
            await until(() => title() === 'Accounts');
        }
    }
    // At rest: what a screen subscribes to comes after its first frame.
    await until(() => document.querySelector('main time'));
    for (let frame = 0; frame < 5; frame++) await new Promise(requestAnimationFrame);
}"""
LEFT = """() => ({
    listeners: counted.listeners,
    intervals: counted.intervals.size,
    timeouts: counted.timeouts.size,
    styles: [...document.querySelectorAll('style, link[rel=stylesheet]')].filter(it => it.media !== 'not all').length,
    bodyChildren: document.body.children.length,
})"""
