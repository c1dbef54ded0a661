"""`toru check`, as an author runs it: in a pipe, without a host."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TREE = Path(__file__).parents[2]
PLUGINS = TREE / "tests" / "plugins"
BROKEN = PLUGINS / "broken"
TORU = Path(sys.prefix, "bin", "toru")

QUICK = ("--timeout", "10")
"""Where silence is the fault, so many seconds of it are enough."""


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([TORU, "check", *arguments], capture_output=True, text=True, check=False)


def verdicts(said: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    """Outcome and sentence of each check."""
    assert said.stderr == ""
    rows = [line.split("\t") for line in said.stdout.splitlines()]
    return {name: (outcome, sentence) for outcome, _group, name, sentence in rows}


def document(*arguments: str | Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(check(*arguments, "--json").stdout)
    return content
