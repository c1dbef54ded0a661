"""The benchmarks: `python -m tests.bench [NAME…]`, as root. They print figures and judge nothing.

Each runs on a host of its own that is gone afterwards: a real systemd, Toru installed as its package would. What needs
none of this runs here.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import platform
import re
import sys
import tarfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.aboard import STEP_WITHIN
from tests.bench.measure import Asked, Grid, Part, Row, grid_table, table
from tests.hosts.host import Host
from tests.hosts.private import PrivateHost

Boot = Callable[[], Host]

NAMES = (
    *("start", "enable", "coldstart", "crash", "scan", "asleep", "stream", "kv", "logs", "signin", "gateway", "sdk"),
    "manager",
)

TREE = Path(__file__).resolve().parents[2]
ABOARD = "/var/lib/toru-bench"
"""Where the benchmarks lie on the host: not in /tmp, which plugins don't see, nor in /run, which a reboot empties."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--host", choices=("private", "debian13"), default="private", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=10, help="tries of what is quick (default: %(default)s)")
    parser.add_argument("--verbose", action="store_true", help="also where the time goes")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}: choose from {', '.join(NAMES)}")
    if os.geteuid() != 0:
        parser.error("a host takes root: make bench")
    asked = Asked(rounds=max(1, options.rounds), verbose=options.verbose)
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}", flush=True)
    with hosts(options.host) as boot:
        for name in options.names or NAMES:
            began = time.monotonic()
            host = boot() if needs_host(name) else None
            try:
                part = run(name, host, asked)
                where = "no host" if host is None else f"systemd {host.systemd_version}"
            finally:
                if host is not None:
                    host.stop()
            print(f"\n## {title(name)}\n")
            for grid in part.grids:
                print(*grid_table(grid), "", sep="\n")
            if part.rows:
                print(*table(part.rows), "", sep="\n")
            print(*(f"- {note}" for note in part.notes), "", sep="\n")
            print(f"{name}: {where}, {time.monotonic() - began:.0f} s in all, load {load()}", flush=True)


@contextmanager
def hosts(name: str) -> Iterator[Boot]:
    """What boots a host of this kind."""
    if name == "private":
        yield lambda: PrivateHost.boot("bench")
        return
    # Docker is asked for only where it is wanted.
    from tests.hosts.container import ContainerHost  # noqa: PLC0415
    from tests.hosts.engine import docker_engine  # noqa: PLC0415

    with docker_engine() as engine:
        yield lambda: ContainerHost.boot(name, engine, lambda text: print(text, file=sys.stderr))


def run(name: str, host: Host | None, asked: Asked) -> Part:
    """All steps of a benchmark."""
    module = importlib.import_module(f"tests.bench.{name}")
    rows: list[Row] = []
    notes: list[str] = []
    grids: list[Grid] = []
    for part in (step(asked) for step in module.STEPS) if host is None else run_aboard(name, host, asked):
        rows += part.rows
        notes += part.notes
        grids += part.grids
    return Part(rows, notes, grids)


def run_aboard(name: str, host: Host, asked: Asked) -> Iterator[Part]:
    module = importlib.import_module(f"tests.bench.{name}")
    put_aboard(host, getattr(module, "ABOARD", ()))
    # The interpreter that Toru runs with here, as its program says.
    python = host.run("head", "-n1", "/usr/bin/toru").stdout.removeprefix("#!").split()[0]
    for step in range(len(module.STEPS)):
        if step:
            host.reboot()
        command = [python, "-m", "tests.bench.aboard", name, str(step), str(asked.rounds)]
        path = f"PYTHONPATH={ABOARD}:/usr/lib/toru/src"
        said = host.run("env", path, *command, *(["--verbose"] if asked.verbose else []), timeout=STEP_WITHIN + 10)
        yield Part.from_json(json.loads(said.stdout.splitlines()[-1]))


def put_aboard(host: Host, more: Sequence[str]) -> None:
    """The benchmarks, and what this one brings along, as far as it is there."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for folder in ("tests/bench", "tests/plugins", "tests/store"):
            for file in sorted((TREE / folder).glob("*.py")):
                tar.add(file, file.relative_to(TREE))
        for folder in more:
            if (TREE / folder).is_dir():
                tar.add(TREE / folder, folder)
    unpack = f"mkdir -p {ABOARD} && base64 -d | tar -xz --no-same-owner -C {ABOARD}"
    host.run("sh", "-c", unpack, input=b64encode(buffer.getvalue()).decode())


def needs_host(name: str) -> bool:
    return bool(getattr(importlib.import_module(f"tests.bench.{name}"), "NEEDS_HOST", True))


def title(name: str) -> str:
    text: str = importlib.import_module(f"tests.bench.{name}").TITLE
    return text


def machine() -> str:
    """What this ran on."""
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = processor[1] if processor else platform.machine()
    kernel = platform.release().partition("-")[0]
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {kernel}, load {load()}"


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
