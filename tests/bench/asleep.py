"""500 plugins that are enabled and sleep."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from tests.bench import bare
from tests.bench.client import Client
from tests.bench.driver import hush, plant_small, property_of, run
from tests.bench.measure import Asked, Moments, Part, Row, Unit, side_by_side, took
from tests.bench.processes import memory
from toru.domain.ids import UNIT_PATTERNS
from toru.systemd import observe
from toru.systemd.bus import connect

TITLE = "500 plugins, enabled and asleep"

COUNT = 500
UP_ROUNDS = 3
READ_ROUNDS = 10

LISTED = "systemctl list-units 'toru-plugin-*'"
OVER_HTTP, BYTES = "GET /api/plugins", "the same bytes from a bare FastAPI route"
BARE = "bare FastAPI on uvicorn, with the core's libraries"
REQUESTS = 10
"""For one figure of processor time, which the kernel counts in hundredths of a second."""
NATIVE = "500 such socket units as files: daemon-reload and start"
UNITS = Path("/run/systemd/system")


def before(asked: Asked) -> Part:
    """Without a plugin; and then 500, for the next boot."""
    hush()
    with bare.serving("{}") as server, closing(Client(server.socket)) as client:
        client.ask("GET", "/")
        time.sleep(2)  # as long as the core has below
        rows = [Row(BARE, [memory(server.pid)], None, Unit.MEMORY)]
    rows += _memory("no plugin", [BARE, None])
    plant_small(COUNT)
    run("toru-admin", "scan")
    return Part(rows)


def after(asked: Asked) -> Part:
    run("systemctl", "is-system-running", "--wait", check=False)
    hush()
    at_boot = [
        int(property_of("toru-plugins.service", f"ExecMain{moment}TimestampMonotonic")) / 1e6
        for moment in ("Start", "Exit")
    ]
    rows = [Row("toru-admin up, at boot", [at_boot[1] - at_boot[0]], NATIVE)]
    _write_native_units()
    rows += side_by_side(UP_ROUNDS, [_up, _up_native], {"toru-admin up": NATIVE, "toru-admin down": "toru-admin up"})
    rows += _processes()
    rows += side_by_side(
        asked.rounds,
        [
            lambda: _timed(LISTED, "systemctl", "list-units", "--all", "--no-pager", "toru-plugin-*"),
            lambda: _timed("toru list", "toru", "list"),
            lambda: _timed("toru list --json", "toru", "list", "--json"),
        ],
        {"toru list": LISTED, "toru list --json": LISTED},
    )
    rows += _over_http(asked)
    rows += asyncio.run(_reads(READ_ROUNDS))
    rows += _memory("500, after all went down and up", ["core: no plugin", "systemd: no plugin"], restart=False)
    rows += _memory("500, restarted core", ["core: no plugin", "systemd: no plugin"])
    return Part(
        rows,
        ["Memory is the proportional share (PSS). On the private host fsync costs nothing: files lie on a tmpfs."],
    )


def _timed(row: str, *command: str) -> Moments:
    return {row: took(lambda: run(*command))}


def _up() -> Moments:
    down = took(lambda: run("toru-admin", "down"))
    return {"toru-admin down": down, "toru-admin up": took(lambda: run("toru-admin", "up"))}


def _write_native_units() -> None:
    for number in range(COUNT):
        name = f"native-{number:03}"
        socket = (
            f"[Socket]\nListenStream=/run/native/{name}.sock\nSocketMode=0660\nSocketGroup=toru\nRemoveOnStop=yes\n"
        )
        (UNITS / f"{name}.socket").write_text(socket)
        service = "[Service]\nType=exec\nExecStart=/bin/sleep infinity\nDynamicUser=yes\n"
        (UNITS / f"{name}.service").write_text(service)


def _up_native() -> Moments:
    names = [f"native-{number:03}.socket" for number in range(COUNT)]

    def up() -> None:
        run("systemctl", "daemon-reload")
        run("systemctl", "start", *names)

    seconds = took(up)
    run("systemctl", "stop", *names)
    return {NATIVE: seconds}


def _processes() -> list[Row]:
    """Asked three times: of systemd, of its cgroups and of the kernel's list of processes."""
    active = run("systemctl", "list-units", "--plain", "--no-legend", "--state=active", "toru-plugin-*.service")
    listening = run("systemctl", "list-units", "--plain", "--no-legend", "--state=active", "toru-plugin-*.socket")
    inside = [
        line
        for slice_ in Path("/sys/fs/cgroup").rglob("toru-plugins.slice")
        for file in slice_.rglob("cgroup.procs")
        for line in file.read_text().split()
    ]
    running = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"/plugins/small-" in _read(path)]
    counts = {
        "sockets that listen": len(listening.splitlines()),
        "services that run": len(active.splitlines()),
        "processes in toru-plugins.slice": len(inside),
        "processes of a plugin's file in /proc": len(running),
    }
    return [Row(what, [count], None, Unit.COUNT) for what, count in counts.items()]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it has ended


def _over_http(asked: Asked) -> list[Row]:
    """The list of all plugins, as a script gets it."""
    core = property_of("toru.service", "MainPID")
    with closing(Client()) as client:
        listed = client.ask("GET", "/api/plugins")
        assert len(json.loads(listed)) == COUNT
        with bare.serving(listed) as server, closing(Client(server.socket)) as other:
            of_core, of_bare = f"{OVER_HTTP}, processor time", f"{BYTES}, processor time"
            asking = {
                OVER_HTTP: (lambda: client.ask("GET", "/api/plugins"), core),
                BYTES: (lambda: other.ask("GET", "/"), str(server.pid)),
            }
            moments = [lambda what=what: _asked(what, *asking[what]) for what in asking]
            return side_by_side(
                asked.rounds * 2, moments, {OVER_HTTP: BYTES, BYTES: LISTED, of_core: of_bare, of_bare: OVER_HTTP}
            )


def _asked(what: str, ask: Callable[[], object], pid: str) -> Moments:
    before = _processor_seconds(pid)
    seconds = took(lambda: [ask() for _ in range(REQUESTS)])
    used = _processor_seconds(pid) - before
    return {what: seconds / REQUESTS, f"{what}, processor time": used / REQUESTS}


def _processor_seconds(pid: str) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _reads(rounds: int) -> list[Row]:
    samples: dict[str, list[float]] = {"observe.read_all": [], "the bare ListUnitsByPatterns": []}
    async with connect() as bus:
        for _ in range(rounds):
            began = time.perf_counter()
            assert len(await observe.read_all(bus)) == COUNT
            samples["observe.read_all"].append(time.perf_counter() - began)
            began = time.perf_counter()
            await bus.manage("ListUnitsByPatterns", "asas", [], list(UNIT_PATTERNS))
            samples["the bare ListUnitsByPatterns"].append(time.perf_counter() - began)
    peers = {"observe.read_all": "the bare ListUnitsByPatterns"}
    return [Row(what, seconds, peers.get(what)) for what, seconds in samples.items()]


def _memory(name: str, peers: Sequence[str | None], *, restart: bool = True) -> list[Row]:
    if restart:
        run("systemctl", "restart", "toru.service")
    time.sleep(2)  # there is no event for having come to rest
    core, systemd = memory(int(property_of("toru.service", "MainPID"))), memory(1)
    of_core, of_systemd = peers
    return [
        Row(f"core: {name}", [core], of_core, Unit.MEMORY),
        Row(f"systemd: {name}", [systemd], of_systemd, Unit.MEMORY),
    ]


STEPS = (before, after)
