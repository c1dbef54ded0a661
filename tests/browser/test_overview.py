"""All of it at a glance: the host, every plugin, and what they do over time."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.browser import let_in
from tests.browser.manager import Manager, is_live
from tests.system.toru import Toru

ROUTE = "http://toru/api/plugins/route"


def ask(toru: Toru, path: str) -> None:
    """Through the core, as any visitor does."""
    toru.host.run("curl", "--silent", "--output", "/dev/null", "--unix-socket", "/run/toru/api.sock", f"{ROUTE}{path}")


@pytest.mark.req("UI-5")
def test_the_host_and_all_plugins_are_there_at_a_glance(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 600\nmax_delay = 600\n")
    for plugin_id in ("weather", "almanac"):
        toru.plant(plugin_id, metadata={"name": plugin_id.capitalize()})
    toru.plant("archive", metadata={"start": "on-demand"})
    toru.scan()
    page = manager.page()
    expect(page.get_by_role("heading", level=1, name="Everything is well")).to_be_visible()
    counts = page.get_by_role("list", name="Plugins by state").get_by_role("link")
    expect(counts).to_have_text(["2Running", "1Asleep", "0Need attention", "0Off"])
    hostname = toru.host.run("uname", "--nodename").stdout.strip()
    host = page.get_by_role("region", name=hostname)
    kib = int(toru.host.run("grep", "MemTotal", "/proc/meminfo").stdout.split()[1])
    expect(host).to_contain_text(f"of {kib / 2**20:.1f} GiB used")
    expect(host).to_contain_text("Disk of /var/lib/toru/plugins")
    toru.host.run("systemctl", "kill", "--signal=KILL", "toru-plugin-weather.service")
    expect(page.get_by_role("heading", level=1, name="1 plugin needs attention")).to_be_visible()
    trouble = page.get_by_role("region", name="Needs attention")
    expect(trouble).to_contain_text("it was killed by SIGKILL")
    newest = page.get_by_role("list", name="What happened last").get_by_role("listitem").first
    expect(newest).to_have_attribute("data-kind", "crashed")
    trouble.get_by_role("button", name="Try now").click()
    expect(page.get_by_role("heading", level=1, name="Everything is well")).to_be_visible()


@pytest.mark.req("UI-5")
def test_requests_errors_and_restarts_are_drawn_over_time_and_said_in_words(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 0.1\nmax_delay = 0.2\nfailures = 100\n")
    toru.plant("web")
    toru.serve()
    page = manager.page()
    requests = page.get_by_role("figure").filter(has=slider(page, "Requests"))
    expect(requests.get_by_role("listitem")).to_have_text(
        ["Requestsleast 0/s, most 0/s", "Errors (5xx)least 0/s, most 0/s"]
    )
    ask(toru, "/web/")
    expect(requests.get_by_role("listitem").first).not_to_have_text("Requestsleast 0/s, most 0/s")
    ask(toru, "/web/crash")
    expect(requests.get_by_role("listitem").last).not_to_have_text("Errors (5xx)least 0/s, most 0/s")
    expect(slider(page, "Restarts, 1")).to_be_visible()
    toru.wait_until("the start to be in the journal", lambda: len(toru.starts("web")) == 2)
    # Whoever can't point at it goes along it by keys, and hears each point.
    slider(page, "Requests").focus()
    page.keyboard.press("Home")
    first = slider(page, "Requests").get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")
    expect(slider(page, "Requests")).to_have_attribute("aria-valuenow", "1")
    expect(slider(page, "Requests")).not_to_have_attribute("aria-valuetext", first or "")
    expect(slider(page, "Requests")).to_have_attribute("aria-valuetext", re.compile(r"Requests .*/s, Errors \(5xx\) "))
    # New figures don't carry them along.
    second = slider(page, "Requests").get_attribute("aria-valuetext")
    count = slider(page, "Requests").get_attribute("aria-valuemax")
    for _ in range(2):
        expect(slider(page, "Requests")).not_to_have_attribute("aria-valuemax", count or "")
        count = slider(page, "Requests").get_attribute("aria-valuemax")
    expect(slider(page, "Requests")).to_have_attribute("aria-valuetext", second or "")


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name)


@pytest.mark.req("UI-5", "SEC-1")
def test_a_client_sees_their_own_plugins_and_nothing_of_the_host(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata={"name": "Weather"})
    toru.plant("secret", metadata={"name": "Secret"})
    toru.scan()
    let_in(manager.host, "olga", "--plugin", "weather")
    page = manager.page("olga")
    is_live(page)
    expect(page.get_by_role("list", name="Plugins by state").get_by_role("link").first).to_have_text("1Running")
    expect(slider(page, "Memory")).to_be_visible()
    expect(page.get_by_text("Secret")).to_have_count(0)
    expect(page.get_by_text("Disk of")).to_have_count(0)
    expect(page.get_by_role("region", name="What happened last")).to_have_count(0)


@pytest.mark.req("UI-5")
def test_without_plugins_it_says_how_to_get_some(manager: Manager) -> None:
    page = manager.page()
    expect(page.get_by_role("heading", level=1, name="No plugins yet")).to_be_visible()
    expect(page.get_by_text("Put a file whose name ends in .binary")).to_be_visible()
