"""Pictures of every screen, light and dark, on a desk and on a phone: `make screenshots`."""

from __future__ import annotations

import sys
import time
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
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
THEMES = ("light", "dark")
WARM_UP_SECONDS = 60


def _nothing(_page: Page) -> None:
    pass


@dataclass(frozen=True)
class Shot:
    """A screen: where it is, what says that it is there, and what is done then."""

    name: str
    path: str
    sign: str
    act: Callable[[Page], Any] = _nothing


def _open_a_line(page: Page) -> None:
    page.get_by_role("region", name="Log lines").get_by_role("button", expanded=False).last.click()


SHOTS = (
    Shot("overview", "/", "What happened last"),
    Shot("plugins", "/plugins", "Rejected files"),
    Shot("plugin", "/plugins/weather", "Memory, now"),
    Shot("plugin-failed", "/plugins/mailer", "Its last lines"),
    Shot("logs", "/plugins/weather/logs", "forecast fetched"),
    Shot("log-line", "/plugins/weather/logs", "forecast fetched", _open_a_line),
    Shot("plugin-events", "/plugins/mailer/events", "it exited with status 7"),
    Shot("storage", "/plugins/weather/storage", "station/default"),
    Shot("view", "/view/hello-python/", "Say hello"),
    Shot("view-failed", "/view/mailer/", "This plugin is off"),
    Shot("events", "/events", "it exited with status 7"),
    Shot("accounts", "/accounts", "New token"),
    Shot("users", "/accounts/users", "Sees: "),
    Shot("user-dialog", "/accounts/users", "Sees: ", lambda page: page.get_by_label("Edit carl").click()),
    Shot("palette", "/plugins", "Rejected files", lambda page: page.keyboard.press("Control+k")),
    Shot("not-found", "/nowhere", "There is no such page"),
)


def show(page: Page, shot: Shot) -> None:
    """Waits for the screen, and does what belongs to it."""
    page.get_by_text(shot.sign).first.wait_for()
    shot.act(page)


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
        # So that charts have something to draw.
        time.sleep(WARM_UP_SECONDS)
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
            for shot in shots:
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                    page.goto(shot.path)
                    show(page, shot)
                    page.wait_for_timeout(900)  # for what fades in
                    page.screenshot(path=OUT / f"{shot.name}-{size}-{theme}.png")
                    page.keyboard.press("Escape")
            context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
