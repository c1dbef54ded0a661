"""Trials from outside: start one, run commands in it, restart and end it."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from toru.trial import cgroups, machine, registry
from toru.trial.options import Options, TrialError
from toru.trial.registry import Record

_HERE = Path(__file__).resolve().parent
# The keeper gives up on a boot or a shutdown before we give up on the keeper.
_PATIENCE_SECONDS = 90.0

# Becomes a command of the trial: in a fresh environment, allowed no more than its PID 1, and gone when nsenter is.
# $0: the user, or nothing.
_BECOME = """\
become() {
    exec setpriv --pdeathsig KILL --bounding-set=-sys_time,-sys_module,-sys_rawio --reset-env "$@"
}
[ -n "$0" ] || become -- env LANG=C.UTF-8 "$@"
gid=$(id -g -- "$0") || exit 1
become --reuid "$0" --regid "$gid" --init-groups -- env LANG=C.UTF-8 "$@"
"""


class Inside(subprocess.Popen[str]):
    """A command that runs inside. Signals reach the command itself, and it dies with nsenter, which is our child."""

    def send_signal(self, sig: int) -> None:
        # nsenter passes no signal on. And were it killed first, what it leaves would have to be collected by the
        # machine's init, and the trial's shutdown would wait for that.
        if self.poll() is not None:
            return
        with suppress(FileNotFoundError, ProcessLookupError):
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            for child in children:
                os.kill(int(child), sig)
            if children:
                return
        super().send_signal(sig)


class Trial:
    """A private systemd with Toru in it.

    As a context manager it is started and stopped. It ends with the process that started it, however that ends,
    unless started with `detach`.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.name = self.options.name
        self._connection: socket.socket | None = None
        self._unread = b""
        self._pidfd: int | None = None  # of the keeper, which outlives its record

    @classmethod
    def find(cls, name: str) -> Self:
        """Return the running trial of this name, or raise TrialError."""
        registry.find(name)
        return cls(Options(name=name))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Trial({self.name!r})"

    # its life

    def start(self, *, detach: bool = False) -> Self:
        """Boot, and return when systemd is up; raise TrialError if that can't be."""
        machine.check_machine()
        toru = machine.running_toru(self.options.units)
        record, lock = registry.claim(self.options, toru)
        try:
            try:
                self._connection, theirs = socket.socketpair()
                with theirs:
                    _launch(record, lock, theirs.fileno(), detach=detach)
            finally:
                os.close(lock)  # from here on the keeper's copy holds, or nobody's
            self._ask("up", boots=1)
        except BaseException:
            self.stop()
            raise
        return self

    def reboot(self) -> None:
        """Do what `systemctl reboot` does, and return when systemd is up again."""
        self._ask("reboot")

    def wait_for_boot(self, number: int) -> None:
        """Return when systemd is up for the number-th time, 1 being the first."""
        self._ask("up", boots=number)

    def stop(self) -> None:
        """Do what `systemctl poweroff` does, and return when nothing of the trial is left. No trial, nothing to do."""
        with self._keeper() as keeper:
            with suppress(OSError, TrialError):
                connection = self._connected()
                connection.sendall(b'{"ask": "stop"}\n')
                connection.settimeout(_PATIENCE_SECONDS)
                while connection.recv(4096):  # until nobody holds the other end
                    pass
            if self._connection is not None:
                self._connection.close()
                self._connection, self._unread = None, b""
            if keeper is not None and not _ended(keeper, _PATIENCE_SECONDS):
                raise TrialError(f"The trial {self.name} did not end in {_PATIENCE_SECONDS:.0f} s.")
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        registry.running()  # sweeps, should the keeper have died of something else

    def wait(self) -> None:
        """Return when the trial has ended by itself or somebody else's wish."""
        with self._keeper() as keeper:
            if keeper is not None:
                _ended(keeper, None)

    # what is in it

    @property
    def pid(self) -> int:
        """Its PID 1, as seen from outside; another one after a reboot."""
        pid = self._record().pid
        if not pid:
            raise TrialError(f"The trial {self.name} is booting.")
        return pid

    @property
    def boots(self) -> int:
        """How often its systemd was up so far."""
        return self._record().boots

    @property
    def port(self) -> int:
        return self._record().port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def path(self, inner: str | Path) -> Path:
        """Return where a file of the trial is seen from outside, until the next reboot."""
        return Path(f"/proc/{self.pid}/root") / str(inner).lstrip("/")

    def command(self, argv: Sequence[str], *, user: str | None = None) -> list[str]:
        """Return the command line that runs argv inside, as root or as another of the trial's users."""
        record = self._record()
        return [
            *("sh", str(_HERE / "enter.sh"), *record.entrances, "--"),
            *("nsenter", "--target", str(self.pid), "--mount", "--pid", "--cgroup", "--uts", "--ipc", "--"),
            *("sh", "-c", _BECOME, user or "", *argv),
        ]

    def run(
        self,
        argv: Sequence[str],
        *,
        user: str | None = None,
        input: str | None = None,  # noqa: A002  as in subprocess
        timeout: float = 60,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as subprocess.run does, with its output captured as text.

        With check, a command that fails raises TrialError with what it said.
        """
        stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
        streams = {"stdin": stdin, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with self.popen(argv, user=user, **streams) as process:
            try:
                output, errors = process.communicate(input, timeout=timeout)
            except BaseException:
                process.kill()
                raise
        result = subprocess.CompletedProcess(list(argv), process.returncode, output, errors)
        if check and result.returncode != 0:
            raise TrialError(
                f"`{' '.join(argv)}` ended with {result.returncode} in {self.name}: {(errors or output).strip()}"
            )
        return result

    def popen(self, argv: Sequence[str], *, user: str | None = None, **options: Any) -> Inside:
        """Start a command inside, as subprocess.Popen does, with text streams."""
        return Inside(self.command(argv, user=user), text=True, **options)

    # how it is asked

    def _record(self) -> Record:
        try:
            return Record.load(self.name)
        except FileNotFoundError:
            raise TrialError(f"There is no trial named {self.name}.") from None

    @contextmanager
    def _keeper(self) -> Iterator[int | None]:
        """Give a pidfd of the keeper; None when it has ended, or not begun."""
        if self._pidfd is not None:
            yield self._pidfd
            return
        try:
            pidfd = os.pidfd_open(self._record().keeper)
        except (TrialError, OSError):
            yield None
            return
        try:
            yield pidfd
        finally:
            os.close(pidfd)

    def _connected(self) -> socket.socket:
        if self._connection is None:
            self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._connection.connect(str(self._record().control))
            except BaseException:
                self._connection.close()
                self._connection = None
                raise
        return self._connection

    def _ask(self, what: str, **facts: object) -> dict[str, Any]:
        """Ask the keeper and return its answer; raise TrialError when that is an error, or none."""
        try:
            connection = self._connected()
            connection.sendall(json.dumps({"ask": what, **facts}).encode() + b"\n")
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while b"\n" not in self._unread:
                connection.settimeout(max(0.1, deadline - time.monotonic()))
                data = connection.recv(4096)
                if not data:
                    raise TrialError(f"The trial {self.name} has ended.")
                self._unread += data
        except (BrokenPipeError, ConnectionError) as error:
            raise TrialError(f"The trial {self.name} has ended.") from error
        except TimeoutError as error:
            raise TrialError(f"The trial {self.name} does not answer.") from error
        line, _, self._unread = self._unread.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if self._pidfd is None:
            with suppress(ProcessLookupError):
                self._pidfd = os.pidfd_open(answer["keeper"])
        if "error" in answer:
            raise TrialError(answer["error"])
        return answer


def _launch(record: Record, lock: int, connection: int, *, detach: bool) -> None:
    """Start a trial's keeper."""
    owner = -1 if detach else os.pidfd_open(os.getpid())
    python = [sys.executable, "-S", "-P", "-m", "toru.trial.keeper", record.name, *map(str, (lock, owner, connection))]
    # setsid --fork: nobody's child, so that nobody's wait() or hangup reaches it.
    # slave: what the machine unmounts while a trial runs is not kept busy by it.
    apart = ["setsid", "--fork", "unshare", "--mount", "--propagation", "slave"]
    command = [*cgroups.scope(record.name), *apart, *python]
    inherited = [fd for fd in (lock, owner, connection) if fd >= 0]
    try:
        with record.log.open("ab") as log:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**os.environ, "PYTHONPATH": str(machine.PACKAGE.parent)},
                pass_fds=inherited,
                check=False,
            )
    finally:
        if owner >= 0:
            os.close(owner)
    if done.returncode != 0:
        said = " ".join(record.log.read_text(errors="replace").split())
        raise TrialError(f"The trial's keeper did not start: {said}")


def _ended(pidfd: int, patience_seconds: float | None) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(None if patience_seconds is None else patience_seconds * 1000))
