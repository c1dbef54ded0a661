"""Plugins as processes of their own, and whoever asks them, without the client's connection around it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import uvloop

from toru.domain import frames
from toru.domain.ids import PluginId
from toru.domain.manifest import Protocol
from toru.domain.people import Caller, Role, Via
from toru.gateway.exchange import Carrier, Headers, Request, Way
from toru.gateway.refusals import Refusal
from toru.gateway.targets import Availability, Target

SOURCES = Path(__file__).parents[1] / "plugins"

T = TypeVar("T")


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """As in production: on uvloop. No descriptor and no task may be left."""
    before = _descriptors()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(_and_nothing_left(scenario))
    deadline = time.monotonic() + 5  # a scripted plugin has its sockets in this process too, and closes them soon
    while (left := _descriptors()) != before and time.monotonic() < deadline:
        time.sleep(0.005)
    assert left == before, "descriptors were left open"
    return result


def _descriptors() -> list[str]:
    """Of sockets and files; uvloop has some of its own that are neither."""
    links = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sorted(link for link in links if link.startswith(("socket:", "/")) and not link.startswith("/proc"))


async def _and_nothing_left(scenario: Coroutine[Any, Any, T]) -> T:
    try:
        async with asyncio.timeout(30):
            result = await scenario
    except BaseException:
        # It is told, and not what it has left behind: for that, uvloop would not end.
        warnings.simplefilter("ignore", ResourceWarning)
        raise
    async with asyncio.timeout(10):
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
    return result


ODD = Target(
    plugin=PluginId("odd"),
    name="The odd",
    route="/odd",
    protocol=Protocol.TORU_1,
    socket_path="",
    bell_path=None,
    availability=Availability.RUNNING,
    timeout=30,
    max_body=1 << 30,
    max_concurrent=16,
)


class Plugin:
    """A file of tests/plugins as a process, with some of its constants changed."""

    def __init__(self, directory: Path, source: str, **changes: Any) -> None:
        text = (SOURCES / source).read_text()
        for name, value in changes.items():
            text, count = re.subn(rf"^{name.upper()} = .*$", f"{name.upper()} = {value!r}", text, flags=re.MULTILINE)
            assert count == 1, f"{source} has no constant {name.upper()}"
        directory.mkdir(exist_ok=True)
        self._file = directory / source
        self._file.write_text(text)
        self._log = directory / "log"
        self._log.touch()
        self.path = directory / "plugin.sock"
        self.inherits = source.startswith("toru2")
        self._listener = _listening(self.path) if self.inherits else None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, with_init: bool = True) -> None:
        environment = {"PATH": os.environ["PATH"], "TORU_PLUGIN_SOCKET": str(self.path)}
        argv = [sys.executable, str(self._file)]
        descriptors: tuple[int, ...] = ()
        if self._listener is not None:
            # As systemd does it: the socket is descriptor 3.
            descriptors = (self._listener.fileno(),)
            argv = [
                sys.executable,
                "-c",
                f"import os, sys; os.dup2({descriptors[0]}, 3); os.execv(sys.argv[1], sys.argv[1:])",
                *argv,
            ]
        if self.process is not None:
            self.process.wait(20)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log, pass_fds=descriptors)
        if self._listener is None:
            self._greet(with_init=with_init)
        else:
            self.wait_for("serving as")

    def _greet(self, *, with_init: bool) -> None:
        """As `toru-admin greet` does."""
        with socket.socket(socket.AF_UNIX) as connection:
            self.until(lambda: connection.connect_ex(str(self.path)) == 0)
            if with_init:
                said = {"instance_id": "I", "plugin_socket": str(self.path), "log_path": "/dev/null"}
                connection.sendall(frames.init(**said, now=datetime.now(UTC)))

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def end(self, number: int = signal.SIGKILL) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)

    def freeze(self) -> None:
        """Returns when it stands still."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        state = Path(f"/proc/{self.pid}/stat")
        self.until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T")

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.end()
        if self._listener is not None:
            self._listener.close()

    @property
    def knocks(self) -> int:
        """Connections that the plugin has not accepted yet: in /proc/net/unix they have no socket (02) but its path."""
        lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]
        return sum(line[5] == "02" and line[-1] == str(self.path) for line in lines)

    def log(self) -> list[str]:
        return self._log.read_text().splitlines()

    def wait_for(self, words: str, times: int = 1) -> None:
        """Until the plugin has said so."""
        self.until(lambda: sum(words in line for line in self.log()) >= times)

    def until(self, fact: Any) -> None:
        deadline = time.monotonic() + 20
        while not fact():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.005)

    def target(self, availability: Availability = Availability.RUNNING, **changes: Any) -> Target:
        target = replace(
            ODD,
            protocol=Protocol.TORU_2 if self.inherits else Protocol.TORU_1,
            socket_path=str(self.path),
            bell_path=None if self.inherits else str(self.path.with_name("bell.sock")),
            availability=availability,
        )
        return replace(target, **changes)


def _listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(4096)
    return listener


@dataclass(frozen=True, kw_only=True)
class _Request:
    """As much of it as carriers look at."""

    id: str
    method: bytes
    path: bytes
    lines: tuple[str, ...]
    length: int | None
    body: bytes | None
    upgrade: bytes | None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        pairs = (line.encode().split(b": ", 1) for line in self.lines)
        return [(name.lower(), value) for name, value in pairs]


class Asked:
    """A request that has begun, and what has become of it: an `Exchange`, as carriers see it."""

    _numbers = iter(range(1, 1_000_000))

    def __init__(  # noqa: PLR0913  (a request has these parts)
        self,
        way: Way,
        path: str = "/",
        *,
        method: str = "GET",
        headers: tuple[str, ...] = (),
        body: bytes | None = b"",
        length: int | None = None,
        reads: bool = True,
        upgrade: bytes | None = None,
    ) -> None:
        asked = _Request(
            id=f"request-{next(self._numbers)}",
            method=method.encode(),
            path=path.encode(),
            lines=headers,
            length=length if body is None else len(body),
            body=body,
            upgrade=upgrade,
        )
        self.request = cast("Request", asked)
        self.target = ODD
        self.caller = Caller(name="ann", role=Role.CLIENT, via=Via.SESSION)
        self.reads = reads
        self.status: int | None = None
        self.headers: Headers = ()
        self.length: int | None = None
        self.body = bytearray()
        self.refusal: Refusal | None = None
        self.invited = False
        self.body_paused = False
        self.over = False
        self.ended = asyncio.Event()
        self.something = asyncio.Event()
        self.carrier: Carrier | None = None
        carrier = way.begin(self)
        if not self.over:
            self.carrier = carrier
            if not reads:
                carrier.pause()

    # What carriers call.

    def invite_body(self) -> None:
        self.invited = True
        self.something.set()

    def pause_body(self) -> None:
        self.body_paused = True

    def resume_body(self) -> None:
        self.body_paused = False
        self.something.set()

    def respond(self, status: int, reason: bytes, headers: Headers, length: int | None) -> None:
        assert reason == b""
        assert self.status is None, "one head"
        self.status, self.headers, self.length = status, headers, length
        self.something.set()

    def write(self, data: bytes) -> None:
        assert not self.over
        self.body += data
        self.something.set()

    def finish(self) -> None:
        self._end()

    def fail(self, refusal: Refusal) -> None:
        self.refusal = refusal
        self._end()

    def _end(self) -> None:
        assert not self.over, "it ends once"
        self.over = True
        self.carrier = None
        self.ended.set()
        self.something.set()

    # What tests call.

    async def answer(self) -> Asked:
        await self.ended.wait()
        return self

    async def text(self) -> str:
        await self.ended.wait()
        assert self.refusal is None, self.refusal
        return self.body.decode()

    async def until(self, fact: Any) -> None:
        while not fact(self):
            assert not self.over, self.refusal
            self.something.clear()
            await self.something.wait()

    def send(self, data: bytes) -> None:
        if self.carrier is not None:
            self.carrier.body(data)

    def end_of_body(self) -> None:
        if self.carrier is not None:
            self.carrier.end_of_body()

    def read_again(self) -> None:
        if self.carrier is not None:
            self.carrier.resume()

    def leave(self) -> None:
        carrier, self.carrier = self.carrier, None
        self.over = True
        if carrier is not None:
            carrier.abandon()

    @property
    def outcome(self) -> tuple[int, str]:
        """The status that the client gets, and the code where it is a refusal."""
        if self.refusal is not None:
            return self.refusal.status, self.refusal.code
        assert self.status is not None
        return self.status, ""
