"""How the manager gets into a browser: how much of it, from where, and below a path of a reverse proxy."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Request, expect

from tests.browser.browser import ADMIN, PASSWORD
from tests.browser.manager import Manager, is_live, row
from tests.browser.proxy import PREFIX, proxied
from tests.browser.test_view import plant_with
from tests.system.toru import Toru

BUNDLE_AT_MOST = 250_000
"""Scripts and styles as they are sent, compressed. Fonts come after the first paint, and are kept for ever."""


@pytest.mark.req("UI-1")
def test_the_first_load_is_small_and_comes_from_this_host_alone(toru: Toru, manager: Manager) -> None:
    toru.plant("web")
    toru.scan()
    page = manager.page(None)
    page.context.request.post("/api/auth/login", data={"name": ADMIN, "password": PASSWORD})
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.goto("/plugins")
    is_live(page)
    expect(row(page, "web")).to_be_visible()
    sizes = page.evaluate(
        """() => performance.getEntriesByType("resource").filter(it => !it.name.includes("/api/"))
            .map(it => [it.name, it.encodedBodySize])"""
    )
    times = page.evaluate("() => performance.getEntriesByType('navigation')[0].domInteractive")
    fonts = sum(size for name, size in sizes if name.endswith(".woff2"))
    bundle = sum(size for _, size in sizes) - fonts
    print(f"first load: {bundle / 1000:.0f} kB and {fonts / 1000:.0f} kB of fonts, interactive after {times:.0f} ms")
    assert 0 < bundle <= BUNDLE_AT_MOST, sizes
    assert [url for url in asked if not url.startswith((manager.address, "data:"))] == []


@pytest.mark.req("UI-4", "UI-6")
def test_all_of_it_works_below_a_path_of_a_reverse_proxy(toru: Toru, manager: Manager) -> None:
    plant_with(toru, "gauge", "plain.js")
    with proxied(manager.address) as address:
        page = manager.page(None, f"{PREFIX}/plugins/gauge", address=address)
        page.get_by_label("Name").fill(ADMIN)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1, name="Gauge")).to_be_visible()
        page.get_by_role("link", name="Logs").click()
        expect(page.get_by_role("region", name="Log lines")).to_contain_text("serving as")
        assert page.url == f"{address}{PREFIX}/plugins/gauge/logs"
        toru.host.run("systemctl", "stop", "toru-plugin-gauge.service")
        expect(page.get_by_role("main").get_by_text("Asleep")).to_be_visible()
        page.goto(f"{PREFIX}/view/gauge/some/where")
        expect(page.get_by_text("plain is here")).to_be_visible()
        page.evaluate("apiOfPlain.kv.set('a', 1)")
        assert page.evaluate("apiOfPlain.kv.get('a')") == 1
        manager.close()


@pytest.mark.req("UI-3")
def test_many_plugins_are_listed_and_found_at_once(toru: Toru, manager: Manager) -> None:
    """No bound: the figures are for whoever reads the output (-s). 500 rows, as the server would say them."""
    toru.plant("web")
    toru.scan()
    page = manager.page(None)
    page.context.request.post("/api/auth/login", data={"name": ADMIN, "password": PASSWORD})
    one = page.context.request.get("/api/plugins/web").json()
    many = [{**one, "id": f"p{number}", "name": f"Plugin {number:03}"} for number in range(500)]
    page.route("**/api/plugins", lambda route: route.fulfill(json=many))
    began = time.monotonic()
    page.goto("/plugins")
    expect(row(page, "p0")).to_be_visible(timeout=60_000)
    print(f"500 plugins: listed after {time.monotonic() - began:.1f} s")
    found = page.evaluate(
        """async () => {
            const field = document.querySelector("main input[type=search]");
            const type = text => {
                Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, text);
                field.dispatchEvent(new Event("input", { bubbles: true }));
            };
            const until = wanted => new Promise(resolve => { const look = () =>
                Number(document.querySelector("[aria-rowcount]").ariaRowCount) === wanted + 1
                    ? resolve() : requestAnimationFrame(look); look(); });
            const took = [];
            for (const [text, wanted] of [["plugin 49", 10], ["", 500], ["plugin 499", 1], ["", 500]]) {
                const began = performance.now();
                type(text);
                await until(wanted);
                took.push(Math.round(performance.now() - began));
            }
            return took;
        }"""
    )
    print(f"500 plugins: filtered and shown again in {found} ms")
