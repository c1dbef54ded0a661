"""What the core says of a plugin's units and of its sandbox, beside what systemd's own tools say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru

DEFAULT, STRICT, TRUSTED, LOOSE, BARE = PLUGINS = ("plain", "locked", "host", "loose", "bare")

LOOSENED_BY_HAND = """[Service]
# What an operator might write.
ProtectHome=read-only
PrivateTmp=no
PrivateDevices=no
RestrictNamespaces=net uts
CapabilityBoundingSet=CAP_NET_ADMIN
SystemCallFilter=@mount
RestrictAddressFamilies=AF_PACKET
UMask=0022
ReadWritePaths=/srv
MemoryHigh=100M
Environment=SECRET=hush \\
    OTHER=1
"""

NOTHING_LEFT = "[Service]\nDynamicUser=no\nUser=root\nSystemCallFilter=\nRestrictAddressFamilies=\n" + "".join(
    f"{name}=no\n"
    for name in (
        *("NoNewPrivileges", "PrivateUsers", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices"),
        *("ProtectClock", "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules"),
        *("ProtectKernelTunables", "LockPersonality", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID"),
    )
)

SAID_BY_ONE_NAME = {"UserOrDynamicUser": "User", "DeviceAllow": "DevicePolicy"}
"""Where `systemd-analyze security` judges two settings as one, the one that tells it here."""

NOT_LOOKED_AT = {"BindPaths", "DeviceAllow", "DynamicUser", "ReadWritePaths"}
"""By `systemd-analyze security`; but they are ways around the sandbox."""


@pytest.fixture(scope="module")
def units(host: Host) -> Iterator[Mapping[str, Any]]:
    """What the core says of the units of each plugin, once for all tests."""
    toru = Toru(host)
    toru.settings(f'[plugins.{TRUSTED}]\nsandbox = "trusted"\n')
    for name, text in ((LOOSE, LOOSENED_BY_HAND), (BARE, NOTHING_LEFT), (STRICT, "[Service]\nPrivateNetwork=no\n")):
        host.run("mkdir", "-p", f"/etc/systemd/system/toru-plugin-{name}.service.d")
        host.put(override(name), text, 0o644)
    for name in PLUGINS:
        metadata = {"sandbox": "strict"} if name == STRICT else {}
        toru.plant(name, metadata={**metadata, "limits": {"memory": "64M", "cpu": 50}})
    toru.scan()
    api = Api(host)
    yield {name: api.get(f"/api/plugins/{name}/units") for name in PLUGINS}
    toru.clean_up()


def override(name: str) -> str:
    return f"/etc/systemd/system/toru-plugin-{name}.service.d/override.conf"


def settings(unit: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {setting["name"]: setting for group in unit["groups"] for setting in group["settings"]}


def loosened(units: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    return {it["setting"]: it for it in units[name]["sandbox"]["loosened"]}


def analysed(host: Host, name: str) -> dict[str, float]:
    """What `systemd-analyze security` finds exposed, and how much."""
    unit = f"toru-plugin-{name}.service"
    # It reports by its exit code too how it finds the unit.
    said = host.run("systemd-analyze", "security", "--no-pager", "--json=short", unit, check=False).stdout
    return {row["json_field"]: float(row["exposure"] or 0) for row in json.loads(said)}


@pytest.mark.req("SEC-4", "UI-1")
def test_settings_are_what_systemd_has_in_force(units: Mapping[str, Any], host: Host) -> None:
    for name in PLUGINS:
        service, socket = settings(units[name]["service"]), settings(units[name]["socket"])
        flags_and_words = [
            it["name"]
            for it in service.values()
            if it["kind"] in {"flag", "bytes"} or it["name"] in {"ProtectSystem", "ProtectHome", "DevicePolicy", "User"}
        ]
        same = {"RestrictNamespaces", "UMask", "TasksMax", "Restart", "StartLimitBurst", "Slice", "ReadWritePaths"}
        shown = host.show(f"toru-plugin-{name}.service", *flags_and_words, *same)
        assert {setting: service[setting]["value"] for setting in shown} == shown
        assert service["CPUQuota"]["value"] == "50%"
        assert service["StartLimitIntervalSec"]["value"] == "infinity"
        assert service["TimeoutStopSec"]["value"] == "5"
        assert socket["ListenStream"]["value"] == f"/run/toru/plugins/{name}.sock"
        of_socket = host.show(f"toru-plugin-{name}.socket", "SocketMode", "SocketGroup", "Backlog", "OnFailure")
        assert {setting: socket[setting]["value"] for setting in of_socket} == of_socket
    capabilities = host.show("toru-plugin-loose.service", "CapabilityBoundingSet")["CapabilityBoundingSet"]
    assert settings(units[LOOSE]["service"])["CapabilityBoundingSet"]["value"] == capabilities.upper()


@pytest.mark.req("SEC-4", "LIFE-5")
def test_each_drop_in_is_named_with_who_put_it_there(units: Mapping[str, Any], host: Host) -> None:
    for name in PLUGINS:
        unit = f"toru-plugin-{name}.service"
        service = units[name]["service"]
        shown = host.show(unit, "DropInPaths", "FragmentPath")
        assert [it["path"] for it in service["drop_ins"]] == shown["DropInPaths"].split()
        assert service["fragment_path"] == shown["FragmentPath"]
        origins = {it["path"]: it["origin"] for it in service["drop_ins"]}
        assert origins["/usr/lib/systemd/system/toru-plugin-.service.d/10-sandbox.conf"] == "toru"
        assert origins[f"/run/systemd/system/{unit}.d/20-profile.conf"] == "profile"
        assert origins.get(override(name), "ops") == "ops"
    held = settings(units[LOOSE]["service"])
    assert (held["MemoryHigh"]["set_by"], held["MemoryHigh"]["origin"]) == (override(LOOSE), "ops")
    assert (held["ProtectClock"]["origin"], held["MemoryMax"]["origin"]) == ("toru", None)
    assert held["MemoryMax"]["set_by"] == units[LOOSE]["service"]["fragment_path"]
    assert held["MemorySwapMax"]["set_by"] is None


@pytest.mark.req("SEC-4", "SEC-5")
def test_what_ops_wrote_is_shown_but_for_what_may_be_secret(units: Mapping[str, Any]) -> None:
    (by_ops,) = [it for it in units[LOOSE]["service"]["drop_ins"] if it["origin"] == "ops"]
    written = {it["name"]: it for it in by_ops["settings"]}
    assert (written["PrivateDevices"]["value"], written["PrivateDevices"]["in_force"]) == ("no", True)
    assert written["Environment"]["value"] is None
    assert "hush" not in json.dumps(units[LOOSE])


@pytest.mark.req("SEC-4")
def test_the_grade_says_how_much_of_the_sandbox_is_left(units: Mapping[str, Any], host: Host) -> None:
    grades = {name: units[name]["sandbox"]["grade"] for name in PLUGINS}
    assert grades == {DEFAULT: "good", STRICT: "loosened", TRUSTED: "loosened", LOOSE: "loosened", BARE: "open"}
    assert loosened(units, DEFAULT) == {}
    lost = loosened(units, STRICT)
    assert set(lost) == {"PrivateNetwork"}
    assert (lost["PrivateNetwork"]["set_by"], lost["PrivateNetwork"]["origin"]) == (override(STRICT), "ops")
    by_profile = loosened(units, TRUSTED)
    assert {it["origin"] for it in by_profile.values()} == {"profile"}
    assert by_profile["ProtectProc"]["meaning"] == "It sees everybody’s processes."
    assert by_profile["RestrictAddressFamilies"]["meaning"].endswith("AF_NETLINK.")
    by_hand = loosened(units, LOOSE)
    assert {it["set_by"] for it in by_hand.values()} == {override(LOOSE)}
    assert by_hand["SystemCallFilter"]["meaning"] == "It may make system calls of @mount @privileged."
    assert by_hand["CapabilityBoundingSet"]["meaning"] == "Its processes may come to hold CAP_NET_ADMIN."
    assert units[BARE]["sandbox"]["loosened"][0]["meaning"] == "It runs as root."


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("name", [TRUSTED, LOOSE, BARE])
def test_what_loosens_a_sandbox_is_what_systemds_own_analysis_finds(
    units: Mapping[str, Any], host: Host, name: str
) -> None:
    sound, found = analysed(host, DEFAULT), analysed(host, name)
    exposed = {field.partition("_")[0] for field, much in found.items() if much > sound[field]}
    exposed.discard("PrivateMounts")  # what follows from other settings, as long as one of them stands
    by_systemd = {SAID_BY_ONE_NAME.get(setting, setting) for setting in exposed}
    assert loosened(units, name).keys() - NOT_LOOKED_AT == by_systemd
