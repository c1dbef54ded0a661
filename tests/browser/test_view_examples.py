"""Pages that plugins really have: those of the examples, and the one in the manual."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.manager import Manager, is_live
from tests.browser.test_view import enter, leave, look, plant_with, put_bundle
from tests.docs.pages import blocks
from tests.examples.stage import put_in_place
from tests.system.toru import Toru

EXAMPLES = Path(__file__).parents[2] / "examples"

RUNNING = {
    "dashboard": "processors",
    "hello-python": "The smallest useful plugin",
    "notes": "Nothing here yet.",
    "timers": "Timers",
}
"""Examples that are built in a moment, and what their page says, most of them when its plugin has answered."""

SHOWN = {"hello-go": "net/http, and nothing else", "hello-rust": "The host's clock", "links": "Add"}
"""Of these, which take longer, the page alone: the plugins have tests of their own (tests/examples)."""


@pytest.mark.req("UI-4", "LANG-1")
def test_the_pages_of_all_examples_come_and_go_and_leave_the_manager_as_it_was(
    toru: Toru, manager: Manager, tmp_path: Path
) -> None:
    for example in RUNNING:
        put_in_place(toru, example, tmp_path)
        put_bundle(toru, example, (EXAMPLES / example / "bundle.js").read_text())
    for example in SHOWN:
        plant_with(toru, example, None)
        put_bundle(toru, example, (EXAMPLES / example / "bundle.js").read_text())
    page = manager.page(path="/accounts")
    is_live(page)
    before = look(page)
    for plugin_id in [*RUNNING, *SHOWN]:
        page.locator(f"aside a[href$='/view/{plugin_id}']").click()
        expect(page.locator("main [data-phase=mounted]")).to_contain_text({**RUNNING, **SHOWN}[plugin_id])
        leave(page)
        assert look(page) == before, plugin_id
    assert sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()) == sorted({**RUNNING, **SHOWN})


@pytest.mark.req("UI-4")
def test_the_page_in_the_manual_works(toru: Toru, manager: Manager) -> None:
    (block,) = blocks("js", page="docs/plugins.md", heading="Your page")
    plant_with(toru, "clock", None)
    put_bundle(toru, "clock", block.text)
    page = manager.page(path="/accounts")
    enter(page, "Clock")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("region", name="Page of Clock")).to_contain_text('"path": "/now"')
