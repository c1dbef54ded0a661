"""All of it or nothing, whenever somebody pulls the plug."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toru.moving.swap import Move, Plan, SwapFailed, carry_out, recover

pytestmark = pytest.mark.req("OPS-3", "KV-3")

# Carries a plan out, and is killed after so many renames.
KILLED = """
import os, signal, sys
from pathlib import Path
from toru.moving import swap
place, left = Path(sys.argv[1]), int(sys.argv[2])
sys.path.insert(0, sys.argv[3])
from tests.moving.test_swap import plan_of
rename, done = Path.rename, 0
def counted(self, target):
    global done
    if self.parent.name != "root" and not self.name.startswith(".plan"):
        if done == left:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
    return rename(self, target)
Path.rename = counted
swap.carry_out(plan_of(place), file=place / "root" / "plan.json")
"""


def lay_out(place: Path) -> None:
    for name, content in {
        "plugins/a.binary": "old a",
        "plugins/gone.binary": "old gone",
        "etc/toru.toml": "old settings",
        "plugins/.new/a.binary": "new a",
        "plugins/.new/came.binary": "new came",
        "etc/.new/toru.toml": "new settings",
    }.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(content)
    for directory in ("plugins/.old", "etc/.old", "root"):
        (place / directory).mkdir()


def plan_of(place: Path) -> Plan:
    plugins, etc = place / "plugins", place / "etc"
    return Plan(
        moves=[
            Move(plugins / "a.binary", plugins / ".old/a.binary"),
            Move(plugins / "gone.binary", plugins / ".old/gone.binary"),
            Move(etc / "toru.toml", etc / ".old/toru.toml"),
            Move(plugins / ".new/a.binary", plugins / "a.binary"),
            Move(plugins / ".new/came.binary", plugins / "came.binary"),
            Move(etc / ".new/toru.toml", etc / "toru.toml"),
        ],
        directories=[plugins / ".new", plugins / ".old", etc / ".new", etc / ".old"],
        units=["toru.service"],
    )


def content(place: Path) -> dict[str, str]:
    files = (path for name in ("plugins", "etc") for path in (place / name).rglob("*") if path.is_file())
    found = {str(path.relative_to(place)): path.read_text() for path in files}
    return {name: text for name, text in found.items() if "/." not in name}


OLD = {"plugins/a.binary": "old a", "plugins/gone.binary": "old gone", "etc/toru.toml": "old settings"}
NEW = {"plugins/a.binary": "new a", "plugins/came.binary": "new came", "etc/toru.toml": "new settings"}


def test_everything_takes_its_place(tmp_path: Path) -> None:
    lay_out(tmp_path)
    carry_out(plan_of(tmp_path), file=tmp_path / "root/plan.json")
    assert content(tmp_path) == NEW
    assert not (tmp_path / "root").exists()
    assert recover(file=tmp_path / "root/plan.json") is None


def kill(place: Path, after: int) -> None:
    lay_out(place)
    tree = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", KILLED, place, str(after), tree], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("after", range(6))
def test_killed_in_between_everything_can_be_put_back(tmp_path: Path, after: int) -> None:
    kill(tmp_path, after)
    plan = recover(file=tmp_path / "root/plan.json")
    assert plan is not None
    assert plan.units == ["toru.service"]
    assert content(tmp_path) == OLD
    assert sorted(path.name for path in tmp_path.rglob("*") if path.name.startswith(".")) == []
    assert recover(file=tmp_path / "root/plan.json") is None


@pytest.mark.parametrize("after", range(6))
def test_what_somebody_made_anew_meanwhile_gives_way_to_what_was_before(tmp_path: Path, after: int) -> None:
    kill(tmp_path, after)
    for name in OLD:
        if not (tmp_path / name).exists():
            (tmp_path / name).write_text("made meanwhile")
    assert recover(file=tmp_path / "root/plan.json") is not None
    assert content(tmp_path) == OLD
    assert [path.name for path in tmp_path.rglob("*") if path.name.startswith(".")] == []


def test_what_can_not_be_renamed_undoes_the_rest(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "etc/.new/toru.toml").unlink()
    with pytest.raises(SwapFailed, match=r"toru\.toml: No such file or directory; everything was put back as it was"):
        carry_out(plan_of(tmp_path), file=tmp_path / "root/plan.json")
    assert content(tmp_path) == OLD
    assert not (tmp_path / "root").exists()
