"""Reading a plugin's log."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.manager import Manager, has_toast
from tests.system.toru import Toru

LINES = [
    "listening",
    {"level": "error", "message": "the disk is full", "disk": "sda1"},
    "<4>slow answer",
    {"level": "debug", "message": "cache: 12 hits"},
]


def lines(page: Page) -> Locator:
    return page.get_by_role("region", name="Log lines")


@pytest.mark.req("UI-2", "OBS-1")
def test_lines_of_every_kind_are_readable_and_can_be_filtered_and_searched(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", "lively.py", lines=LINES)
    toru.scan()
    page = manager.page(path="/plugins/weather/logs")
    for text in ("listening", "the disk is full", "disk=sda1", "slow answer", "cache: 12 hits"):
        expect(lines(page)).to_contain_text(text)
    page.get_by_role("button", name="Least urgent level").click()
    page.get_by_role("option", name="Warning and above").click()
    expect(lines(page)).not_to_contain_text("listening")
    expect(lines(page)).to_contain_text("the disk is full")
    expect(lines(page)).to_contain_text("slow answer")
    page.get_by_role("searchbox", name="Search in lines").fill("DISK")
    expect(lines(page)).not_to_contain_text("slow answer")
    expect(lines(page).locator("mark").first).to_have_text("disk")
    # The address says it all: it can be sent to somebody else.
    page.reload()
    expect(lines(page)).to_contain_text("the disk is full")
    expect(lines(page)).not_to_contain_text("listening")


@pytest.mark.req("UI-2")
def test_new_lines_come_by_themselves_and_reading_stops_following(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", "lively.py", lines=[f"line {n}" for n in range(40)], again_every=1)
    toru.scan()
    page = manager.page(path="/plugins/weather/logs")
    shown = lines(page)
    expect(shown).to_contain_text("line 39")
    before = int(shown.get_attribute("data-lines") or 0)
    page.wait_for_function(
        "count => Number(document.querySelector('[data-lines]').dataset.lines) > count + 60", arg=before
    )
    assert _is_at_end(shown)
    shown.hover()
    page.mouse.wheel(0, -600)
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    place = shown.evaluate("element => element.scrollTop")
    count = int(shown.get_attribute("data-lines") or 0)
    page.wait_for_function(
        "count => Number(document.querySelector('[data-lines]').dataset.lines) > count + 60", arg=count
    )
    assert shown.evaluate("element => element.scrollTop") == place
    page.get_by_role("button", name="go on").click()
    expect(page.get_by_text("Following", exact=True)).to_be_visible()
    page.wait_for_function(
        "() => { const e = document.querySelector('[data-lines]'); "
        "return e.scrollHeight - e.scrollTop - e.clientHeight < 30 }"
    )


def _is_at_end(shown: Locator) -> bool:
    left = shown.evaluate("element => element.scrollHeight - element.scrollTop - element.clientHeight")
    return bool(left < 30)


@pytest.mark.req("UI-2")
def test_older_lines_come_as_they_are_scrolled_to_and_what_is_read_stays_put(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", "lively.py", lines=[f"line {n} of many" for n in range(3000)])
    toru.scan()
    page = manager.page(path="/plugins/weather/logs")
    shown = lines(page)
    expect(shown).to_contain_text("line 2999 of many")
    shown.hover()
    for _ in range(40):
        if "This is the beginning." in (shown.text_content() or ""):
            break
        page.mouse.wheel(0, -30_000)
        page.wait_for_timeout(100)  # as a person does: look, then scroll on
    expect(shown).to_contain_text("This is the beginning.")
    page.mouse.wheel(0, -30_000)
    expect(shown).to_contain_text("line 0 of many")
    # Only what is in sight is in the document, however many lines there are.
    assert int(shown.get_attribute("data-lines") or 0) >= 3000
    assert page.locator("[data-index]").count() < 200


@pytest.mark.req("UI-2")
def test_one_run_alone_can_be_read_and_a_line_opened(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", "lively.py", lines=LINES)
    toru.scan()
    first = toru.service("weather", "InvocationID")["InvocationID"]
    toru.host.run("systemctl", "restart", "toru-plugin-weather.service")
    page = manager.page(path="/plugins/weather/logs")
    page.get_by_role("button", name="Every run").click()
    page.get_by_role("option", name=f"Run {first[:8]}").click()
    lines(page).get_by_role("button").first.click()
    expect(lines(page)).to_contain_text(first)
    expect(lines(page)).not_to_contain_text(toru.service("weather", "InvocationID")["InvocationID"])


@pytest.mark.req("UI-2")
def test_lines_can_be_copied_and_downloaded(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", "lively.py", lines=LINES)
    toru.scan()
    page = manager.page(path="/plugins/weather/logs", permissions=["clipboard-read", "clipboard-write"])
    expect(lines(page)).to_contain_text("listening")
    page.get_by_role("button", name="Copy lines").click()
    has_toast(page, "copied")
    copied = str(page.evaluate("navigator.clipboard.readText()"))
    assert "the disk is full" in copied
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert "the disk is full" in download.value.path().read_text()


@pytest.mark.req("UI-2")
def test_a_plugin_that_never_wrote_says_so(toru: Toru, manager: Manager) -> None:
    toru.plant("archive", metadata={"start": "on-demand"})
    toru.scan()
    page = manager.page(path="/plugins/archive/logs?q=nothing-says-this")
    expect(page.get_by_text("No line matches")).to_be_visible()


@pytest.mark.req("UI-2", "SEC-5")
def test_markup_in_a_line_is_text(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", "lively.py", lines=["<img src=x onerror=\"document.title='taken'\">", "\\u001b[31mred"])
    toru.scan()
    page = manager.page(path="/plugins/weather/logs")
    expect(lines(page)).to_contain_text("<img src=x onerror=")
    assert page.locator("main img").count() == 0
    assert not page.title().startswith("taken")
