"""Pictures of every screen, light and dark, on a desk and on a phone: `make screenshots`."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
from playwright.sync_api import Page

from tests.browser.browser import ADMIN, CLIENT, PASSWORD, chromium, opened, sign_in, web_address
from tests.browser.cast import let_people_in, put_on_stage
from tests.hosts.host import Host
from tests.hosts.private import PrivateHost
from tests.system.toru import Toru
from toru.trial import enforcement

OUT = Path("build/screenshots")

SIZES: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1360, "height": 850}},
    "phone": {
        "viewport": {"width": 360, "height": 780},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WARM_UP_SECONDS = 40


# On what is touched, a dialog with a field in focus waits for the keyboard on the screen, for a moment at most.
DIALOGS_ARE_SEEN = """() => [...document.querySelectorAll("[role=dialog]")]
    .every(dialog => dialog.checkVisibility({ checkOpacity: true }))"""

AT_MOST_SECONDS = 900
"""For all of it: a browser may stop answering."""


def _nothing(_page: Page) -> None:
    pass


@dataclass(frozen=True)
class Shot:
    """A screen: where it is, what says that it is there, and what is done then."""

    name: str
    path: str
    sign: str
    act: Callable[[Page], Any] = _nothing
    phone: bool = True
    """Whether it is there on a phone."""
    desk: bool = True


def _open_a_line(page: Page) -> None:
    page.get_by_role("region", name="Log lines").get_by_role("button", expanded=False).last.click()


def _open_a_run(page: Page) -> None:
    page.get_by_role("list", name="Runs, newest first").get_by_text("it exited with status 7").first.click()
    page.get_by_role("region", name="Its last lines").wait_for()


def _press(name: str, then: str) -> Callable[[Page], None]:
    """Presses a button, and waits for what it opens."""

    def press(page: Page) -> None:
        page.get_by_role("button", name=name, exact=True).first.click()
        page.get_by_role("dialog").get_by_text(then).first.wait_for()

    return press


def _open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("menuitem").first.wait_for()


SIGN_IN = Shot("sign-in", "/", "to the plugins of this host")
SHOTS = (
    Shot("overview", "/", "Memory, now"),
    Shot("plugins", "/plugins", "Rejected files"),
    Shot("plugin", "/plugins/weather", "Memory, now"),
    Shot("plugin-failed", "/plugins/mailer", "Its last lines"),
    Shot("logs", "/plugins/weather/logs", "forecast fetched"),
    Shot("log-line", "/plugins/weather/logs", "forecast fetched", _open_a_line),
    Shot("runs", "/plugins/mailer/runs", "it exited with status 7", _open_a_run),
    Shot("units", "/plugins/weather/units", "Drop-in files"),
    Shot("plugin-events", "/plugins/mailer/events", "it exited with status 7"),
    Shot("storage", "/plugins/weather/storage", "station/default"),
    Shot("view", "/view/hello-python/", "Say hello"),
    Shot("view-failed", "/view/mailer/", "This plugin is off"),
    Shot("events", "/events", "it exited with status 7"),
    Shot("accounts", "/accounts", "Firefox 140 on Linux"),
    Shot("token-dialog", "/accounts", "New token", _press("New token", "What for")),
    Shot("sign-out-dialog", "/accounts", "Firefox 140 on Linux", _press("Sign out elsewhere", "This one stays")),
    Shot("users", "/accounts/users", "Sees: "),
    Shot("user-dialog", "/accounts/users", "Sees: ", _press("Edit ina", "May sign in")),
    Shot("user-sessions", "/accounts/users", "Sees: ", _press("Where ina is signed in", "Chrome 142 on Android")),
    Shot("user-removal", "/accounts/users", "Sees: ", _press("Remove ina", "Remove this user?")),
    Shot("palette", "/plugins", "Rejected files", _open_palette),
    Shot("menu", "/plugins", "Rejected files", _press("Open navigation", "Live"), desk=False),
    Shot("not-found", "/nowhere", "There is no such page"),
)


def show(page: Page, shot: Shot) -> None:
    """Waits for the screen, and does what belongs to it."""
    page.get_by_text(shot.sign).first.wait_for()
    shot.act(page)
    page.wait_for_function(DIALOGS_ARE_SEEN)


@contextmanager
def _host() -> Iterator[Host]:
    # With limits, systemd measures what plugins use on every kind of machine.
    host = PrivateHost.boot("private", limits=enforcement(limits=True).complete)
    try:
        yield host
    finally:
        host.stop()


@contextmanager
def _bounded(seconds: int) -> Iterator[None]:
    """The block, ended by `TimeoutError` if it takes longer."""

    def end(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def take(page: Page, shot: Shot, size: str) -> None:
    """Its pictures, in both themes."""
    page.goto(shot.path)
    show(page, shot)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        # Charts are drawn anew in the frame after the next.
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.screenshot(path=OUT / f"{shot.name}-{size}-{theme}.png", animations="disabled")


def _warm_up(address: str) -> None:
    """Asks a plugin for a while, so that charts have something to draw."""
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        client.post("/api/auth/login", json={"name": CLIENT, "password": PASSWORD}).raise_for_status()
        until = time.monotonic() + WARM_UP_SECONDS
        while time.monotonic() < until:
            client.get("/api/plugins/route/hello-python/")
            time.sleep(0.2)


def main(wanted: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with _bounded(AT_MOST_SECONDS), _host() as host, chromium() as browser:
        address = web_address(host)
        let_people_in(host, address)
        put_on_stage(Toru(host), host)
        _warm_up(address)
        for size, options in SIZES.items():
            context = opened(browser, address, color_scheme="light", reduced_motion="reduce", **options)
            page = context.new_page()
            if not wanted or SIGN_IN.name in wanted:
                take(page, SIGN_IN, size)
            sign_in(page, ADMIN)
            for shot in SHOTS:
                if (not wanted or shot.name in wanted) and getattr(shot, size):
                    print(shot.name, size, flush=True)
                    take(page, shot, size)
            context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
