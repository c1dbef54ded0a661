#!/usr/bin/python3
"""The host's systemd timers: when each runs next, and how its last run went. Needs the profile "trusted"."""

import asyncio
import json
from pathlib import Path
from typing import Any

from toru_plugin import Plugin, Refusal, Request

plugin = Plugin(
    id="timers",
    name="Timers",
    version="1.0.0",
    author="The Toru authors",
    icon="⏲️",
    route="/timers",
    description="systemd's timers: when each runs next, and how its last run went.",
    sandbox="trusted",
    start="on-demand",
    idle_timeout=300,
    bundle="bundle.js",
)
SHOWN = ("Id", "Description", "ActiveState", "Result", "ExecMainStatus")
# What an operator has to do, as README.md explains it.
GRANT = '[plugins.timers]\nsandbox = "trusted"'
COMMANDS = f"toru disable {plugin.id}\nuseradd --system toru-plugin-{plugin.id}\ntoru enable {plugin.id}"


def is_trusted() -> bool:
    """The other profiles hide the kernel's figures."""
    return Path("/proc/meminfo").exists()


async def systemctl(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "systemctl", "--no-pager", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    if b"Transport endpoint is not connected" in err:
        raise Refusal(503, "the system bus hangs up on a plugin whose user it can't look up", commands=COMMANDS)
    if process.returncode != 0:
        raise Refusal(502, f"systemctl says: {err.decode(errors='replace').strip()}")
    return out.decode()


async def last_runs(units: list[str]) -> dict[str, dict[str, str]]:
    """What systemd knows of these services, by name."""
    if not units:
        return {}
    shown = await systemctl("show", f"--property={','.join(SHOWN)}", "--", *units)
    runs = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in shown.strip().split("\n\n")]
    return {run["Id"]: run for run in runs}


@plugin.get("/timers")
async def timers(_request: Request) -> list[dict[str, Any]]:
    if not is_trusted():
        why = "this plugin needs the sandbox profile “trusted”, which only an operator can grant"
        raise Refusal(403, why, grant=GRANT, commands=COMMANDS)
    listed = json.loads(await systemctl("list-timers", "--all", "--output=json"))
    runs = await last_runs(sorted({timer["activates"] for timer in listed if timer["activates"]}))
    return [
        {
            "timer": timer["unit"],
            "unit": timer["activates"],
            "description": run.get("Description", ""),
            "next": seconds(timer["next"]),
            "last": seconds(timer["last"]),
            "state": run.get("ActiveState", ""),
            "result": run.get("Result", ""),
            "exit_code": int(run.get("ExecMainStatus") or 0),
        }
        for timer in listed
        for run in [runs.get(timer["activates"], {})]
    ]


def seconds(microseconds: int | None) -> float | None:
    return microseconds / 1e6 if microseconds else None


if __name__ == "__main__":
    plugin.run()
