"""A plugin's details: what it is, what it uses, what happened to it, what it keeps."""

from __future__ import annotations

import json
import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.browser import CLIENT
from tests.browser.manager import Manager, has_toast
from tests.system.api import Api
from tests.system.toru import Toru


def override(plugin_id: str) -> str:
    return f"/etc/systemd/system/toru-plugin-{plugin_id}.service.d/override.conf"


def drop_in(toru: Toru, plugin_id: str, text: str) -> None:
    """What `systemctl edit` would write."""
    toru.host.run("mkdir", "-p", f"/etc/systemd/system/toru-plugin-{plugin_id}.service.d")
    toru.host.put(override(plugin_id), f"[Service]\n{text}\n", 0o644)


def setting(unit: Locator, name: str) -> Locator:
    return unit.get_by_role("row").filter(has=unit.page.get_by_role("rowheader", name=name, exact=True))


def run_of(page: Page, invocation_id: str) -> Locator:
    return page.locator(f"[data-run='{invocation_id}']")


@pytest.mark.req("UI-1")
def test_the_details_tell_metadata_units_sandbox_and_limits(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata={"author": "Lake Station", "limits": {"memory": "64M"}, "sandbox": "trusted"})
    toru.scan()
    main = manager.page(path="/plugins/weather").get_by_role("main")
    shown = ("Lake Station", "toru-plugin-weather.service", "64 MiB", "It asks for “trusted”")
    for text in (*shown, str(toru.pid("weather"))):
        expect(main).to_contain_text(text)


@pytest.mark.req("UI-1", "SUP-7", "LIFE-5")
def test_units_show_what_is_in_force_and_what_ops_overrode(toru: Toru, manager: Manager) -> None:
    drop_in(toru, "weather", "MemoryHigh=96M\nPrivateTmp=no\nEnvironment=KEY=hush")
    toru.plant("weather", metadata={"limits": {"memory": "128M"}})
    toru.scan()
    page = manager.page(path="/plugins/weather/units")
    unit = page.get_by_role("region", name="toru-plugin-weather.service")
    shown = toru.service("weather", "MemoryMax", "MemoryHigh", "ProtectSystem", "PrivateTmp")
    assert shown == {
        "MemoryMax": "134217728",
        "MemoryHigh": "100663296",
        "ProtectSystem": "strict",
        "PrivateTmp": "yes",
    }
    expect(setting(unit, "MemoryMax")).to_contain_text("128 MiB")
    expect(setting(unit, "MemoryHigh")).to_contain_text("96 MiB")
    expect(setting(unit, "MemoryHigh")).to_contain_text("override.conf")
    expect(setting(unit, "ProtectSystem")).to_contain_text("strict")
    expect(setting(unit, "PrivateTmp")).to_contain_text("yes")
    socket = page.get_by_role("region", name="toru-plugin-weather.socket")
    expect(setting(socket, "ListenStream")).to_contain_text("/run/toru/plugins/weather.sock")
    files = page.get_by_role("region", name="Drop-in files")
    expect(files.locator("[data-origin=ops]")).to_contain_text(f"{override('weather')}ops")
    expect(files).to_contain_text("Environment=(not shown)")
    assert "hush" not in page.content()
    page.get_by_role("searchbox", name="Setting or file").fill("memory")
    expect(setting(unit, "ProtectSystem")).to_have_count(0)
    expect(setting(unit, "MemoryMax")).to_be_visible()


@pytest.mark.req("UI-1", "SEC-4")
def test_the_sandbox_has_a_grade_and_says_what_loosens_it(toru: Toru, manager: Manager) -> None:
    toru.plant("weather")
    toru.scan()
    page = manager.page(path="/plugins/weather")
    sandbox = page.get_by_role("region", name="Sandbox")
    expect(sandbox).to_contain_text("Good")
    expect(sandbox.get_by_role("list", name="What loosens the sandbox")).to_have_count(0)
    drop_in(toru, "weather", "ProtectProc=default\nRestrictNamespaces=no")
    toru.host.run("systemctl", "daemon-reload")
    toru.host.run("systemctl", "restart", "toru-plugin-weather.service")
    # Without a reload of the page.
    expect(sandbox).to_contain_text("Loosened")
    holes = sandbox.get_by_role("list", name="What loosens the sandbox").get_by_role("listitem")
    expect(holes).to_have_count(2)
    expect(holes.nth(0)).to_contain_text("It may make namespaces")
    expect(holes.nth(1)).to_contain_text("It sees everybody’s processes.")
    expect(holes.nth(1)).to_contain_text(override("weather"))


@pytest.mark.req("UI-1", "SEC-1")
def test_a_client_sees_how_well_it_is_sandboxed_and_no_runs_or_storage(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata={"sandbox": "strict"})
    toru.scan()
    page = manager.page(CLIENT, "/plugins/weather")
    expect(page.get_by_role("region", name="Sandbox")).to_contain_text("Tight")
    expect(page.get_by_role("navigation", name="Parts of this plugin")).to_have_count(0)
    expect(page.get_by_role("region", name="Why it ended")).to_have_count(0)


@pytest.mark.req("UI-1")
def test_on_a_phone_the_part_that_is_open_is_in_sight_among_the_others(toru: Toru, manager: Manager) -> None:
    toru.plant("weather")
    toru.scan()
    page = manager.page(path="/plugins/weather", viewport={"width": 360, "height": 700})
    parts = page.get_by_role("navigation", name="Parts of this plugin").get_by_role("link")
    expect(parts.first).to_be_in_viewport(ratio=0.99)
    expect(parts.last).not_to_be_in_viewport(ratio=0.99)
    page.goto("/plugins/weather/storage")
    expect(parts.last).to_have_attribute("aria-current", "page")
    expect(parts.last).to_be_in_viewport(ratio=0.99)
    assert page.evaluate("[scrollY, document.getElementById('main').scrollTop]") == [0, 0]


@pytest.mark.req("UI-5", "SUP-7")
def test_memory_is_drawn_over_time(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", "lively.py", memory_mib=40)
    toru.scan()
    page = manager.page(path="/plugins/weather")
    expect(page.get_by_text("Memory, now")).to_contain_text("MiB")
    expect(page.get_by_role("region", name="Usage").locator("canvas").first).to_be_visible()


@pytest.mark.req("UI-3", "SUP-5")
def test_why_it_ended_is_told_with_its_last_lines(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 600\nmax_delay = 600\n")
    toru.plant("weather", "lively.py", lines=["out of paper"], dies_after=0.5)
    toru.scan()
    why = manager.page(path="/plugins/weather").get_by_role("region", name="Why it ended")
    expect(why).to_contain_text("it exited with status 7")
    expect(why.get_by_role("region", name="Its last lines")).to_contain_text("out of paper")


@pytest.mark.req("UI-1", "UI-6", "SUP-5")
def test_each_run_says_why_it_died_and_leads_to_its_own_lines(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 0.1\nmax_delay = 0.1\n")
    toru.plant("weather", "lively.py", lines=["out of paper"])
    toru.scan()
    page = manager.page(path="/plugins/weather/runs")
    runs = page.get_by_role("list", name="Runs, newest first")
    first = toru.service("weather", "InvocationID")["InvocationID"]
    expect(run_of(page, first)).to_contain_text("Running")
    toru.wait_until("its line", lambda: "out of paper" in toru.logged("weather"))
    toru.host.run("systemctl", "kill", "--signal=SEGV", "toru-plugin-weather.service")
    expect(run_of(page, first)).to_contain_text("it was killed by SIGSEGV")
    # The next one begins before their eyes.
    expect(runs.get_by_text("Running")).to_be_visible()
    second = toru.service("weather", "InvocationID")["InvocationID"]
    assert second != first
    running = {"ActiveState": "active", "SubState": "running"}
    toru.wait_until("it to have started", lambda: toru.service("weather", *running) == running)
    toru.host.run("systemctl", "restart", "toru-plugin-weather.service")
    expect(run_of(page, second)).to_contain_text("Stopped on request")
    run_of(page, first).get_by_text("it was killed by SIGSEGV").click()
    lines = run_of(page, first).get_by_role("region", name="Its last lines")
    expect(lines).to_contain_text("out of paper")
    expect(lines).to_contain_text("status=11/SEGV")
    page.get_by_role("link", name="All lines of this run").click()
    expect(page).to_have_url(re.compile(rf"/plugins/weather/logs\?run=.*{first}"))
    log = page.get_by_role("region", name="Log lines")
    expect(log.get_by_text("out of paper")).to_have_count(1)
    expect(log).to_contain_text("Failed with result")


@pytest.mark.req("UI-1", "API-5")
def test_events_appear_as_they_happen_with_their_cause(toru: Toru, manager: Manager) -> None:
    toru.plant("almanac")
    toru.scan()
    page = manager.page(path="/plugins/almanac/events")
    listed = page.get_by_role("list", name="Events, newest first")
    expect(listed.locator("[data-kind=started]").first).to_be_visible()
    toru.host.run("systemctl", "kill", "--signal=KILL", "toru-plugin-almanac.service")
    expect(listed.locator("[data-kind=crashed]")).to_contain_text("it was killed by SIGKILL")
    page.get_by_role("button", name="Kind of event").click()
    page.get_by_role("option", name="Crashed").click()
    expect(listed.locator("[data-kind=started]")).to_have_count(0)
    expect(listed.locator("[data-kind=crashed]")).to_have_count(1)


@pytest.mark.req("UI-1", "KV-4")
def test_an_admin_reads_changes_and_deletes_what_a_plugin_keeps(toru: Toru, manager: Manager) -> None:
    toru.plant("pantry")
    toru.scan()
    page = manager.page(path="/plugins/pantry/storage")
    expect(page.get_by_text("It keeps nothing")).to_be_visible()
    page.get_by_role("button", name="Add entry").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("station")
    dialog.get_by_label("Value").fill("Innsbruck")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("This is not JSON")
    dialog.get_by_label("Value").fill('{"name": "Innsbruck"}')
    dialog.get_by_role("button", name="Save").click()
    has_toast(page, "station is stored")
    expect(page.get_by_role("row", name="station")).to_contain_text('{"name":"Innsbruck"}')
    page.get_by_role("button", name="Edit station").click()
    expect(dialog.get_by_label("Key")).to_have_value("station")
    dialog.get_by_label("Value").fill('"Brocken \\u0000 ✉"')
    dialog.get_by_label("Expires after seconds").fill("soon")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("A number of seconds")
    dialog.get_by_label("Expires after seconds").fill("3000")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="station")).to_contain_text('"Brocken \\u0000 ✉"')
    expect(page.get_by_role("row", name="station")).to_contain_text("in 50 min")
    # Who edits the value alone leaves the expiry as it is.
    page.get_by_role("button", name="Edit station").click()
    dialog.get_by_label("Value").fill(json.dumps("x" * 5000))
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="station")).to_contain_text("4.9 KiB in all")
    kept = Api(toru.host).get("/api/plugins/pantry/kv")["entries"]
    assert [(it["key"], it["value"]) for it in kept] == [("station", "x" * 5000)]
    assert 2000 < kept[0]["expires_at"] - time.time() <= 3000
    page.get_by_role("button", name="Delete station").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("row", name="station")).to_be_visible()
    page.get_by_role("button", name="Delete station").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("It keeps nothing")).to_be_visible()


@pytest.mark.req("UI-1", "KV-3")
def test_a_value_that_is_too_large_is_refused_in_the_dialog_and_not_lost(toru: Toru, manager: Manager) -> None:
    toru.settings("[kv]\nvalue = 1024\n")
    toru.plant("pantry")
    toru.scan()
    page = manager.page(path="/plugins/pantry/storage")
    page.get_by_role("button", name="Add entry").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("map")
    dialog.get_by_label("Value").fill(json.dumps("x" * 2000))
    with page.expect_response("**/kv") as answer:
        dialog.get_by_role("button", name="Save").click()
    assert answer.value.status == 413
    expect(dialog.get_by_role("alert")).to_contain_text("1024")
    expect(dialog.get_by_label("Value")).to_have_value(json.dumps("x" * 2000))
    dialog.get_by_label("Value").fill('"x"')
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="map")).to_contain_text('"x"')


@pytest.mark.req("UI-1")
def test_the_palette_goes_anywhere_by_keyboard(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata={"name": "Weather"})
    toru.scan()
    page = manager.page()
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything is well")
    palette = page.get_by_role("searchbox", name="Where to, or what to do?")
    page.keyboard.press("Control+k")
    expect(palette).to_be_focused()
    page.keyboard.type("weather logs")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("serving as")
    page.keyboard.press("Control+k")
    expect(palette).to_be_focused()
    page.keyboard.type("disable weather")
    page.keyboard.press("Enter")
    has_toast(page, "is off")
    assert not toru.is_loaded("weather")
