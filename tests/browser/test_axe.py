"""No screen breaks a rule that axe knows (WCAG 2.2 AA and good practice), light or dark, on a desk or a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.browser import ADMIN, web_address
from tests.browser.cast import let_people_in, put_on_stage
from tests.browser.manager import Manager
from tests.browser.screenshots import SHOTS, SIGN_IN, SIZES, THEMES, Shot, show
from tests.hosts.host import Host
from tests.system.toru import Toru

FRONTEND = Path(__file__).parents[2] / "frontend"
AXE = FRONTEND / "node_modules/axe-core/axe.min.js"
ROUTER = FRONTEND / "src/routes/router.tsx"

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
VIOLATIONS = """async runOnly => {
    const { violations } = await axe.run(document, { runOnly });
    return violations.flatMap(it => it.nodes.map(node => `${it.id}: ${node.html} ${node.failureSummary}`));
}"""
TOO_WIDE = """() => [document.scrollingElement, document.getElementById("main")]
    .filter(it => it.scrollWidth > it.clientWidth).map(it => `${it.scrollWidth} > ${it.clientWidth}`)"""
# Colours on their way from one theme to the other are neither's.
AT_REST = {"reduced_motion": "reduce"}


class Stage:
    """Every kind of plugin and person, and a page of each size that goes from screen to screen."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.asked: set[str] = set()
        """Every host that the pages have asked for something."""
        self._pages: dict[tuple[str, str | None], Page] = {}

    def page(self, size: str, name: str | None, path: str) -> Page:
        if (page := self._pages.get((size, name))) is None:
            page = self._pages[size, name] = self.manager.page(name, path, **AT_REST, **SIZES[size])
            page.on("request", lambda request: self.asked.add(urlsplit(request.url).netloc))
        page.goto(path)
        return page


@pytest.fixture(scope="module")
def stage(private_host: Host, browser: Browser) -> Iterator[Stage]:
    toru = Toru(private_host)
    let_people_in(private_host, web_address(private_host))
    put_on_stage(toru, private_host)
    manager = Manager(private_host, browser)
    yield Stage(manager)
    manager.close()
    toru.clean_up()


@pytest.fixture(autouse=True)
def keeps_to_itself(stage: Stage) -> Iterator[None]:
    """No screen asks another host for anything, or breaks its own policy, which would be a complaint."""
    yield
    assert stage.asked <= {urlsplit(stage.manager.address).netloc, ""}, "data: has no host"
    assert stage.manager.complaints == []


@pytest.mark.req("UI-5")
@pytest.mark.parametrize("size", SIZES)
def test_the_sign_in_breaks_no_rule(stage: Stage, size: str) -> None:
    _breaks_no_rule(stage, SIGN_IN, size, None)


@pytest.mark.req("UI-1", "UI-2", "UI-3", "UI-4", "UI-5")
@pytest.mark.parametrize(
    ("shot", "size"),
    [pytest.param(shot, size, id=f"{shot.name}-{size}") for size in SIZES for shot in SHOTS if getattr(shot, size)],
)
def test_no_screen_breaks_a_rule(stage: Stage, shot: Shot, size: str) -> None:
    page = _breaks_no_rule(stage, shot, size, ADMIN)
    assert page.evaluate(TOO_WIDE) == [], "nobody should have to scroll sideways"


def test_every_address_of_the_manager_is_looked_at() -> None:
    """What the router knows, as far as its own file says it, and what the shots go to."""
    paths = re.findall(r'path: "([^"]+)"', ROUTER.read_text())
    parts = {part for path in paths for part in path.strip("/").split("/") if part and not part.startswith("$")}
    assert parts <= {part for shot in SHOTS for part in shot.path.split("?")[0].split("/")}


def _breaks_no_rule(stage: Stage, shot: Shot, size: str, name: str | None) -> Page:
    page = stage.page(size, name, shot.path)
    show(page, shot)
    page.evaluate(AXE.read_text())  # not a script of the page's: its CSP would not have it
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        found = [f"{theme}: {it}" for it in page.evaluate(VIOLATIONS, RULES) if not _is_of_a_dialog(page, it)]
        if found:
            pytest.fail("\n".join(found), pytrace=False)
    return page


def _is_of_a_dialog(page: Page, violation: str) -> bool:
    """While a dialog is open, everything else is hidden, and what is asked of whole pages is asked of it in vain."""
    if page.get_by_role("dialog").count() == 0:
        return False
    # The palette's list is scrolled by the arrow keys in its field, which axe can't see.
    return violation.startswith(("landmark-one-main", "page-has-heading-one", "scrollable-region-focusable"))
