"""How well a plugin is sandboxed: which walls stand, and what it may do where one doesn't.

It is judged by what systemd has in force, in the words of a unit file, and not by what a profile promises: whatever ops
write into a drop-in counts. A wall is what Toru's own sandbox sets (units/toru-plugin-.service.d/10-sandbox.conf, and
units/profiles/strict.conf for the strict ones), and a few settings that would be a way around it. Figures of
`systemd-analyze security` are not repeated here: its weights change with its versions. A test holds this table to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from toru.domain.manifest import Sandbox


class Grade(StrEnum):
    TIGHT = "tight"
    """Every wall stands, and those of the profile `strict` as well."""
    GOOD = "good"
    """Every wall stands that Toru puts up by default."""
    LOOSENED = "loosened"
    OPEN = "open"
    """It runs as root, or hardly a wall is left."""


class Weight(StrEnum):
    """How much it matters that a wall is down."""

    MINOR = "minor"
    """Mostly it may see more."""
    MAJOR = "major"
    """It may reach or change what isn't its own."""
    SEVERE = "severe"
    """The other walls are worth little without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loosening:
    """A wall that is down, and what that means."""

    setting: str
    value: str
    kept: str
    """The value with which it would stand."""
    meaning: str
    weight: Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    grade: Grade
    loosened: tuple[Loosening, ...]
    """What matters most comes first."""


@dataclass(frozen=True, slots=True)
class _Wall:
    setting: str
    kept: str
    excess: Callable[[str], str]
    """What of a value is beyond the wall; "" where that stands."""
    meaning: str
    weight: Weight = Weight.MAJOR


_CALL_GROUPS: Mapping[str, Collection[str]] = {
    "@clock": {"adjtimex", "clock_adjtime", "clock_settime", "settimeofday"},
    "@cpu-emulation": {"modify_ldt", "subpage_prot", "vm86"},
    "@debug": {"perf_event_open", "pidfd_getfd", "ptrace"},
    "@module": {"delete_module", "finit_module", "init_module"},
    "@mount": {"mount", "move_mount", "pivot_root", "umount2"},
    "@obsolete": {"create_module", "uselib", "ustat"},
    "@privileged": {"bpf", "chroot", "chown", "setuid"},
    "@raw-io": {"ioperm", "iopl", "pciconfig_write"},
    "@reboot": {"kexec_load", "reboot"},
    "@resources": {"sched_setscheduler", "setpriority", "set_mempolicy"},
    "@swap": {"swapoff", "swapon"},
}
"""Groups that our filter leaves no call of, each with a few calls that tell whether another filter does."""


def _but(*kept: str) -> Callable[[str], str]:
    return lambda value: "" if value in kept else value or "nothing"


def _any_of(value: str) -> str:
    return value


def _beyond(*kept: str) -> Callable[[str], str]:
    """Of a list of what is allowed, what is allowed beyond this. "none" allows nothing; "~…" all but what follows."""

    def excess(value: str) -> str:
        if value == "none":
            return ""
        if value in {"", "~"}:
            return "every kind"
        if value.startswith("~"):
            return f"all but {value[1:]}"
        return " ".join(word for word in value.split() if word not in kept)

    return excess


def _capabilities(value: str) -> str:
    return "every capability" if value == "~" else value


def _calls(value: str) -> str:
    """Which groups of system calls a filter lets something through of."""
    allows = not value.startswith("~")
    named = frozenset(value.removeprefix("~").split())
    if not named and value != "none":
        return "every group"
    return " ".join(group for group, calls in _CALL_GROUPS.items() if any((call in named) is allows for call in calls))


def _mask(value: str) -> str:
    return "" if value and int(value, 8) & 0o077 == 0o077 else value or "nothing"


def _user(value: str) -> str:
    return "root" if value in {"", "root", "0"} else ""


def _devices(value: str) -> str:
    # PrivateDevices= and ProtectClock= put the clock there by themselves, to be read.
    return ", ".join(device for device in value.split(", ") if device and device != "char-rtc r")


_MINOR = Weight.MINOR


def _yes(setting: str, meaning: str, weight: Weight = Weight.MAJOR) -> _Wall:
    return _Wall(setting, "yes", _but("yes"), meaning, weight)


_DEFAULT = (
    _Wall("User", "a user of its own", _user, "It runs as root.", Weight.SEVERE),
    _yes("DynamicUser", "Its user may be somebody else’s too, and own files elsewhere.", _MINOR),
    _yes("NoNewPrivileges", "Programs that it starts may be more than it is, such as sudo."),
    _Wall("CapabilityBoundingSet", "none", _capabilities, "Its processes may come to hold {}."),
    _Wall("AmbientCapabilities", "none", _capabilities, "It holds {} from its start on."),
    _Wall("SupplementaryGroups", "none", _any_of, "It may do what members of {} may."),
    _yes("PrivateUsers", "It sees who the other users of the host are.", _MINOR),
    _Wall("ProtectSystem", "strict", _but("strict"), "It may write to the host’s files, as far as their modes let it."),
    _Wall("ReadWritePaths", "none", _any_of, "It may write to {}, as far as the modes there let it."),
    _Wall("BindPaths", "none", _any_of, "Places of the host are within its reach, to be written to: {}."),
    _Wall("ProtectHome", "yes", _but("yes", "tmpfs"), "It sees home directories, as far as their modes let it."),
    _Wall("PrivateTmp", "yes", _but("yes", "disconnected"), "It shares /tmp with everybody else."),
    _yes("PrivateDevices", "It sees the host’s devices, disks too; most are kept from it by their modes alone."),
    _Wall("DevicePolicy", "closed", _but("closed", "strict"), "No list says which devices it may use.", _MINOR),
    _Wall("DeviceAllow", "none", _devices, "It may use {}, if the modes there let it.", _MINOR),
    _yes("ProtectClock", "Nothing but being no root keeps it from setting the clock."),
    _yes("ProtectControlGroups", "Nothing but being no root keeps it from changing control groups, and so limits."),
    _yes("ProtectHostname", "Nothing but being no root keeps it from renaming the host.", _MINOR),
    _yes("ProtectKernelLogs", "It may read the kernel’s log, where the host lets everybody.", _MINOR),
    _yes("ProtectKernelModules", "Nothing but being no root keeps it from loading kernel modules."),
    _yes("ProtectKernelTunables", "Nothing but being no root keeps it from changing the kernel’s settings."),
    _Wall("ProtectProc", "invisible", _but("invisible", "noaccess"), "It sees everybody’s processes.", _MINOR),
    _Wall("ProcSubset", "pid", _but("pid"), "It sees the host’s figures in /proc: memory, processors, mounts.", _MINOR),
    _Wall("KeyringMode", "private", _but("private"), "It shares the kernel’s keys with others of its user.", _MINOR),
    _yes("LockPersonality", "It may have the kernel behave as another system’s.", _MINOR),
    _yes("RemoveIPC", "What it shares in memory stays when it ends.", _MINOR),
    _Wall(
        "RestrictAddressFamilies",
        "AF_UNIX AF_INET AF_INET6",
        _beyond("AF_UNIX", "AF_INET", "AF_INET6"),
        "It may open sockets of kinds that few programs need: {}.",
    ),
    _yes("RestrictNamespaces", "It may make namespaces, in which much more of the kernel is within reach."),
    _yes("RestrictRealtime", "It may ask for a processor for itself alone.", _MINOR),
    _yes("RestrictSUIDSGID", "It may make files that run as their owner, whoever starts them."),
    _Wall(
        "SystemCallArchitectures", "native", _but("native"), "What a filter keeps back, other architectures’ calls do."
    ),
    _Wall("SystemCallFilter", "@system-service ~@privileged @resources", _calls, "It may make system calls of {}."),
    _Wall("UMask", "0077", _mask, "Others may read the files that it makes.", _MINOR),
    _Wall("Delegate", "no", _but("no"), "It rules over a control group of its own.", _MINOR),
    _Wall("NotifyAccess", "main", _but("none", "main", "exec"), "All its processes may tell how it does.", _MINOR),
)

_STRICT = (
    _yes("PrivateNetwork", "It has a network."),
    _Wall("IPAddressDeny", "any", _but("any"), "It may talk to addresses of the network."),
    _Wall("RestrictAddressFamilies", "AF_UNIX", _beyond("AF_UNIX"), "It may open sockets of these kinds: {}."),
    _yes("MemoryDenyWriteExecute", "It may write code into its memory and run it.", _MINOR),
)

FOLLOWS: Mapping[str, str] = {"DevicePolicy": "PrivateDevices", "User": "DynamicUser"}
"""Settings that have their value from another one, where no file speaks of them."""

_ORDER = tuple(reversed(Weight))


def assess(settings: Mapping[str, str], profile: Sandbox) -> Assessment:
    """Judges a service by its settings. `profile`: where that is `strict`, so much is expected of it."""
    by_default = tuple(_loosened(_DEFAULT, settings))
    for_strict = tuple(_loosened(_STRICT, settings))
    loosened = by_default
    if profile is Sandbox.STRICT:
        stricter = {it.setting for it in for_strict}
        loosened = (*(it for it in by_default if it.setting not in stricter), *for_strict)
    return Assessment(
        grade=_grade(by_default, for_strict, loosened),
        loosened=tuple(sorted(loosened, key=lambda it: _ORDER.index(it.weight))),
    )


def settings_of_walls() -> frozenset[str]:
    """What has to be known of a service to judge it."""
    return frozenset(wall.setting for wall in (*_DEFAULT, *_STRICT))


def _grade(
    by_default: Collection[Loosening], for_strict: Collection[Loosening], loosened: Collection[Loosening]
) -> Grade:
    if any(it.weight is Weight.SEVERE for it in by_default) or 2 * len(by_default) > len(_DEFAULT):
        return Grade.OPEN
    if loosened:
        return Grade.LOOSENED
    return Grade.GOOD if for_strict else Grade.TIGHT


def _loosened(walls: Collection[_Wall], settings: Mapping[str, str]) -> Iterator[Loosening]:
    for wall in walls:
        value = settings.get(wall.setting, "")
        if excess := wall.excess(value):
            yield Loosening(
                setting=wall.setting,
                value=value,
                kept=wall.kept,
                meaning=wall.meaning.format(excess),
                weight=wall.weight,
            )
