"""How long the programs take to start."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.bench.driver import hush, plant, property_of, run
from tests.bench.measure import Asked, Moments, Part, side_by_side, took
from toru.admin.lifecycle import instance_id
from toru.domain.ids import PluginId

TITLE = "Start: the programs themselves"

SHOWN = 12
NOTHING = "python3 -I -c pass"


def measure(asked: Asked) -> Part:
    hush()
    old = PluginId("old")
    plant(old, "toru1.py")
    run("systemctl", "start", "toru-scan.service")
    # As systemd calls it beside the plugin.
    os.environ |= {"MAINPID": property_of(old.service, "MainPID"), "TORU_INSTANCE_ID": instance_id()}
    commands = {
        NOTHING: [sys.executable, "-I", "-c", "pass"],
        "toru-admin --help": ["/usr/bin/toru-admin", "--help"],
        "toru-admin greet": ["/usr/bin/toru-admin", "greet", "--", old],
        "toru-admin enable (of an enabled plugin)": ["/usr/bin/toru-admin", "enable", "--", old],
        "toru --help": ["/usr/bin/toru", "--help"],
        "toru list (of one plugin)": ["/usr/bin/toru", "list"],
    }

    def started(row: str, command: list[str]) -> Moments:
        return {row: took(lambda: run(*command))}

    rows = side_by_side(
        asked.rounds * 2,
        [lambda row=row, command=command: started(row, command) for row, command in commands.items()],  # type: ignore[misc]
        {row: NOTHING for row in commands if row != NOTHING},
    )
    notes = []
    if asked.verbose:
        for row, command in commands.items():
            if row != NOTHING:
                notes.append(f"{row} imports, by time of their own:\n{_imports(command)}")
    return Part(rows, notes)


def _imports(command: list[str]) -> str:
    """The modules that took longest, their own time and that of all that they pulled in."""
    python = [sys.executable, "-I", "-X", "importtime"]
    said = subprocess.run([*python, *command], capture_output=True, text=True, check=False).stderr
    found = re.findall(r"^import time:\s+(\d+) \|\s+(\d+) \| (\s*\S+)$", said, re.MULTILINE)
    slowest = sorted(found, key=lambda entry: -int(entry[0]))[:SHOWN]
    lines = [f"  {int(own) / 1000:6.1f} ms {int(all_) / 1000:6.1f} ms {name.strip()}" for own, all_, name in slowest]
    return "\n".join([f"  {len(found)} modules", *lines])


STEPS = (measure,)
