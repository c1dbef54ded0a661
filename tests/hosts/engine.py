"""Docker for the tests: the machine's, or one of our own while tests run.

Our own changes nothing of the machine's: /run and every mount are in a namespace of its own, containers get no network
but their loopback and cgroups below one of ours. HOME keeps its images for the next run. Runs of the tests that overlap
share it, and the last one ends it.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]  # ships no types
import pytest
from testcontainers.core.docker_client import DockerClient

HOME = Path("/var/cache/toru-tests")

# On every container: which run of the tests it belongs to.
OWNER = "toru.tests.owner"


class NoDocker(Exception):
    """There is no Docker to be had. `str(error)` is a sentence for whoever runs the tests."""


@contextmanager
def docker_engine() -> Iterator[Any]:
    """Give a docker.DockerClient whose engine testcontainers use as well."""
    theirs = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    answering = nullcontext(theirs) if answers(theirs) else OwnEngine(HOME).running()
    with answering as host, pytest.MonkeyPatch.context() as environment:
        environment.setenv("DOCKER_HOST", host)
        # Ryuk, which removes what killed runs leave, is an image from a registry. We do it ourselves.
        environment.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
        client = DockerClient().client
        client.api.timeout = 600  # an image is imported in one request
        try:
            sweep(client)
            yield client
        finally:
            client.close()


def answers(host: str) -> bool:
    scheme, _, path = host.partition("://")
    if scheme != "unix":
        return True  # somebody's choice
    # Not by docker.DockerClient, which leaves its socket open when nobody listens.
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.settimeout(10)
        connection.connect(path)
        connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return connection.recv(64).startswith(b"HTTP/1.0 200 ")
    return False


class OwnEngine:
    """A dockerd for the tests alone. Whatever it keeps or needs lies in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.host = f"unix://{home}/docker.sock"
        self.log = home / "dockerd.log"
        self.exec_root = home / "exec"
        self.cgroup = home.name

    @contextmanager
    def running(self) -> Iterator[str]:
        """Have it run, and say where it answers."""
        if os.geteuid() != 0:
            raise NoDocker("No Docker answers, and starting one needs root: run the tests with sudo, or start Docker.")
        if lacking := [program for program in ("dockerd", "containerd", "unshare") if shutil.which(program) is None]:
            programs = " and ".join(lacking)
            raise NoDocker(f"No Docker answers, and {programs} to start one is missing: apt install docker.io")
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "users").open("w") as users:
            try:
                with self._alone():
                    if not answers(self.host):
                        self._end()  # what a killed one left
                        self._start()
                    fcntl.flock(users, fcntl.LOCK_SH)
                yield self.host
            finally:
                with self._alone():
                    fcntl.flock(users, fcntl.LOCK_UN)
                    with suppress(BlockingIOError):  # others use it
                        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        self._end()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Starting and ending, one run of the tests at a time."""
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self) -> None:
        dockerd = [
            *("dockerd", "--host", self.host, "--pidfile", "/run/dockerd.pid"),
            *("--data-root", str(self.home / "docker"), "--exec-root", str(self.exec_root)),
            *("--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{self.cgroup}"),
            *("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"),
        ]
        apart = ["setsid", "--fork", "unshare", "--mount", "--propagation", "slave"]
        within = ["sh", "-ec", 'mount -t tmpfs -o mode=755 tmpfs /run; exec "$@"', "sh"]
        # Whoever holds the other end of this pipe has not ended yet.
        ended, alive = os.pipe()
        try:
            with self.log.open("wb") as log:
                streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
                subprocess.run([*apart, *within, *dockerd], pass_fds=[alive], check=True, **streams)
            os.close(alive)
            deadline = time.monotonic() + 60
            while not answers(self.host):
                failed = bool(select.select([ended], [], [], 0.05)[0])
                if failed or time.monotonic() > deadline:
                    last = (self.log.read_text().splitlines() or ["it said nothing"])[-1]
                    raise NoDocker(f"dockerd did not start ({self.log} has more): {last}")
        finally:
            os.close(ended)

    def _end(self) -> None:
        """End the dockerd, and whatever it started."""
        for patience_seconds, number in ((60, signal.SIGTERM), (10, signal.SIGKILL)):
            # dockerd ends its containerd, and that its shims. What is left after it has to be told.
            for dockerd in (True, False):
                _signal(
                    [pid for pid, name in self.processes() if (name == "dockerd") is dockerd], number, patience_seconds
                )
        shutil.rmtree(self.exec_root, ignore_errors=True)
        Path(self.host.removeprefix("unix://")).unlink(missing_ok=True)
        for parent in cgroups(self.cgroup):
            with suppress(OSError):
                parent.rmdir()

    def processes(self) -> Iterator[tuple[int, str]]:
        """Its processes, by id and name."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                name = (process / "exe").readlink().name
                if name.startswith(("dockerd", "containerd")) and f"{self.home}/" in (process / "cmdline").read_text():
                    yield int(process.name), name


def cgroups(name: str) -> list[Path]:
    """Return the cgroups of this name at the top of each of the machine's hierarchies."""
    return [*Path("/sys/fs/cgroup").glob(name), *Path("/sys/fs/cgroup").glob(f"*/{name}")]


def _signal(pids: list[int], number: signal.Signals, patience_seconds: float) -> None:
    """Send a signal, and wait for the processes to end."""
    deadline = time.monotonic() + patience_seconds
    for pid in pids:
        with suppress(ProcessLookupError):
            process = os.pidfd_open(pid)
            try:
                signal.pidfd_send_signal(process, number)
                select.select([process], [], [], max(0.0, deadline - time.monotonic()))
            finally:
                os.close(process)


def owner() -> str:
    """Name this run of the tests: no other process has both its id and its start time (proc_pid_stat(5))."""
    return json.dumps([os.getpid(), _started(os.getpid())])


def _started(pid: int) -> str | None:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return None


def sweep(client: Any) -> None:
    """Remove the containers of runs that ended without doing so."""
    for container in client.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True):
        pid, started = json.loads(container.labels[OWNER])
        if _started(pid) != started:
            with suppress(docker.errors.APIError):  # somebody else does
                container.remove(force=True, v=True)
