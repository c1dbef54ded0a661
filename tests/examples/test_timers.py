"""systemd's timers: what its page says without the profile, and shows with it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.stage import EXAMPLES, page_does, put_in_place
from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru

PATH = "/api/plugins/route/timers/timers"


@pytest.fixture
def timers(toru: Toru, tmp_path: Path) -> Path:
    put_in_place(toru, "timers", tmp_path)
    return tmp_path


@pytest.fixture
def granted(toru: Toru, host: Host, timers: Path) -> Iterator[Path]:
    """An operator has done what README.md says."""
    page = (EXAMPLES / "timers/README.md").read_text()
    toru.settings(page.partition("```toml\n")[2].partition("```")[0])
    commands = [line.strip() for line in page.splitlines() if line.startswith("    ")][1:]
    assert len(commands) == 3
    for command in commands:
        host.run(*command.split())
    try:
        yield timers
    finally:
        toru.disable("timers")
        host.run("userdel", "toru-plugin-timers")


@pytest.mark.req("META-4", "SEC-4", "LANG-1")
def test_without_the_profile_it_says_what_to_do(host: Host, timers: Path) -> None:
    problem = Api(host).get(PATH, expect=403)
    assert "trusted" in problem["detail"]
    assert 'sandbox = "trusted"' in problem["facts"]["grant"]
    acts = """
        await until(() => view.querySelector("pre"));
        said.blocks = [...view.querySelectorAll("pre")].map((it) => it.textContent);"""
    said = page_does(host, "timers", timers, acts)
    assert said["blocks"] == [problem["facts"]["grant"], problem["facts"]["commands"]]


@pytest.mark.req("SEC-4", "LANG-1")
def test_with_it_the_hosts_timers_are_there(host: Host, granted: Path) -> None:
    units = {
        "ticking.timer": "[Timer]\nOnActiveSec=1h\n",
        "ticking.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
        "failing.timer": "[Timer]\nOnActiveSec=1h\n",
        "failing.service": "[Unit]\nDescription=What fails\n[Service]\nType=oneshot\nExecStart=/bin/false\n",
    }
    for name, text in units.items():
        host.put(f"/etc/systemd/system/{name}", text)
    host.run("systemctl", "daemon-reload")
    try:
        host.run("systemctl", "start", "ticking.timer", "failing.timer")
        host.run("systemctl", "start", "failing.service", check=False)
        said = {row["timer"]: row for row in Api(host).get(PATH)}
        assert said["ticking.timer"]["unit"] == "ticking.service"
        assert said["ticking.timer"]["next"] > time.time()
        assert said["failing.timer"]["description"] == "What fails"
        assert (said["failing.timer"]["result"], said["failing.timer"]["exit_code"]) == ("exit-code", 1)
        acts = """
            await until(() => view.querySelector("td"));
            const row = [...view.querySelectorAll("tr")].find((it) => it.textContent.includes("failing.timer"));
            said.outcome = row.querySelector(".mark").textContent;
            said.isBad = row.querySelector(".mark").classList.contains("bad");"""
        assert page_does(host, "timers", granted, acts) == {"outcome": "exit-code, status 1", "isBad": True}
    finally:
        host.run("systemctl", "stop", "ticking.timer", "failing.timer")
        host.run("systemctl", "reset-failed", "failing.service")
        host.run("rm", *(f"/etc/systemd/system/{name}" for name in units))
        host.run("systemctl", "daemon-reload")
