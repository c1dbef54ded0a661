"""A program, run as systemd would run it as a plugin: the same socket, environment and directories, and no more."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from toru.check import launch
from toru.domain.manifest import Manifest, Protocol

LINES_KEPT = 200
LONGEST_LINE = 48 << 10
"""journald cuts lines that are longer (LineMax= in journald.conf(5))."""
BACKLOG = 4096

CLEAN_SIGNALS = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE})
"""By which a program may end and has ended well (SuccessExitStatus= in systemd.service(5))."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def command(program: Path, *arguments: str, descriptor: int | None = None, largest: int | None = None) -> list[str]:
    """What to run in order that it becomes this program."""
    options = ["-" if it is None else str(it) for it in (descriptor, largest)]
    return [sys.executable, "-I", "-S", launch.__file__, *options, str(program), *arguments]


def bare_environment() -> dict[str, str]:
    """What systemd gives to every service."""
    return {"PATH": _PATH, "LANG": "C.UTF-8", "INVOCATION_ID": uuid.uuid4().hex}


class Program:
    """One plugin's program, started and ended as often as checks want. Everything of it lies below `place`."""

    def __init__(self, file: Path, manifest: Manifest, place: Path) -> None:
        self._file = file
        self._manifest = manifest
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None
        self._hearing: list[asyncio.Task[None]] = []
        self._listener: socket.socket | None = None
        self._notified: socket.socket | None = None
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """With its return code; `Popen` has it below zero for a signal."""
        self.is_ready = asyncio.Event()
        """It has sent READY=1."""
        self.pinged = asyncio.Event()
        """It has sent WATCHDOG=1 since somebody last cleared this."""
        self.log: deque[str] = deque(maxlen=LINES_KEPT)
        """What it wrote last, over all its runs."""
        self.bad_line: str | None = None
        """What is wrong with the first line that can't be understood as it is meant."""
        self.read_line: Callable[[bytes], str | None] = lambda _: None
        """Says of each line what is wrong with it."""

        kinds = {"STATE": "state", "CACHE": "cache", "LOGS": "logs", "RUNTIME": "run"}
        self._directories = {f"{kind}_DIRECTORY": place / name for kind, name in kinds.items()}
        for directory in (*self._directories.values(), place / "credentials"):
            directory.mkdir(mode=0o700)
        (place / "credentials" / "toru-token").write_text(secrets.token_urlsafe(32), encoding="ascii")
        self.own_path = self._directories["RUNTIME_DIRECTORY"] / "plugin.sock"
        self.log_path = self._directories["LOGS_DIRECTORY"] / "plugin.log"
        self.path = self.own_path if manifest.rings else place / "plugin.sock"
        """Where it can be reached."""
        self.instance_id = str(uuid.uuid4())
        if not manifest.rings:
            # Held from first to last, as systemd does: who comes while nobody accepts, waits.
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(str(self.path))
            self._listener.listen(BACKLOG)

    @property
    def is_running(self) -> bool:
        return self._process is not None and not self.ended.done()

    @property
    def takes_notices(self) -> bool:
        return self._manifest.protocol is not Protocol.TORU_1 or self._manifest.watchdog is not None

    async def start(self, *, over_leftovers: bool = False) -> None:
        """A new process. `over_leftovers`: with the files that the last one left in its runtime directory."""
        await self.kill()
        if not over_leftovers:
            shutil.rmtree(self._directories["RUNTIME_DIRECTORY"])
            self._directories["RUNTIME_DIRECTORY"].mkdir(mode=0o700)
        loop = asyncio.get_running_loop()
        self.ended = loop.create_future()
        self.is_ready.clear()
        # A socket, as journald's: what is done with /dev/stdout that works with files only, fails here too.
        ours, theirs = socket.socketpair()
        with theirs:
            environment = self._environment(theirs)
            if self.takes_notices:
                environment["NOTIFY_SOCKET"] = self._listen_for_notices()
            inherited = None if self._listener is None else self._listener.fileno()
            self._process = subprocess.Popen(  # noqa: ASYNC220  (it returns as soon as there is a process)
                command(self._file, descriptor=inherited),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=theirs.fileno(),
                stderr=theirs.fileno(),
                pass_fds=() if inherited is None else (inherited,),
                start_new_session=True,
            )
        ours.setblocking(False)  # noqa: FBT003  (as the standard library has it)
        self._hearing.append(asyncio.create_task(self._read_log(ours)))
        if self._notified is not None:
            self._hearing.append(asyncio.create_task(self._read_notices(self._notified)))
        pidfd = os.pidfd_open(self._process.pid)
        loop.add_reader(pidfd, self._see_end, self._process, pidfd, self.ended)

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """Ends it, and whatever it started, as systemd does in the end."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self.ended
        # The log comes to its end, unless somebody has escaped with it.
        await asyncio.wait(self._hearing[:1], timeout=1)
        for task in self._hearing:
            task.cancel()
        await asyncio.gather(*self._hearing, return_exceptions=True)
        self._hearing.clear()
        if self._notified is not None:
            self._notified.close()
        self._process = self._notified = None

    async def close(self) -> None:
        await self.kill()
        if self._listener is not None:
            self._listener.close()

    def leave_a_socket(self) -> None:
        """Where it binds lies what an earlier process left there."""
        with suppress(FileNotFoundError):
            self.own_path.unlink()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as forgotten:
            forgotten.bind(str(self.own_path))

    def _environment(self, output: socket.socket) -> dict[str, str]:
        status = os.fstat(output.fileno())
        variables: Mapping[str, object] = {
            **self._directories,
            "CREDENTIALS_DIRECTORY": self._place / "credentials",
            "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}",
            "TORU_PLUGIN_ID": self._manifest.id,
            "TORU_INSTANCE_ID": self.instance_id,
            "TORU_PLUGIN_SOCKET": self.path,
            "TORU_API_SOCKET": self._place / "api.sock",  # nobody is there: plugins run without the core
        }
        if self._manifest.watchdog is not None:
            variables = {**variables, "WATCHDOG_USEC": round(self._manifest.watchdog * 1_000_000)}
        return bare_environment() | {name: str(value) for name, value in variables.items()}

    def _see_end(self, process: subprocess.Popen[bytes], pidfd: int, ended: asyncio.Future[int]) -> None:
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        ended.set_result(process.wait())

    # What it says.

    def _listen_for_notices(self) -> str:
        path = self._place / "notify"
        path.unlink(missing_ok=True)
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notified.setblocking(False)  # noqa: FBT003  (as the standard library has it)
        self._notified.bind(str(path))
        return str(path)

    async def _read_notices(self, notified: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for line in (await loop.sock_recv(notified, 4096)).decode(errors="replace").splitlines():
                if line == "READY=1":
                    self.is_ready.set()
                elif line == "WATCHDOG=1":
                    self.pinged.set()

    async def _read_log(self, output: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        begun = b""
        with output:
            while received := await loop.sock_recv(output, 1 << 16):
                *lines, begun = (begun + received).split(b"\n")
                for line in lines:
                    self._take_line(line)
                if len(begun) > LONGEST_LINE:
                    self._take_line(begun)
                    begun = b""
        if begun:
            self._take_line(begun)

    def _take_line(self, line: bytes) -> None:
        self.log.append(line.decode(errors="replace"))
        if self.bad_line is None:
            self.bad_line = self.read_line(line)


def how_it_ended(code: int) -> str:
    """Completes "the program …"."""
    if code == launch.CANNOT_RUN:
        return "could not be executed"
    if code >= 0:
        return f"ended with exit status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def ended_well(code: int) -> bool:
    return code == 0 or -code in CLEAN_SIGNALS
