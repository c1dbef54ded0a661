"""A trial's own cgroup directories: where they can be, which limits hold there, and how they go away.

Nothing of the machine's is changed: a trial gets directories of its own below the cgroup of who starts it or, where
the machine itself runs systemd, a scope that systemd delegates to it (https://systemd.io/CGROUP_DELEGATION).
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from toru.trial.options import TrialError

# What each kind of limit needs, by the name its controller has in both versions of cgroups.
MEMORY, TASKS, CPU = LIMITING = ("memory", "pids", "cpu")
# The v1 hierarchies that a trial with limits shows: what systemd manages there.
V1_SHOWN = frozenset({*LIMITING, "cpuacct", "devices", "blkio", "name=systemd"})


@dataclass(frozen=True, slots=True)
class Enforcement:
    """Which limits the kernel holds a plugin to."""

    memory: bool
    tasks: bool
    cpu: bool

    @property
    def complete(self) -> bool:
        return self.memory and self.tasks and self.cpu

    @classmethod
    def by(cls, controllers: Iterable[str]) -> Enforcement:
        offered = set(controllers)
        return cls(memory=MEMORY in offered, tasks=TASKS in offered, cpu=CPU in offered)


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A cgroup hierarchy of the machine: its v1 controllers (none: it is v2), and where this process is in it."""

    controllers: tuple[str, ...]
    mount: Path
    here: Path

    @property
    def is_v2(self) -> bool:
        return not self.controllers


def hierarchies() -> list[Hierarchy]:
    """Return the machine's hierarchies, as they are mounted (proc_pid_mountinfo(5), cgroups(7))."""
    memberships: dict[frozenset[str], str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        memberships[frozenset(filter(None, controllers.split(",")))] = path
    found: dict[frozenset[str], Hierarchy] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        _, _, _, root, mount, *_ = before.split()
        kind, _, super_options = after.split()
        if kind not in {"cgroup", "cgroup2"}:
            continue
        key = next((k for k in memberships if k and k <= set(super_options.split(","))), frozenset[str]())
        if kind == "cgroup2":
            key = frozenset()
        elif not key:
            continue
        if key in memberships and key not in found:
            found[key] = Hierarchy(tuple(sorted(key)), Path(mount), _below(Path(mount), root, memberships[key]))
    return list(found.values())


def _below(mount: Path, root: str, path: str) -> Path:
    """Where a cgroup lies below a mount that shows the hierarchy from root on."""
    try:
        return mount / Path(path).relative_to(root)
    except ValueError:
        return mount  # a container that shows its own cgroup, and names it as the machine does


def machine_runs_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()  # sd_booted(3)


def enforcement(*, limits: bool) -> Enforcement:
    """Say which limits a trial on this machine would hold plugins to, with `--limits` or without."""
    found = hierarchies()
    v2 = [controller for hierarchy in found if hierarchy.is_v2 for controller in _offered_by_v2(hierarchy)]
    v1 = [controller for hierarchy in found for controller in hierarchy.controllers]
    return Enforcement.by(v2 + v1 if limits else v2)


def _offered_by_v2(hierarchy: Hierarchy) -> list[str]:
    if _gets_scope(hierarchy):
        return (hierarchy.mount / "cgroup.controllers").read_text().split()
    return (hierarchy.here / "cgroup.subtree_control").read_text().split()


def _gets_scope(hierarchy: Hierarchy) -> bool:
    return machine_runs_systemd() and hierarchy.is_v2 and hierarchy.mount == Path("/sys/fs/cgroup")


def scope(name: str) -> list[str]:
    """Return what to put before the keeper's command where the machine's systemd must give a trial its cgroup."""
    if not any(_gets_scope(hierarchy) for hierarchy in hierarchies()):
        return []
    return [
        *("systemd-run", "--scope", "--quiet", "--collect", f"--unit=toru-try-{name}"),
        *("--property=Delegate=yes", f"--description=Toru trial {name}", "--"),
    ]


@dataclass(frozen=True, slots=True)
class Plan:
    """The cgroup directories of one trial, and the v1 hierarchies it shows (none: it shows v2)."""

    directories: tuple[Path, ...]
    v1: tuple[str, ...]


def plan(name: str, *, limits: bool) -> Plan:
    """Choose a trial's directories, as seen by its keeper; nothing is made yet."""
    found = hierarchies()
    v2 = [hierarchy for hierarchy in found if hierarchy.is_v2]
    if not v2:
        raise TrialError("A trial needs cgroup v2, and this machine doesn't mount it.")
    v1: list[Hierarchy] = []
    if limits and not enforcement(limits=False).complete:
        v1 = [hierarchy for hierarchy in found if V1_SHOWN & set(hierarchy.controllers)]
        if enforcement(limits=True) == enforcement(limits=False):
            raise TrialError("This machine offers no more cgroup controllers with --limits than without it.")
    return Plan(
        directories=tuple(hierarchy.here / f"toru-try-{name}" for hierarchy in v2 + v1),
        v1=tuple(",".join(hierarchy.controllers) for hierarchy in v1),
    )


def make(directories: Iterable[Path]) -> None:
    """Make a trial's directories; the one in a delegated scope gets every controller the scope has."""
    for directory in directories:
        if directory.parent.name == f"{directory.name}.scope":
            _vacate(directory.parent)
        directory.mkdir(exist_ok=True)


def _vacate(scope: Path) -> None:
    """Move this process into a leaf: a cgroup that gives controllers to its children may hold no process."""
    leaf = scope / "keeper"
    leaf.mkdir()
    (leaf / "cgroup.procs").write_text("0")
    for controller in (scope / "cgroup.controllers").read_text().split():
        with suppress(OSError):  # some can't be handed on everywhere; those that limit can
            (scope / "cgroup.subtree_control").write_text(f"+{controller}")


def remove(directories: Iterable[Path]) -> None:
    """Kill whatever is left in the directories and remove them."""
    for directory in directories:
        _kill(directory)
        for path in _tree(directory):
            with suppress(OSError):  # gone, or held by a process that not even SIGKILL ends
                path.rmdir()


def _tree(directory: Path) -> Iterator[Path]:
    for path, _, _ in os.walk(directory, topdown=False):
        yield Path(path)


def _kill(directory: Path) -> None:
    """End every process in and below the directory, and wait until it is empty, or for 10 s."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (processes := [pid for path in _tree(directory) for pid in _processes(path)]):
        for pid in processes:
            try:
                fd = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            try:
                signal.pidfd_send_signal(fd, signal.SIGKILL)
                select.select([fd], [], [], max(0, deadline - time.monotonic()))
            finally:
                os.close(fd)


def _processes(cgroup: Path) -> list[int]:
    try:
        # 0 stands for a process of another pid namespace, which nothing here can name.
        return [pid for pid in map(int, (cgroup / "cgroup.procs").read_text().split()) if pid]
    except OSError:  # just removed
        return []
