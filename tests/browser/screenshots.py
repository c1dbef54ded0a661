"""Pictures of every screen, light and dark, on a desk and on a phone: `make screenshots`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.browser import ADMIN, CLIENT, chromium, let_in, opened, sign_in, web_address
from tests.browser.cast import put_on_stage
from tests.hosts.host import Host
from tests.hosts.private import PrivateHost
from tests.system.toru import Toru

OUT = Path("build/screenshots")

SIZES: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1360, "height": 850}},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True},
}
THEMES = ("light", "dark")


def _nothing(_page: Page) -> None:
    pass


@dataclass(frozen=True)
class Shot:
    """A screen: where it is, and what is done there before the picture is taken."""

    name: str
    path: str
    act: Callable[[Page], Any] = _nothing


def _crash_page(page: Page) -> None:
    page.get_by_text("Details").first.wait_for()


SHOTS = (
    Shot("overview", "/"),
    Shot("plugins", "/plugins"),
    Shot("plugin", "/plugins/weather"),
    Shot("plugin-failed", "/plugins/mailer"),
    Shot("logs", "/plugins/weather/logs"),
    Shot("log-line", "/plugins/weather/logs", lambda page: page.locator("[aria-expanded=false][title]").last.click()),
    Shot("plugin-events", "/plugins/mailer/events"),
    Shot("storage", "/plugins/weather/storage"),
    Shot("view", "/view/hello-python/", lambda page: page.get_by_role("button", name="Say hello").wait_for()),
    Shot("view-failed", "/view/mailer/", _crash_page),
    Shot("events", "/events"),
    Shot("accounts", "/accounts"),
    Shot("users", "/accounts/users"),
    Shot("user-dialog", "/accounts/users", lambda page: page.get_by_role("button", name="Edit carl").click()),
    Shot("palette", "/plugins", lambda page: page.keyboard.press("Control+k")),
    Shot("not-found", "/nowhere"),
)


@contextmanager
def _host() -> Iterator[Host]:
    host = PrivateHost.boot("private", limits=True)
    try:
        yield host
    finally:
        host.stop()


def main(wanted: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    shots = [shot for shot in SHOTS if not wanted or shot.name in wanted]
    with _host() as host, chromium() as browser:
        let_in(host, ADMIN, "--admin")
        let_in(host, CLIENT, "--plugin", "weather")
        put_on_stage(Toru(host), host)
        address = web_address(host)
        first = True
        for size, options in SIZES.items():
            context = opened(browser, address, **options)
            page = context.new_page()
            page.emulate_media(color_scheme="light")
            if not wanted or "sign-in" in wanted:
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                    page.goto("/")
                    page.get_by_role("button", name="Sign in").wait_for()
                    page.screenshot(path=OUT / f"sign-in-{size}-{theme}.png")
            sign_in(page, ADMIN)
            if first:
                page.wait_for_timeout(int(os.environ.get("TORU_SCREENSHOTS_WARM_UP", "30")) * 1000)
                first = False
            else:
                page.wait_for_timeout(7000)
            for shot in shots:
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                    # Not a new page: the charts would have to begin again.
                    page.evaluate("path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }", shot.path)
                    page.wait_for_timeout(700)
                    try:
                        shot.act(page)
                    except Exception as error:
                        print(f"{shot.name}: {error}", file=sys.stderr)
                    page.wait_for_timeout(400)
                    page.screenshot(path=OUT / f"{shot.name}-{size}-{theme}.png")
                    page.keyboard.press("Escape")
            context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
