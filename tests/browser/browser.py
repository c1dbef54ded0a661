"""Debian's Chromium, driven by Playwright, at the manager of a host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.hosts.host import Host
from tests.system.api import Api

ADMIN, CLIENT, PASSWORD = "ada", "carl", "Correct-Horse-1"

PATIENCE_MILLISECONDS = 15_000
"""For what has no bound of its own: the machine may be busy."""

# What would have it talk to the world. The rest is what root needs, and a machine without a graphics card.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        try:
            yield browser
        finally:
            browser.close()


def web_address(host: Host) -> str:
    return f"http://127.0.0.1:{Api.at_web_address(host).address}"


def let_in(host: Host, name: str, *options: str) -> None:
    """Make a user, or leave the one that there is."""
    host.run("toru", "user", "add", name, *options, input=f"{PASSWORD}\n", check=False)


def opened(browser: Browser, address: str, **options: object) -> BrowserContext:
    """A browser of its own, as far as cookies and storage go."""
    context = browser.new_context(base_url=address, **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    return context


def sign_in(page: Page, name: str, path: str = "/") -> None:
    """Past the sign-in, which is not what the test is about."""
    page.goto(path)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Live", exact=True).first).to_be_attached()
