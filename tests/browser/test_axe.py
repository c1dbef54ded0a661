"""No screen breaks a rule that axe knows (WCAG 2.2 AA and good practice), light or dark, on a desk or a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.cast import put_on_stage
from tests.browser.manager import Manager
from tests.browser.screenshots import SHOTS, SIZES, Shot, show
from tests.hosts.host import Host
from tests.system.toru import Toru

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
VIOLATIONS = """async runOnly => {
    const { violations } = await axe.run(document, { runOnly });
    return violations.flatMap(it => it.nodes.map(node => `${it.id}: ${node.html} ${node.failureSummary}`));
}"""
# Colours on their way from one theme to the other are neither's.
AT_REST = {"reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def staged(private_host: Host, browser: Browser) -> Iterator[Manager]:
    toru = Toru(private_host)
    put_on_stage(toru, private_host)
    manager = Manager(private_host, browser)
    yield manager
    manager.close()
    toru.clean_up()


@pytest.mark.req("UI-5")
@pytest.mark.parametrize("size", SIZES)
def test_the_sign_in_breaks_no_rule(staged: Manager, size: str) -> None:
    for theme in ("light", "dark"):
        page = staged.page(None, color_scheme=theme, **AT_REST, **SIZES[size])
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        _breaks_no_rule(page)


@pytest.mark.req("UI-1", "UI-2", "UI-3", "UI-4", "UI-5")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_no_screen_breaks_a_rule(staged: Manager, shot: Shot, size: str) -> None:
    page = staged.page(path=shot.path, color_scheme="light", **AT_REST, **SIZES[size])
    show(page, shot)
    _breaks_no_rule(page)
    page.emulate_media(color_scheme="dark")
    _breaks_no_rule(page)
    staged.close()


def _breaks_no_rule(page: Page) -> None:
    page.evaluate(AXE.read_text())  # not a script of the page's: its CSP would not have it
    if found := [violation for violation in page.evaluate(VIOLATIONS, RULES) if not _is_of_a_dialog(page, violation)]:
        pytest.fail("\n".join(found), pytrace=False)


def _is_of_a_dialog(page: Page, violation: str) -> bool:
    """While a dialog is open, everything else is hidden, and what is asked of whole pages is asked of it in vain."""
    if page.get_by_role("dialog").count() == 0:
        return False
    # The palette's list is scrolled by the arrow keys in its field, which axe can't see.
    return violation.startswith(("landmark-one-main", "page-has-heading-one", "scrollable-region-focusable"))
