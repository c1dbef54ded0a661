"""The web manager in a browser: how much is loaded, how long until it can be used, and a list of 500 plugins.

The host is this benchmark's own: the browser sits before it, not on it.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from tests.bench.measure import Asked, Moments, Part, Row, Unit, side_by_side
from tests.browser.browser import ADMIN, PASSWORD, chromium, let_in, opened, web_address
from tests.hosts.private import PrivateHost
from tests.system.toru import Toru

TITLE = "The web manager in a browser"
NEEDS_HOST = False

MANY = 500
FILTERS = (("plugin 49", 10), ("", MANY), ("plugin 499", 1), ("", MANY))
"""What is typed, and how many rows are left."""

FIRST, AGAIN = "the list of plugins is live, first visit", "the list of plugins is live, from the cache"
INTERACTIVE = "DOM interactive, first visit"

# Since the navigation began: a page's own clock knows nothing of what the driver costs.
WHEN_LIVE = """() => new Promise(done => {
    const look = () => document.querySelector("[data-connection=live]") && document.querySelector("[data-plugin]")
        ? done(performance.now() / 1000) : requestAnimationFrame(look);
    look();
})"""
WHEN_INTERACTIVE = "() => performance.getEntriesByType('navigation')[0].domInteractive / 1000"
SIZES = """() => performance.getEntriesByType("resource").filter(it => !it.name.includes("/api/"))
    .map(it => [it.name, it.encodedBodySize])"""
FILTER = """async ([text, wanted]) => {
    const field = document.querySelector("main input[type=search]");
    const began = performance.now();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(done => {
        const look = () => Number(document.querySelector("[aria-rowcount]").ariaRowCount) === wanted + 1
            ? requestAnimationFrame(done) : requestAnimationFrame(look);
        look();
    });
    return (performance.now() - began) / 1000;
}"""


def measure(asked: Asked) -> Part:
    with _manager() as (browser, address):
        rounds = max(1, asked.rounds // 2)
        rows = side_by_side(rounds, [lambda: _visits(browser, address)], {AGAIN: FIRST})
        page = _signed_in(browser, address)
        page.goto("/plugins")
        page.evaluate(WHEN_LIVE)
        sizes: list[tuple[str, int]] = page.evaluate(SIZES)
        rows += side_by_side(rounds, [lambda: _many(browser, address)], {})
        fonts = [size for name, size in sizes if name.endswith(".woff2")]
        rest = [size for name, size in sizes if not name.endswith(".woff2")]
        rows += [
            Row("kB of scripts and styles, as sent", [sum(rest) / 1000], unit=Unit.COUNT),
            Row("kB of fonts, after the first paint", [sum(fonts) / 1000], unit=Unit.COUNT),
        ]
    return Part(rows, [f"{len(sizes)} files. The browser is Chromium {browser.version}, on the same processors."])


@contextmanager
def _manager() -> Iterator[tuple[Browser, str]]:
    host = PrivateHost.boot("bench")
    try:
        let_in(host, ADMIN, "--admin")
        toru = Toru(host)
        toru.plant("web")
        toru.scan()
        with chromium() as browser:
            yield browser, web_address(host)
    finally:
        host.stop()


def _signed_in(browser: Browser, address: str) -> Page:
    context = opened(browser, address)
    answer = context.request.post("/api/auth/login", data={"name": ADMIN, "password": PASSWORD})
    if not answer.ok:
        raise SystemExit(f"signing in was answered by {answer.status}")
    return context.new_page()


def _visits(browser: Browser, address: str) -> Moments:
    page = _signed_in(browser, address)
    page.goto("/plugins")
    moments = {FIRST: page.evaluate(WHEN_LIVE), INTERACTIVE: page.evaluate(WHEN_INTERACTIVE)}
    page.reload()
    moments[AGAIN] = page.evaluate(WHEN_LIVE)
    page.context.close()
    return moments


def _many(browser: Browser, address: str) -> Moments:
    """Rows as the core would say them: for the browser it is the same who does."""
    page = _signed_in(browser, address)
    one: dict[str, Any] = page.context.request.get("/api/plugins/web").json()
    many = [{**one, "id": f"p{number}", "name": f"Plugin {number:03}"} for number in range(MANY)]
    page.route("**/api/plugins", lambda route: route.fulfill(json=many))
    page.goto("/plugins")
    moments = {f"{MANY} plugins are listed": page.evaluate(WHEN_LIVE)}
    taken = [page.evaluate(FILTER, list(it)) for it in FILTERS]
    page.context.close()
    return {**moments, f"{MANY} plugins are filtered": statistics.median(taken)}


STEPS = (measure,)
