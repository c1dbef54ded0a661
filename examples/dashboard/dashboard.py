#!/usr/bin/python3
"""How the host is doing, live. It runs only while somebody looks: a request wakes it, and a minute later it sleeps."""

import asyncio
import ctypes
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from toru_plugin import Plugin, Request, Response, events

plugin = Plugin(
    id="dashboard",
    name="Host dashboard",
    version="1.0.0",
    author="The Toru authors",
    icon="📈",
    route="/dashboard",
    description="Load, memory, network and disk of this host, live.",
    start="on-demand",
    idle_timeout=60,
    bundle="bundle.js",
)
EVERY = 1.0


class SysInfo(ctypes.Structure):
    """sysinfo(2): what a sandbox without /proc/meminfo still tells."""

    _fields_ = (
        ("uptime", ctypes.c_long),
        ("loads", ctypes.c_ulong * 3),
        *((name, ctypes.c_ulong) for name in ("total", "free", "shared", "buffers", "total_swap", "free_swap")),
        ("processes", ctypes.c_ushort),
        ("padding", ctypes.c_ushort),
        *((name, ctypes.c_ulong) for name in ("total_high", "free_high")),
        ("unit", ctypes.c_uint),
        ("reserved", ctypes.c_char * 8),
    )


def sysinfo() -> SysInfo:
    libc, info = ctypes.CDLL(None, use_errno=True), SysInfo()
    if libc.sysinfo(ctypes.byref(info)):
        raise OSError(ctypes.get_errno(), "sysinfo")
    return info


def free_memory(info: SysInfo) -> int:
    """With what the kernel would give up at once, where it says how much that is."""
    nodes = list(Path("/sys/devices/system/node").glob("node[0-9]*/meminfo"))
    if not nodes:
        return int((info.free + info.buffers) * info.unit)
    lines = [line.split() for node in nodes for line in node.read_text().splitlines()]
    wanted = {"MemFree:", "Active(file):", "Inactive(file):", "SReclaimable:"}
    return sum(int(line[3]) * 1024 for line in lines if line[2] in wanted)


def network() -> tuple[int, int]:
    """Bytes received and sent since the host was started, over all but the loopback."""
    received = sent = 0
    for interface in Path("/sys/class/net").iterdir():
        if interface.name != "lo":
            received += int((interface / "statistics/rx_bytes").read_text())
            sent += int((interface / "statistics/tx_bytes").read_text())
    return received, sent


def sample() -> dict[str, Any]:
    info, disk = sysinfo(), shutil.disk_usage("/")
    received, sent = network()
    total = info.total * info.unit
    return {
        "at": time.time(),
        "uptime": info.uptime,
        "processors": os.cpu_count(),
        "load": [load / 65536 for load in info.loads],
        "processes": info.processes,
        "memory": {"total": total, "used": total - min(total, free_memory(info))},
        "disk": {"total": disk.total, "used": disk.used},
        "network": {"received": received, "sent": sent},
    }


async def samples() -> AsyncIterator[dict[str, Any]]:
    while True:
        yield sample()
        await asyncio.sleep(EVERY)


@plugin.get("/figures")
async def figures(_request: Request) -> dict[str, Any]:
    return sample()


@plugin.get("/live")
async def live(_request: Request) -> Response:
    return events(samples())


if __name__ == "__main__":
    plugin.run()
