"""The front end's own gate: types, linters, unit tests, and that it knows the API as it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.frontend import types
from tests.frontend.types import FRONTEND, SCHEMA

BIN = FRONTEND / "node_modules/.bin"

PROGRAMS: dict[str, list[str | Path]] = {
    "tsc": [BIN / "tsc", "--noEmit"],
    "biome": [BIN / "biome", "ci", "--colors=off"],
    "vitest": [BIN / "vitest", "run"],
}

# From the bottom up: each may import those before it, and itself.
LAYERS = ("api", "words", "live", "ui", "parts", "features", "routes")


def ran(command: Sequence[str | Path], cwd: Path = FRONTEND) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_the_front_ends_own_tools_find_nothing(command: list[str | Path]) -> None:
    done = ran(command)
    if done.returncode != 0:
        pytest.fail(done.stdout + done.stderr, pytrace=False)


@pytest.mark.req("API-7")
def test_the_front_end_knows_the_api_as_it_is(tmp_path: Path) -> None:
    types.write(tmp_path / "schema.d.ts")
    assert (tmp_path / "schema.d.ts").read_text() == SCHEMA.read_text(), "the API has changed: make types"


@pytest.mark.req("UI-1")
def test_a_state_that_has_no_look_does_not_compile(tmp_path: Path) -> None:
    copy = tmp_path / "frontend"
    shutil.copytree(FRONTEND, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(FRONTEND / "node_modules")
    schema = copy / "src/api/schema.d.ts"
    text, count = re.subn(r'(State: "stopped")', r'\1 | "dancing"', schema.read_text())
    assert count == 1
    schema.write_text(text)
    done = ran([copy / "node_modules/.bin/tsc", "--noEmit"], copy)
    assert done.returncode != 0
    assert "src/parts/appearance.ts" in done.stdout
    assert "dancing" in done.stdout


def test_imports_point_down_and_features_leave_each_other_alone() -> None:
    wrong = []
    for file in sorted((FRONTEND / "src").rglob("*.ts*")):
        place = file.relative_to(FRONTEND / "src").parts
        if len(place) == 1:
            continue  # main.tsx
        for target in re.findall(r'(?:from|import\() ?"@/([\w/.-]+)"', file.read_text()):
            layer, *rest = target.split("/")
            if layer == "styles":
                continue
            is_up = LAYERS.index(layer) > LAYERS.index(place[0])
            is_across = layer == place[0] == "features" and rest[0] != place[1]
            if is_up or is_across:
                wrong.append(f"{'/'.join(place)} imports {target}")
    assert wrong == []


def test_the_lock_names_no_host() -> None:
    assert "://" not in re.sub(r'"url": "[^"]*"', "", (FRONTEND / "package-lock.json").read_text())


def test_nothing_in_the_source_speaks_to_elsewhere() -> None:
    named = set()
    for file in (FRONTEND / "src").rglob("*"):
        if file.suffix in {".ts", ".tsx", ".css"} and file != SCHEMA:
            named |= set(re.findall(r"https?://[\w.-]+", file.read_text()))
    assert named == set()
