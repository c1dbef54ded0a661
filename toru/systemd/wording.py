"""Values of unit properties as one would write them into a unit file (org.freedesktop.systemd1(5), systemd.exec(5))."""

from __future__ import annotations

import ipaddress
from typing import Any

_INFINITY = 2**64 - 1

_BITS_OF_CAPABILITIES = (
    *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID"),
    *("CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST"),
    *("CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"),
    *("CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE"),
    *("CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE"),
    *("CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM"),
    *("CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"),
)
"""capabilities(7), in the kernel's order."""

_NAMESPACES = {
    0x02000000: "cgroup",
    0x08000000: "ipc",
    0x40000000: "net",
    0x00020000: "mnt",
    0x20000000: "pid",
    0x10000000: "user",
    0x04000000: "uts",
}
"""clone(2). systemd's property says which ones may be made."""


def word(value: Any) -> str:
    return str(value)


def flag(value: Any) -> str:
    return "yes" if value else "no"


def amount(value: Any) -> str:
    return "infinity" if value == _INFINITY else str(value)


def weight(value: Any) -> str:
    """Nothing where it has none of its own."""
    return "" if value == _INFINITY else str(value)


def seconds(value: Any) -> str:
    return "infinity" if value == _INFINITY else f"{value / 1_000_000:.6f}".rstrip("0").rstrip(".")


def quota(value: Any) -> str:
    """Microseconds of processor time a second."""
    return "" if value == _INFINITY else f"{value / 10_000:g}%"


def mode(value: Any) -> str:
    return f"{value:04o}"


def words(value: Any) -> str:
    return " ".join(value)


def list_of(value: Any) -> str:
    """What is allowed, or `~` and what is not; "" for no such list, "none" where nothing is allowed."""
    is_allowed, names = value
    bare = [name.partition(":")[0] for name in names]
    if is_allowed:
        return " ".join(bare) or "none"
    return f"~{' '.join(bare)}" if bare else ""


def capabilities(value: Any) -> str:
    everything = 2 ** len(_BITS_OF_CAPABILITIES) - 1
    if value & everything == everything:
        return "~"
    known = [name for bit, name in enumerate(_BITS_OF_CAPABILITIES) if value >> bit & 1]
    newer = [str(bit) for bit in range(len(_BITS_OF_CAPABILITIES), 64) if value >> bit & 1]
    return " ".join((*known, *newer))


def namespaces(value: Any) -> str:
    """What `RestrictNamespaces=` says: "yes" if none may be made, "no" if all may, else those that may."""
    may = [name for bit, name in _NAMESPACES.items() if value & bit]
    if not may:
        return "yes"
    return "no" if len(may) == len(_NAMESPACES) else " ".join(may)


def addresses(value: Any) -> str:
    found = [f"{ipaddress.ip_address(bytes(address))}/{prefix}" for _family, address, prefix in value]
    return "any" if {"0.0.0.0/0", "::/0"} <= set(found) else " ".join(found)


def mounts(value: Any) -> str:
    return " ".join(
        source if source == destination else f"{source}:{destination}" for source, destination, *_options in value
    )


def devices(value: Any) -> str:
    return ", ".join(f"{device} {access}" for device, access in value)


def commands(value: Any) -> str:
    return "; ".join(" ".join(argv) for _path, argv, *_facts in value)


def listening(value: Any) -> str:
    return " ".join(address for _kind, address in value)
