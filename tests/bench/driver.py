"""What the benchmarks do on their host: plant plugins, ask them, tell systemd."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toru.domain import places
from toru.domain.frames import frame
from toru.domain.ids import PluginId

PROGRAMS = Path(__file__).parents[1] / "plugins"

# A plugin that costs next to nothing to ask for its metadata, for benchmarks that want hundreds of them.
SMALL = """\
#!/bin/sh
[ "$1" = --metadata ] || exec sleep infinity
echo '{metadata}'
"""

Ask = Callable[[str], None]
"""One request to a socket, answered in full, or an OSError."""


def run(*argv: str, check: bool = True) -> str:
    """What a command said."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def property_of(unit: str, name: str) -> str:
    return run("systemctl", "show", f"--property={name}", "--value", "--", unit).strip()


def hush() -> None:
    """From here on nothing scans but the benchmark: files arrive one by one, each a reason to look."""
    run("systemctl", "stop", "toru-scan.path", "toru-scan.service", "toru-rescan.timer", "toru-rescan.service")


def plant(plugin_id: str, program: str, **metadata: object) -> Path:
    """A program of tests/plugins in the plugins directory."""
    said = {"id": plugin_id, "name": plugin_id, "version": "1.0", "route": f"/{plugin_id}", **metadata}
    text = (PROGRAMS / program).read_text()
    return _put(plugin_id, re.sub(r"^METADATA = .*$", lambda _: f"METADATA = {said!r}", text, flags=re.MULTILINE))


def plant_small(count: int) -> None:
    """So many plugins that sleep until the first request."""
    for number in range(count):
        plugin_id = f"small-{number:03}"
        said = {"id": plugin_id, "name": plugin_id, "version": "1.0", "route": f"/{plugin_id}"}
        _put(plugin_id, SMALL.format(metadata=json.dumps({**said, "protocol": "http", "start": "on-demand"})))


def uproot() -> None:
    """Every plugin's file and everything that was learnt of it."""
    for path in places.PLUGINS.glob("*.binary"):
        path.unlink()
    for path in (places.PROBES, places.CATALOGUE, places.SEEN):
        path.unlink(missing_ok=True)


def _put(plugin_id: str, text: str) -> Path:
    path = places.PLUGINS / f"{PluginId(plugin_id)}.binary"
    path.write_text(text)
    path.chmod(0o755)
    return path


def ask_http(address: str) -> None:
    with _connected(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: plugin\r\nConnection: close\r\n\r\n")
        answer = _until_end(connection)
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise OSError(f"not an answer: {answer[:80]!r}")


def ask_toru1(address: str) -> None:
    request: dict[str, object] = {"method": "GET", "path": "/", "headers": {}, "body": None}
    message = {
        "type": "http",
        "timestamp": "2026-01-01T00:00:00.000000Z",
        "request_id": "R",
        "payload": {"type": "http", "request_id": "R", "payload": request},
    }
    with _connected(address) as connection:
        connection.sendall(frame(message))
        connection.shutdown(socket.SHUT_WR)
        answer = _until_end(connection)
    if b'"status": 200' not in answer:
        raise OSError(f"not an answer: {answer[:80]!r}")


def first_answer(ask: Ask, address: str, within: float = 20) -> float:
    """The moment of the first answer; asked again and again from now on, as somebody would who can't wait."""
    deadline = time.monotonic() + within
    while True:
        with suppress(OSError):
            ask(address)
            return time.perf_counter()
        if time.monotonic() > deadline:
            raise SystemExit(f"no answer from {address} within {within:g} s")
        time.sleep(0.001)


@contextmanager
def as_core() -> Iterator[None]:
    """As user toru: sockets of plugins are for the core, which waits until it may connect."""
    os.setegid(grp.getgrnam("toru").gr_gid)
    os.seteuid(pwd.getpwnam("toru").pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@contextmanager
def by_hand(program: Path, address: str, *, inherits: bool) -> Iterator[None]:
    """The program without systemd, on a socket at this address: inherited, or one that it binds for itself."""
    silent = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    with socket.socket(socket.AF_UNIX) as listener:
        if inherits:
            listener.bind(address)
            listener.listen()
        actions = [*silent, (os.POSIX_SPAWN_DUP2, listener.fileno(), 3)] if inherits else silent
        environment = {**os.environ, "TORU_PLUGIN_SOCKET": address}
        process = os.posix_spawn(program, [str(program)], environment, file_actions=actions)
        try:
            yield
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            Path(address).unlink(missing_ok=True)


def forget(*units: str) -> None:
    """Stops units of our own, and whatever would be left of them."""
    run("systemctl", "stop", *units, check=False)
    run("systemctl", "reset-failed", *units, check=False)


def _connected(address: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _until_end(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)
