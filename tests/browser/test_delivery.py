"""How the manager gets into a browser: how much of it, from where, and below a path of a reverse proxy."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.browser import ADMIN, PASSWORD
from tests.browser.manager import Manager, is_live, row
from tests.browser.proxy import PREFIX, proxied
from tests.browser.test_view import plant_with
from tests.system.toru import Toru

FIRST_LOAD_AT_MOST = 250_000
"""Bytes of scripts and styles, compressed by gzip; by brotli, as most browsers get them, it is less."""
FILES = Path(__file__).parents[2] / "build/www"


@pytest.mark.req("UI-1")
def test_the_first_load_is_small_and_comes_from_this_host_alone(toru: Toru, manager: Manager) -> None:
    toru.plant("web")
    toru.scan()
    asked: list[str] = []
    page = manager.page(None)
    page.context.on("request", lambda request: asked.append(request.url))
    page.goto("/plugins")
    page.get_by_label("Name").fill(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    is_live(page)
    expect(row(page, "web")).to_be_visible()
    page.evaluate("() => document.fonts.ready")
    page.wait_for_load_state("load")
    assert [url for url in asked if not url.startswith((f"{manager.address}/", "data:"))] == []
    loaded = {urlsplit(url).path.lstrip("/") for url in asked if "/api/" not in url}
    sizes = {path: _compressed(path, ".gz") for path in loaded if path.endswith((".js", ".css"))}
    by_brotli = sum(_compressed(path, ".br") for path in sizes)
    fonts = sum((FILES / path).stat().st_size for path in loaded if path.endswith(".woff2"))
    print(f"first load: {sum(sizes.values())} B by gzip, {by_brotli} B by brotli, and {fonts} B of fonts")
    assert 0 < sum(sizes.values()) <= FIRST_LOAD_AT_MOST, sizes


def _compressed(path: str, ending: str) -> int:
    return (FILES / f"{path}{ending}").stat().st_size


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
