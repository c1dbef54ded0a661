"""A plugin's details: what it is, what it uses, what happened to it, what it keeps."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.manager import Manager, has_toast
from tests.system.toru import Toru


@pytest.mark.req("UI-1")
def test_the_details_tell_metadata_units_sandbox_and_limits(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata={"author": "Lake Station", "limits": {"memory": "64M"}, "sandbox": "trusted"})
    toru.scan()
    main = manager.page(path="/plugins/weather").get_by_role("main")
    shown = ("Lake Station", "toru-plugin-weather.service", "64 MiB", "It asks for “trusted”")
    for text in (*shown, str(toru.pid("weather"))):
        expect(main).to_contain_text(text)


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
    toru.plant("weather")
    toru.scan()
    page = manager.page(path="/plugins/weather/storage")
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
    page.get_by_role("button", name="Delete station").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("It keeps nothing")).to_be_visible()


@pytest.mark.req("UI-5")
def test_the_overview_counts_states_and_lists_what_needs_attention(toru: Toru, manager: Manager) -> None:
    toru.settings("[restart]\nfirst_delay = 600\nmax_delay = 600\n")
    toru.plant("weather", metadata={"name": "Weather"})
    toru.plant("archive", metadata={"name": "Archive", "start": "on-demand"})
    toru.scan()
    page = manager.page()
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything is well")
    toru.host.run("systemctl", "kill", "--signal=KILL", "toru-plugin-weather.service")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 plugin needs attention")
    trouble = page.get_by_role("region", name="Needs attention")
    expect(trouble).to_contain_text("it was killed by SIGKILL")
    trouble.get_by_role("button", name="Try now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything is well")
    expect(page.get_by_role("region", name="What happened last")).to_contain_text("Crashed")


@pytest.mark.req("UI-1")
def test_the_palette_goes_anywhere_by_keyboard(toru: Toru, manager: Manager) -> None:
    toru.plant("weather", metadata={"name": "Weather"})
    toru.scan()
    page = manager.page()
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything is well")
    page.keyboard.press("Control+k")
    page.keyboard.type("weather logs")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("serving as")
    page.keyboard.press("Control+k")
    page.keyboard.type("disable weather")
    page.keyboard.press("Enter")
    has_toast(page, "is off")
    assert not toru.is_loaded("weather")
