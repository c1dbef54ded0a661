"""Plugins on the SDK, built into one file as an author builds them, and dropped into a host's plugins directory."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.toru import Toru

SDK = Path(__file__).parents[3] / "sdk" / "python"
Planted = Callable[..., None]


def build(program: Path, *more: str | Path, to: Path) -> Path:
    """By `python -m toru_plugin build`; the file."""
    command = [sys.executable, "-m", "toru_plugin", "build", str(program), *map(str, more), "--to", str(to)]
    environment = {**os.environ, "PYTHONPATH": str(SDK)}
    built = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return Path(built.stdout.strip())


@pytest.fixture
def planted(toru: Toru, tmp_path: Path) -> Planted:
    """Call it with an id, the body of a program that defines handlers on `plugin`, and metadata."""

    def plant(plugin_id: str, body: str, **metadata: object) -> None:
        said = {"id": plugin_id, "name": f"The {plugin_id}", "route": f"/{plugin_id}", **metadata}
        program = tmp_path / "program.py"
        program.write_text(
            "import asyncio, os, signal, sys, threading, time\nfrom toru_plugin import *\n"
            f"plugin = Plugin(**{said!r})\n{textwrap.dedent(body)}\nplugin.run()\n"
        )
        toru.drop(f"{plugin_id}.binary", build(program, to=tmp_path).read_bytes())
        toru.scan()

    return plant
