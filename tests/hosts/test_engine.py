"""Docker for the tests: had, shared, and gone without a trace."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.hosts import image
from tests.hosts.engine import OWNER, NoDocker, OwnEngine, answers, cgroups, owner, sweep

USE_IT = """
import sys
from pathlib import Path
from tests.hosts.engine import OwnEngine

with OwnEngine(Path(sys.argv[1])).running() as host:
    print(host, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A short one: the name of containerd's socket in it may have 107 bytes."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def traces(engine: OwnEngine) -> list[str]:
    """What there is of it on the machine, but for what it keeps."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return [
        *(f"process {pid} {name}" for pid, name in engine.processes()),
        *(line for line in mounts if str(engine.home) in line),
        *map(str, cgroups(engine.cgroup)),
        *(path.name for path in engine.home.iterdir() if path.name in {"docker.sock", "exec"}),
    ]


def test_our_own_docker_answers_and_leaves_nothing_but_its_images(home: Path) -> None:
    engine = OwnEngine(home)
    with engine.running() as host:
        assert answers(host)
        assert traces(engine)
    assert not answers(host)
    assert traces(engine) == []


def test_the_last_of_several_users_ends_it(home: Path) -> None:
    engine = OwnEngine(home)
    tree = Path(__file__).parents[2]
    command = [sys.executable, "-c", USE_IT, str(home)]
    with subprocess.Popen(command, cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == engine.host
        dockerd = [pid for pid, name in engine.processes() if name == "dockerd"]
        with engine.running():
            other.communicate("", timeout=60)
            assert [pid for pid, name in engine.processes() if name == "dockerd"] == dockerd
            assert answers(engine.host)
    assert traces(engine) == []


def test_one_that_its_user_left_behind_is_taken_over_and_ended(home: Path) -> None:
    engine = OwnEngine(home)
    tree = Path(__file__).parents[2]
    command = [sys.executable, "-c", USE_IT, str(home)]
    with subprocess.Popen(command, cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
    assert answers(engine.host)
    with engine.running() as host:
        assert answers(host)
    assert traces(engine) == []


def test_containers_of_a_killed_run_are_removed_and_others_stay(docker_engine: Any) -> None:
    name = image.image(docker_engine, print)
    left = docker_engine.containers.create(name, "true", labels={OWNER: '[1, "not when it started"]'})
    ours = docker_engine.containers.create(name, "true", labels={OWNER: owner()})
    try:
        sweep(docker_engine)
        # Others' may go while they are looked at.
        there = docker_engine.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True)
        ids = {container.id for container in there}
        assert ours.id in ids
        assert left.id not in ids
    finally:
        ours.remove(force=True)


def test_without_the_programs_it_says_what_to_install(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(NoDocker, match=r"^No Docker answers, and dockerd .* is missing: apt install docker\.io$"):
        OwnEngine(home).running().__enter__()


def test_a_dockerd_that_cannot_start_says_why(home: Path) -> None:
    (home / "docker").write_text("in the way")
    with pytest.raises(NoDocker, match=r"^dockerd did not start \(.* has more\): .* points to a file"):
        OwnEngine(home).running().__enter__()
    assert traces(OwnEngine(home)) == []
