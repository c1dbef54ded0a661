"""`toru doctor`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.command import Command
from tests.hosts.host import Host

pytestmark = pytest.mark.req("OPS-3")

CHECKS = [
    "systemd",
    "polkit",
    "toru.socket",
    "toru.service",
    "toru-plugins.service",
    "toru-scan.path",
    "units",
    "sandbox",
    "libnss-systemd",
    "credentials",
    "limits",
    "journal",
    "users",
    "settings",
    "watch",
    "directory",
    "config.json",
    "scan",
]


def findings(toru: Command) -> dict[str, list[str]]:
    return {row[1]: [row[0], *row[2:]] for row in toru.table("doctor")}


@contextmanager
def settings(host: Host, text: str) -> Iterator[None]:
    host.put("/etc/toru/toru.toml.d/test.toml", text)
    try:
        yield
    finally:
        host.run("rm", "/etc/toru/toru.toml.d/test.toml")


def test_every_check_says_what_it_found(toru: Command) -> None:
    found = findings(toru)
    assert list(found) == CHECKS
    assert {found[check][0] for check in ("systemd", "polkit", "units", "sandbox", "credentials", "users")} == {"ok"}
    assert found["systemd"][1] == f"systemd {toru.host.systemd_version} answers on the system bus"
    assert found["scan"] == ["warn", "1 file is rejected", "toru list says why"]


def test_a_unit_that_is_stopped_is_bad(toru: Command) -> None:
    toru.host.run("systemctl", "stop", "toru-scan.path")
    try:
        said = toru("doctor", "--json")
    finally:
        toru.host.run("systemctl", "start", "toru-scan.path")
    document = json.loads(said.stdout)
    assert (said.returncode, document["healthy"]) == (1, False)
    assert {
        "level": "bad",
        "check": "toru-scan.path",
        "sentence": "it is inactive",
        "remedy": "systemctl start toru-scan.path",
    } in document["findings"]


def test_settings_with_a_mistake_are_bad(toru: Command) -> None:
    with settings(toru.host, "[restart]\nfish = 1\n"):
        level, sentence, _remedy = findings(toru)["settings"]
    assert (level, sentence) == ("bad", "/etc/toru/toru.toml.d/test.toml:2: restart.fish is not a setting")


def test_a_plugins_directory_with_everything_wrong_is_bad(toru: Command) -> None:
    toru.host.put("/srv/plugins/.metadata/config.json", "{")
    toru.host.run("chmod", "777", "/srv/plugins")
    with settings(toru.host, 'plugins_dir = "/srv/plugins"\n'):
        found = findings(toru)
    assert {found[check][0] for check in ("watch", "directory", "config.json")} == {"bad"}
    assert found["directory"][1:] == [
        "others than its owner may put programs into the plugins directory /srv/plugins",
        "chmod go-w /srv/plugins",
    ]


def test_without_a_bus_there_is_one_thing_wrong(toru: Command) -> None:
    nowhere = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere"
    first, *_ = toru.host.run("env", nowhere, "toru", "doctor", check=False).stdout.splitlines()
    assert first.startswith("bad\tsystemd\tthe system bus can't be reached")
    said = toru.host.run("env", nowhere, "toru", "list", user="nobody", check=False)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("toru: the system bus can't be reached")


def test_a_person_sees_marks_and_remedies(toru: Command) -> None:
    said = toru.on_terminal("doctor")
    assert "\x1b[32m✓ ok" in said
    assert "→ toru list says why" in said
