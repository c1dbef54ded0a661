"""Plugins on the SDKs beside what one would write without: each on a socket of its own, asked with nothing between.

The client shares the machine with them, so that ratios tell more than figures.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench import direct
from tests.bench.load import Measured
from tests.bench.measure import Asked, Case, Grid, Moments, Part, Unit, in_turns
from tests.bench.processes import memory, processor

TITLE = "SDKs: plugins on them, beside bare servers"
NEEDS_HOST = False

TREE = Path(__file__).resolve().parents[2]
SDK = TREE / "sdk/python"
CRATE = TREE / "tests/bench/rust"
BUILT = TREE / "build/bench"
CARGO = TREE / "build/cargo"

CLIENTS = (1, 32)
SECONDS = 1
STARTS_WITHIN = 10

PYTHON = "/usr/bin/python3"
"""What the first line of a plugin names. Under load all in Python have the interpreter that has uvicorn: this one."""
IMPORTS = """\
import asyncio, os, signal, socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
signal.pause()
"""
"""The least that a program on asyncio does until it is ready."""


def _kilobyte(kind: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.kilobyte", kind]


@dataclass(frozen=True, slots=True)
class Program:
    """Serves the socket that it inherits, and says when it is ready."""

    name: str
    argv: Sequence[str | Path]
    peer: str | None = None
    ask: Callable[..., Measured] = direct.toru2


ASYNCIO, UVICORN, HYPER = "python3 -c 'import asyncio'", "uvicorn, uvloop and httptools", "hyper"
BY_UVICORN, BY_HYPER = _kilobyte("uvloop"), [CARGO / "release/kilobyte-on-hyper"]

TO_START = (
    Program(ASYNCIO, [PYTHON, "-c", IMPORTS]),
    Program("hello-python, from source", [PYTHON, TREE / "examples/hello-python/hello.py"], ASYNCIO),
    Program("hello-python, as one file", [BUILT / "hello-python.binary"], ASYNCIO),
    Program(UVICORN, BY_UVICORN, ASYNCIO),
    Program(HYPER, BY_HYPER),
    Program("hello-rust", [BUILT / "hello-rust.binary"], HYPER),
)
TO_ASK = (
    Program(UVICORN, BY_UVICORN, ask=direct.http),
    Program("uvicorn, asyncio and h11", _kilobyte("asyncio"), UVICORN, ask=direct.http),
    Program("SDK for Python: async handler", _kilobyte("async"), UVICORN),
    Program("SDK for Python: plain handler", _kilobyte("plain"), UVICORN),
    Program("SDK for Python: ASGI app", _kilobyte("asgi"), UVICORN),
    Program(HYPER, BY_HYPER, ask=direct.http),
    Program("SDK for Rust", [CARGO / "release/kilobyte-on-sdk"], HYPER),
)


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    address: str
    ready_after: float


def starts(asked: Asked) -> Part:
    """From the start to READY, and what has been taken until then."""
    _build()
    lines = in_turns(asked.rounds, [Case(it.name, partial(_started, it), it.peer) for it in TO_START])
    columns = {"READY after": Unit.TIME, "processor": Unit.TIME, "memory": Unit.MEMORY}
    return Part(grids=[Grid("up to READY", columns, lines, list(columns))])


def requests(asked: Asked) -> Part:
    """1 kB, by everybody."""
    columns = {"a second": Unit.COUNT, "p50": Unit.TIME, "p99": Unit.TIME, "processor": Unit.TIME}
    rounds = max(1, asked.rounds // 2)
    grids = []
    with ExitStack() as all_of_them:
        of = [(program, all_of_them.enter_context(_running(program))) for program in TO_ASK]
        for clients in CLIENTS:
            cases = [Case(it.name, partial(_asked, it, running, clients), it.peer) for it, running in of]
            grids.append(Grid(f"1 kB, {clients} at once", columns, in_turns(rounds, cases), list(columns)))
    return Part(grids=grids)


def _build() -> None:
    """Takes long the first time only."""
    cargo = ["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", str(CRATE / "Cargo.toml")]
    examples = [["sh", str(TREE / f"examples/{name}/build.sh"), str(BUILT)] for name in ("hello-python", "hello-rust")]
    for command in (*examples, cargo):
        subprocess.run(command, env={**os.environ, "CARGO_TARGET_DIR": str(CARGO)}, stdout=sys.stderr, check=True)


def _started(program: Program) -> Moments:
    with _running(program) as it:
        return {"READY after": it.ready_after, "processor": processor(it.pid), "memory": memory(it.pid)}


def _asked(program: Program, it: Running, clients: int) -> Moments:
    began = processor(it.pid)
    measured = program.ask(it.address, clients=clients, seconds=SECONDS)
    return {
        "a second": round(measured.per_second),
        "p50": measured.p50,
        "p99": measured.p99,
        "processor": (processor(it.pid) - began) / measured.count,
    }


@contextmanager
def _running(program: Program) -> Iterator[Running]:
    """As systemd starts it: with the socket as descriptor 3, and the variables that name its own pid."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as opened:
        address, notify, log = (str(Path(directory, name)) for name in ("socket", "notify", "log"))
        listener = opened.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(address)
        listener.listen()
        notified = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        notified.settimeout(STARTS_WITHIN)
        notified.bind(notify)
        argv = ["sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh", *map(str, program.argv)]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{TREE}:{SDK}",
            "LISTEN_FDS": "1",
            "NOTIFY_SOCKET": notify,
        }
        files = [
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT, 0o600),
            (os.POSIX_SPAWN_DUP2, listener.fileno(), 3),
        ]
        began = time.perf_counter()
        pid = os.posix_spawn("/bin/sh", argv, environment, file_actions=files)
        try:
            try:
                notified.recv(4096)  # whatever comes first is READY=1
            except TimeoutError:
                raise SystemExit(f"{program.name} did not start: {Path(log).read_text()}") from None
            yield Running(pid, address, time.perf_counter() - began)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


STEPS = (starts, requests)
