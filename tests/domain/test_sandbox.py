"""How well a sandbox holds, by the settings that are in force."""

from __future__ import annotations

import pytest

from toru.domain.manifest import Sandbox
from toru.domain.sandbox import Grade, Weight, assess

pytestmark = pytest.mark.req("SEC-4")

FLAGS = (
    *("DynamicUser", "NoNewPrivileges", "PrivateUsers", "PrivateTmp", "PrivateDevices", "ProtectClock", "ProtectHome"),
    *("ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables"),
    *("LockPersonality", "RemoveIPC", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID"),
)

SOUND = {
    **dict.fromkeys(FLAGS, "yes"),
    "User": "toru-plugin-web",
    "ProtectSystem": "strict",
    "DevicePolicy": "closed",
    "DeviceAllow": "char-rtc r",
    "ProtectProc": "invisible",
    "ProcSubset": "pid",
    "KeyringMode": "private",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": "accept bind close read write",
    "UMask": "0077",
    "Delegate": "no",
    "NotifyAccess": "main",
    "PrivateNetwork": "no",
    "MemoryDenyWriteExecute": "no",
    "IPAddressDeny": "",
}

STRICT = {
    "PrivateNetwork": "yes",
    "MemoryDenyWriteExecute": "yes",
    "IPAddressDeny": "any",
    "RestrictAddressFamilies": "AF_UNIX",
}


def test_the_default_is_good_and_strict_is_tight() -> None:
    assert assess(SOUND, Sandbox.DEFAULT).grade is Grade.GOOD
    assert assess({**SOUND, **STRICT}, Sandbox.STRICT).grade is Grade.TIGHT
    assert assess({**SOUND, **STRICT}, Sandbox.STRICT).loosened == ()


def test_more_is_expected_of_the_profile_strict() -> None:
    assessment = assess(SOUND, Sandbox.STRICT)
    assert assessment.grade is Grade.LOOSENED
    assert {it.setting for it in assessment.loosened} == set(STRICT)
    assert assess(SOUND, Sandbox.TRUSTED).loosened == ()


# setting, its value → what that lets the plugin do
MEANINGS = [
    ("User", "root", "It runs as root."),
    ("User", "", "It runs as root."),
    ("CapabilityBoundingSet", "CAP_NET_ADMIN CAP_KILL", "Its processes may come to hold CAP_NET_ADMIN CAP_KILL."),
    ("CapabilityBoundingSet", "~", "Its processes may come to hold every capability."),
    ("SupplementaryGroups", "disk", "It may do what members of disk may."),
    ("ReadWritePaths", "/srv", "It may write to /srv, as far as the modes there let it."),
    ("DeviceAllow", "char-rtc r, /dev/ttyUSB0 rw", "It may use /dev/ttyUSB0 rw, if the modes there let it."),
    ("SystemCallFilter", "", "It may make system calls of every group."),
    ("SystemCallFilter", "read mount reboot", "It may make system calls of @mount @reboot."),
    ("UMask", "0022", "Others may read the files that it makes."),
    (
        "RestrictAddressFamilies",
        "AF_UNIX AF_NETLINK",
        "It may open sockets of kinds that few programs need: AF_NETLINK.",
    ),
    ("RestrictAddressFamilies", "", "It may open sockets of kinds that few programs need: every kind."),
    (
        "RestrictAddressFamilies",
        "~AF_PACKET",
        "It may open sockets of kinds that few programs need: all but AF_PACKET.",
    ),
]


@pytest.mark.parametrize(("setting", "value", "meaning"), MEANINGS)
def test_what_a_wall_that_is_down_lets_through(setting: str, value: str, meaning: str) -> None:
    (found,) = assess({**SOUND, setting: value}, Sandbox.DEFAULT).loosened
    assert (found.setting, found.value, found.meaning) == (setting, value, meaning)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("UMask", "0177"),
        ("RestrictAddressFamilies", "none"),
        ("SystemCallFilter", "none"),
        ("ProtectHome", "tmpfs"),
        ("NotifyAccess", "none"),
        ("DevicePolicy", "strict"),
    ],
)
def test_what_is_tighter_than_ours_loosens_nothing(setting: str, value: str) -> None:
    assert assess({**SOUND, setting: value}, Sandbox.DEFAULT).loosened == ()


def test_a_filter_that_names_what_it_denies_lets_the_rest_through() -> None:
    (found,) = assess({**SOUND, "SystemCallFilter": "~swapon swapoff"}, Sandbox.DEFAULT).loosened
    assert "@swap" not in found.meaning
    assert "@mount" in found.meaning


@pytest.mark.parametrize("setting", sorted(SOUND.keys() - STRICT.keys() - {"DeviceAllow"}))
def test_what_systemd_does_not_tell_of_counts_as_a_wall_that_is_down(setting: str) -> None:
    known = {name: value for name, value in SOUND.items() if name != setting}
    assert [it.setting for it in assess(known, Sandbox.DEFAULT).loosened] == [setting]


def test_as_root_or_with_hardly_a_wall_it_is_open_and_the_worst_comes_first() -> None:
    as_root = assess({**SOUND, "ProcSubset": "all", "User": "root"}, Sandbox.DEFAULT)
    assert as_root.grade is Grade.OPEN
    assert [it.weight for it in as_root.loosened] == [Weight.SEVERE, Weight.MINOR]
    assert assess({"User": "nobody"}, Sandbox.DEFAULT).grade is Grade.OPEN
