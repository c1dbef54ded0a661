"""The manager of a host, as people at browsers see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.browser import ADMIN, CLIENT, PASSWORD, let_in, opened, web_address
from tests.hosts.host import Host


class Manager:
    """Opens pages for people. Every page fails its test for what the browser complains about, unless it is told."""

    def __init__(self, host: Host, browser: Browser) -> None:
        self.host = host
        self.address = web_address(host)
        self._browser = browser
        self._signed_in: dict[str, Any] = {}
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        let_in(host, ADMIN, "--admin")
        let_in(host, CLIENT)

    def page(self, name: str | None = ADMIN, path: str = "/", **options: Any) -> Page:
        """A page in a browser of its own, where this person is signed in."""
        if name is not None and name not in self._signed_in:
            self._signed_in[name] = self._sign_in(name)
        state = None if name is None else self._signed_in[name]
        context = opened(self._browser, options.pop("address", self.address), storage_state=state, **options)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._note(page, message))
        page.goto(path)
        return page

    def forget(self, name: str) -> None:
        """Somebody whose session has ended signs in anew, next time."""
        self._signed_in.pop(name, None)

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def _sign_in(self, name: str) -> Any:
        context = opened(self._browser, self.address)
        answer = context.request.post("/api/auth/login", data={"name": name, "password": PASSWORD})
        assert answer.ok, answer.text()
        state = context.storage_state()
        context.close()
        return state

    def _note(self, page: Page, message: Any) -> None:
        # The browser itself reports each answer of 400 and above; whether one is expected, the test knows.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(f"{page.url}: {message.text}")


@contextmanager
def complaints_expected(manager: Manager, text: str) -> Iterator[None]:
    """What a page breaks on purpose in here is no fault; that it does is part of the test."""
    yield
    matching = [complaint for complaint in manager.complaints if text in complaint]
    assert matching, f"nobody complained of {text!r}: {manager.complaints}"
    manager.complaints[:] = [complaint for complaint in manager.complaints if text not in complaint]


def row(page: Page, plugin_id: str) -> Locator:
    """A plugin's line in the list."""
    return page.locator(f"[data-plugin={plugin_id}]")


def sidebar(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Open a plugin")


def has_toast(page: Page, text: str) -> None:
    expect(page.get_by_role("alertdialog").filter(has_text=text).first).to_be_visible()


def is_live(page: Page) -> None:
    """The stream is open, and everything was read."""
    expect(page.locator("[data-connection=live]").first).to_be_attached()
