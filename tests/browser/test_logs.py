"""Reading a plugin's log."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

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


COUNTING = range(20)
"""Lines that are numbers: one that is missing or there twice is noticed. Plugins whose lines are counted have names of
their own, because the journal remembers what those of other tests wrote."""


def lines(page: Page) -> Locator:
    return page.get_by_role("region", name="Log lines")


def has_lines(page: Page, more_than: int) -> None:
    page.wait_for_function(
        "count => Number(document.querySelector('[data-lines]')?.dataset.lines) > count", arg=more_than
    )


def count(page: Page) -> int:
    return int(lines(page).get_attribute("data-lines") or 0)


def copied(page: Page) -> list[str]:
    """The messages of all lines that the page has, as it copies them."""
    page.get_by_role("button", name="Copy lines").click()
    has_toast(page, "copied")
    return [line.split(" ", 2)[2] for line in str(page.evaluate("navigator.clipboard.readText()")).splitlines()]


def choose_run(page: Page, invocation_id: str) -> None:
    name = f"Run {invocation_id[:8]}"
    page.get_by_role("button", name="Every run").click()
    page.get_by_role("option", name=name).click()
    expect(page.get_by_role("button", name=name)).to_be_visible()


def journal(toru: Toru, plugin_id: str) -> list[dict[str, Any]]:
    """What the plugin itself wrote, as journalctl tells it."""
    command = ("journalctl", f"--unit=toru-plugin-{plugin_id}.service", "--output=json", "_TRANSPORT=stdout")
    return [json.loads(line) for line in toru.host.run(*command).stdout.splitlines()]


CLIPBOARD = ["clipboard-read", "clipboard-write"]


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
    other = manager.page(path=page.url.removeprefix(manager.address))
    expect(lines(other)).to_contain_text("the disk is full")
    expect(lines(other)).not_to_contain_text("listening")
    expect(other.get_by_role("searchbox", name="Search in lines")).to_have_value("DISK")
    expect(other.get_by_role("button", name="Least urgent level")).to_contain_text("Warning and above")


@pytest.mark.req("UI-2")
def test_new_lines_come_by_themselves_and_reading_stops_following(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", "lively.py", lines=[f"line {n}" for n in range(40)], again_every=1)
    toru.scan()
    page = manager.page(path="/plugins/weather/logs")
    shown = lines(page)
    expect(shown).to_contain_text("line 39")
    expect(page.get_by_text("Following", exact=True)).to_be_visible()
    has_lines(page, count(page) + 60)
    page.wait_for_function(AT_END)
    shown.hover()
    for _ in range(2):  # little by little, as on a touchpad
        page.mouse.wheel(0, -3)
        page.evaluate(AT_REST)
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.mouse.wheel(0, -600)
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.wait_for_function(FAR_FROM_END)
    page.evaluate(AT_REST)
    place = shown.evaluate("element => element.scrollTop")
    first = first_in_sight(page)
    before = count(page)
    has_lines(page, before + 60)
    assert first_in_sight(page) == first
    assert shown.evaluate("element => element.scrollTop") == place
    resume = page.get_by_role("button", name="go on")
    assert int((resume.text_content() or "").split()[0]) >= 60
    resume.click()
    expect(page.get_by_text("Following", exact=True)).to_be_visible()
    page.wait_for_function(AT_END)
    # Scrolling up by the keyboard stops it too, and reaching the end again goes on.
    shown.focus()
    page.keyboard.press("PageUp")
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.keyboard.press("End")
    expect(page.get_by_text("Following", exact=True)).to_be_visible()


AT_END = """() => {
    const element = document.querySelector("[data-lines]");
    return element.scrollHeight - element.scrollTop - element.clientHeight < 30;
}"""

FAR_FROM_END = AT_END.replace("< 30", "> 500")
# The wheel's own scrolling takes a few frames.
AT_REST = """async () => {
    const element = document.querySelector("[data-lines]");
    for (let top = -1, still = 0; still < 10; top = element.scrollTop) {
        await new Promise(requestAnimationFrame);
        still = element.scrollTop === top ? still + 1 : 0;
    }
}"""


def first_in_sight(page: Page) -> str:
    return str(
        lines(page).evaluate(
            """element => [...element.querySelectorAll("[data-index]")]
                .find(row => row.getBoundingClientRect().bottom > element.getBoundingClientRect().top).textContent"""
        )
    )


@pytest.mark.req("UI-2")
def test_older_lines_come_as_they_are_scrolled_to_and_what_is_read_stays_put(toru: Toru, manager: Manager) -> None:
    toru.plant("almanac", "lively.py", lines=[f"line {n} of many" for n in range(3000)])
    toru.scan()
    # Before the page is opened, which would keep what comes while it is.
    toru.wait_until("all lines to be in the journal", lambda: len(journal(toru, "almanac")) >= 3000)
    page = manager.page(path="/plugins/almanac/logs")
    shown = lines(page)
    expect(shown).to_contain_text("line 2999 of many")
    shown.hover()
    before = count(page)
    page.mouse.wheel(0, -9_000)
    page.wait_for_function("() => document.querySelector('[data-lines]').scrollTop > 0")
    page.evaluate(GO_UP)
    has_lines(page, before)
    assert count(page) < 3000
    page.evaluate(TO_THE_BEGINNING)
    expect(shown).to_contain_text("This is the beginning.")
    expect(shown).to_contain_text("line 0 of many")
    # Only what is in sight is in the document, however many lines there are.
    assert count(page) >= 3000
    assert page.locator("[data-index]").count() < 200


GO_UP = "() => { document.querySelector('[data-lines]').scrollTop = 100 }"
TO_THE_BEGINNING = """async () => {
    const element = document.querySelector("[data-lines]");
    const rests = () => new Promise(resolve => setTimeout(resolve, 10));
    while (!element.textContent.includes("This is the beginning.") && !window.enough?.()) {
        element.scrollTop = 0;
        await rests();
    }
    element.scrollTop = 0;
}"""


@pytest.mark.req("UI-2")
def test_a_hundred_thousand_lines_are_held_and_no_more_and_few_of_them_are_drawn(toru: Toru, manager: Manager) -> None:
    toru.plant("flood", "lively.py", lines=range(101_000))
    toru.scan()
    toru.wait_until(
        "all lines to be in the journal",
        lambda: "100999" in toru.host.run("journalctl", "--unit=toru-plugin-flood.service", "--lines=5").stdout,
        120,
    )
    page = manager.page(path="/plugins/flood/logs")
    page.set_default_timeout(120_000)
    expect(lines(page)).to_contain_text("100999")
    page.evaluate("() => { window.enough = () => document.querySelector('[data-lines]').dataset.lines >= 100_000 }")
    page.evaluate(GO_UP)
    page.evaluate(TO_THE_BEGINNING)
    assert count(page) == 100_000
    assert page.locator("[data-index]").count() < 200
    frames = page.evaluate(SCROLLED_THROUGH)
    heap = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
    print(f"100,000 lines: {heap:.0f} MB of heap; {len(frames)} frames while scrolling through, in milliseconds: "
          f"median {sorted(frames)[len(frames) // 2]:.0f}, longest {max(frames):.0f}")  # fmt: skip
    # What was let go at the other end is one click away.
    page.get_by_role("button", name="To the newest lines").click()
    expect(lines(page)).to_contain_text("100999")
    expect(page.get_by_text("Following", exact=True)).to_be_visible()
    assert count(page) <= 1000


SCROLLED_THROUGH = """async () => {
    const element = document.querySelector("[data-lines]"), frames = [];
    let last = performance.now();
    for (let step = 0; step < 60; step++) {
        element.scrollTop += 5_000;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        frames.push(now - last);
        last = now;
    }
    return frames;
}"""


@pytest.mark.req("UI-2", "UI-6")
def test_a_break_in_the_stream_loses_no_line_and_doubles_none(toru: Toru, manager: Manager) -> None:
    toru.plant("counter", "lively.py", lines=COUNTING, again_every=0.2)
    toru.scan()
    page = manager.page(path="/plugins/counter/logs", permissions=CLIPBOARD)
    expect(page.get_by_text("Following", exact=True)).to_be_visible()
    has_lines(page, 100)
    with toru.core_down():
        expect(page.get_by_text("The live stream broke off")).to_be_visible()
        written = len(journal(toru, "counter"))
        toru.wait_until("more to be written", lambda: len(journal(toru, "counter")) > written + 100)
    expect(page.get_by_text("Following", exact=True)).to_be_visible()
    has_lines(page, written + 100)
    toru.host.run("systemctl", "stop", "toru-plugin-counter.service")
    expect(lines(page)).to_contain_text("Stopped toru-plugin-counter.service")
    numbers = [int(message) for message in copied(page) if message.isdecimal()]
    assert numbers == [int(entry["MESSAGE"]) for entry in journal(toru, "counter")][-len(numbers) :]
    assert len(numbers) > written + 100


@pytest.mark.req("UI-2", "UI-6")
def test_the_first_lines_of_all_are_not_lost_when_the_stream_breaks_before_them(toru: Toru, manager: Manager) -> None:
    toru.plant("sleeper", metadata={"start": "on-demand"})
    toru.scan()
    page = manager.page(path="/plugins/sleeper/logs?q=serving")
    expect(page.get_by_text("No line matches")).to_be_visible()
    expect(page.get_by_text("Following", exact=True)).to_be_visible()
    with toru.core_down():
        expect(page.get_by_text("The live stream broke off")).to_be_visible()
        toru.host.run("systemctl", "start", "toru-plugin-sleeper.service")
        toru.wait_until("it to write", lambda: len(journal(toru, "sleeper")) == 1)
    expect(lines(page)).to_contain_text("serving as")
    assert count(page) == 1


@pytest.mark.req("UI-2")
def test_lines_between_two_moments_can_be_read_by_their_address(toru: Toru, manager: Manager) -> None:
    toru.plant("clock", "lively.py", lines=COUNTING, again_every=0.1)
    toru.scan()
    toru.wait_until("enough to be written", lambda: len(journal(toru, "clock")) > 80)
    toru.host.run("systemctl", "stop", "toru-plugin-clock.service")
    entries = journal(toru, "clock")
    moments = [int(entries[at]["__REALTIME_TIMESTAMP"]) / 1e6 for at in (20, 60)]
    since, until = (datetime.fromtimestamp(moment).astimezone().isoformat() for moment in moments)
    query = urlencode({"range": "custom", "since": since, "until": until})
    page = manager.page(path=f"/plugins/clock/logs?{query}", permissions=CLIPBOARD)
    expect(page.get_by_text("Ends with the time that was chosen")).to_be_visible()
    expect(page.get_by_label("From", exact=True)).to_have_value(re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d"))
    expect(lines(page)).to_contain_text("This is the beginning.")
    between = [e["MESSAGE"] for e in entries if moments[0] <= int(e["__REALTIME_TIMESTAMP"]) / 1e6 < moments[1]]
    assert len(between) >= 30
    assert [message for message in copied(page) if message.isdecimal()] == between


@pytest.mark.req("UI-2")
def test_one_run_alone_can_be_read_and_a_line_opened(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", "lively.py", lines=LINES)
    toru.scan()
    first = toru.service("weather", "InvocationID")["InvocationID"]
    toru.host.run("systemctl", "restart", "toru-plugin-weather.service")
    page = manager.page(path="/plugins/weather/logs")
    choose_run(page, first)
    lines(page).get_by_role("button").first.click()
    expect(lines(page)).to_contain_text(first)
    expect(lines(page)).not_to_contain_text(toru.service("weather", "InvocationID")["InvocationID"])


@pytest.mark.req("UI-2")
def test_a_run_that_began_while_one_looks_can_be_chosen_when_it_is_over(toru: Toru, manager: Manager) -> None:
    toru.plant("fickle", "lively.py", lines=LINES)
    toru.scan()
    page = manager.page(path="/plugins/fickle/logs")
    expect(lines(page)).to_contain_text("slow answer")
    toru.host.run("systemctl", "restart", "toru-plugin-fickle.service")
    second = toru.service("fickle", "InvocationID")["InvocationID"]
    toru.host.run("systemctl", "restart", "toru-plugin-fickle.service")
    choose_run(page, second)
    lines(page).get_by_role("button").first.click()
    expect(lines(page)).to_contain_text(second)


@pytest.mark.req("UI-2")
def test_more_runs_than_a_phone_has_room_for_are_shown_and_none_is_chosen_by_that(toru: Toru, manager: Manager) -> None:
    toru.plant("restless", "lively.py", lines=LINES)
    toru.scan()
    for _ in range(8):
        toru.host.run("systemctl", "restart", "toru-plugin-restless.service")
    page = manager.page(path="/plugins/restless/logs", viewport={"width": 360, "height": 740})
    expect(lines(page)).to_contain_text("slow answer")
    page.get_by_role("button", name="Every run").click()
    expect(page.get_by_role("option", name="Every run", selected=True)).to_be_visible()
    expect(page.get_by_role("option")).to_have_count(10)


@pytest.mark.req("UI-2")
def test_lines_can_be_copied_and_downloaded(toru: Toru, manager: Manager) -> None:
    toru.plant("copier", "lively.py", lines=LINES)
    toru.scan()
    page = manager.page(path="/plugins/copier/logs?level=warning", permissions=CLIPBOARD)
    expect(lines(page)).to_contain_text("slow answer")
    assert copied(page) == ['the disk is full {"disk":"sda1"}', "slow answer"]
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    said = download.value.path().read_text()
    assert "the disk is full" in said
    assert "listening" not in said


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
