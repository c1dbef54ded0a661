"""What the check asks of others, the examples keep."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.check.command import TREE, check, verdicts

EXAMPLES = sorted(build.parent.name for build in TREE.glob("examples/*/build.sh"))


@pytest.mark.req("LANG-1", "LANG-2", "LANG-3")
@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_passes(tmp_path: Path, example: str) -> None:
    subprocess.run(["sh", TREE / "examples" / example / "build.sh", tmp_path], check=True, capture_output=True)
    said = check(tmp_path / f"{example}.binary")
    assert [sentence for outcome, sentence in verdicts(said).values() if outcome == "failed"] == []
    assert said.returncode == 0
