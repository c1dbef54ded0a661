"""The process that holds a trial: python3 -m toru.trial.keeper NAME LOCK OWNER CONNECTION.

It lives in a session of its own and in the trial's outer mount namespace, boots the trial's systemd, boots it again
after a reboot, and removes all the trial had once that has ended, or its owner has. The numbers are inherited file
descriptors: the lock on the trial's directory, a pidfd of the owner (-1: none, it is detached) and a connection on
which the owner asks, one JSON object a line: {"ask": "up" | "reboot" | "stop", "boots": N}. Anybody else asks the
same on the control socket. An answer is {"keeper": …, "pid": …, "boots": …} or {"keeper": …, "error": …}.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toru.trial import cgroups, layers, registry
from toru.trial.options import TrialError

HERE = Path(__file__).resolve().parent
BOOT_SECONDS = 60
STOP_SECONDS = 30

# systemd(1): what these tell PID 1.
REBOOT = signal.SIGRTMIN + 5
POWEROFF = signal.SIGRTMIN + 4
# reboot(2): how the init of a pid namespace dies of a reboot inside.
DIED_OF_REBOOT = -signal.SIGHUP


@dataclass(eq=False)
class Client:
    """Somebody who asks, and the number of boots after which the answer is due."""

    socket: socket.socket
    unread: bytes = b""
    due_after: int | None = None

    def answer(self, **facts: object) -> None:
        self.due_after = None
        with suppress(OSError):  # gone
            self.socket.sendall(json.dumps({"keeper": os.getpid(), **facts}).encode() + b"\n")


@dataclass
class Run:
    """One run of the trial's systemd: from unshare to the death of PID 1."""

    process: subprocess.Popen[bytes]
    pidfd: int
    pid: int = 0


@dataclass
class Keeper:
    record: registry.Record
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    clients: set[Client] = field(default_factory=set)
    running: Run | None = None
    ending: bool = False
    deadline: float | None = None
    failure: str = ""

    def __post_init__(self) -> None:
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # An address that needs no file: the trial has a /run of its own, but the machine's network.
        self.notify.bind("")
        self.notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    # what is listened to

    def listen(self, connection: socket.socket, owner: int) -> None:
        told, teller = socket.socketpair()
        teller.settimeout(0)
        signal.set_wakeup_fd(teller.detach())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self._watch(told, lambda: self._told(told))
        self.control.bind(str(self.record.control))
        self.control.listen()
        self._watch(self.control, self._accept)
        self._watch(self.notify, self._notified)
        self._take(connection)
        if owner >= 0:
            self._watch(owner, lambda: self._owner_died(owner))

    def _watch(self, thing: Any, act: Callable[[], object]) -> None:
        self.selector.register(thing, selectors.EVENT_READ, act)

    def _take(self, connection: socket.socket) -> None:
        client = Client(connection)
        self.clients.add(client)
        self._watch(connection, lambda: self._read(client))

    def _accept(self) -> None:
        connection, _ = self.control.accept()
        self._take(connection)

    def _read(self, client: Client) -> None:
        try:
            data = client.socket.recv(4096)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(client.socket)
            self.clients.discard(client)
            client.socket.close()
            return
        *lines, client.unread = (client.unread + data).split(b"\n")
        for line in lines:
            self._asked(client, json.loads(line))

    def _asked(self, client: Client, request: dict[str, Any]) -> None:
        match request:
            case {"ask": "up", "boots": int(boots)}:
                client.due_after = boots
                self._answer_due()
            case {"ask": "reboot"} if self.running and self.running.pid:
                client.due_after = self.record.boots + 1
                _tell(self.running, REBOOT)
            case {"ask": "stop"}:
                self.end()
            case _:
                client.answer(error="The trial can't do that now.")

    def _answer_due(self) -> None:
        if self.running is None or not self.running.pid:
            return
        for client in self.clients:
            if client.due_after is not None and client.due_after <= self.record.boots:
                client.answer(pid=self.record.pid, boots=self.record.boots)

    def _told(self, by: socket.socket) -> None:
        by.recv(64)
        self.end()

    def _owner_died(self, owner: int) -> None:
        self.selector.unregister(owner)
        self.end()

    # what is done

    def boot(self) -> None:
        """Start the trial's systemd; it is up once it has said so on the notification socket."""
        address = self.notify.getsockname().decode()
        command = [
            *("setpriv", "--pdeathsig", "KILL", "--"),  # dies with the keeper, and everything inside with it
            *("unshare", "--fork", "--kill-child=KILL", "--mount", "--propagation", "slave", "--pid", "--uts", "--ipc"),
            # PID 1 alone: systemd can't hand controllers on from a cgroup that holds anybody else.
            *("sh", str(HERE / "enter.sh"), *self.record.cgroups, "--"),
            *("unshare", "--cgroup", "sh", str(HERE / "boot.sh"), str(self.record.layers), *self.record.v1),
        ]
        with self.record.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**os.environ, "NOTIFY_SOCKET": address.replace("\0", "@", 1)},
            )
        self.running = run = Run(process, os.pidfd_open(process.pid))
        self._watch(run.pidfd, lambda: self._died(run))
        self.deadline = time.monotonic() + BOOT_SECONDS

    def _notified(self) -> None:
        message, ancillary, _, _ = self.notify.recvmsg(4096, socket.CMSG_SPACE(struct.calcsize("3i")))
        pids = [struct.unpack("3i", data)[0] for _, kind, data in ancillary if kind == socket.SCM_CREDENTIALS]
        # Read to the last word, or PID 1 waits for us; but only the first READY is a boot, the others follow a reload.
        if self.running is None or self.running.pid or b"READY=1" not in message.split(b"\n"):
            return
        if not any(_parent(pid) == self.running.process.pid for pid in pids):
            return  # somebody else's words
        self.running.pid = pids[0]
        self.deadline = None
        self._update(pid=pids[0], boots=self.record.boots + 1)
        self._answer_due()

    def _died(self, run: Run) -> None:
        self.selector.unregister(run.pidfd)
        os.close(run.pidfd)
        code, was_up = run.process.wait(), bool(run.pid)
        self.running = None
        self._update(pid=0)
        if code == DIED_OF_REBOOT and was_up and not self.ending:
            self.boot()
            return
        if not was_up and not self.ending:
            self.failure = f"The trial's systemd did not come up: {self._said()}"
        self.ending = True

    def _said(self) -> str:
        lines = self.record.log.read_text(errors="replace").splitlines()
        return " / ".join(line.strip() for line in lines[-5:]) or "it left no word why."

    def end(self) -> None:
        """Ask the trial to switch itself off, and see to it that it does."""
        if self.ending:
            return
        self.ending = True
        self.deadline = time.monotonic() + STOP_SECONDS
        if self.running is not None:
            if self.running.pid:
                _tell(self.running, POWEROFF)
            else:
                self.running.process.kill()

    def _late(self) -> None:
        self.deadline = None
        if self.running is not None:
            if not self.running.pid and not self.ending:
                self.failure = f"The trial's systemd did not come up in {BOOT_SECONDS} s: {self._said()}"
                self.ending = True
            self.running.process.kill()

    def _update(self, **changes: Any) -> None:
        self.record = replace(self.record, **changes)
        self.record.save()

    def run(self) -> None:
        """Hold the trial until it has ended."""
        self.boot()
        while not self.ending or self.running is not None:
            left = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
            events = self.selector.select(left)
            for key, _ in events:
                key.data()
            if self.deadline is not None and time.monotonic() >= self.deadline:
                self._late()
        for client in self.clients:
            if self.failure:
                client.answer(error=self.failure)


def _tell(run: Run, number: int) -> None:
    with suppress(ProcessLookupError):  # it is just going
        os.kill(run.pid, number)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def main(name: str, lock: str, owner: str, connection: str) -> None:
    os.umask(0o022)
    owner_fd = int(owner)
    for fd in (int(lock), *([owner_fd] if owner_fd >= 0 else []), int(connection)):
        os.set_inheritable(fd, False)  # noqa: FBT003  takes no keyword
    asker = socket.socket(fileno=int(connection))
    record = registry.Record.load(name)
    try:
        plan = cgroups.plan(name, limits=record.limits)
        record = replace(record, keeper=os.getpid(), cgroups=tuple(map(str, plan.directories)), v1=plan.v1)
        record.save()
        cgroups.make(plan.directories)
        layers.lay(record)
        keeper = Keeper(record)
        keeper.listen(asker, owner_fd)
        keeper.run()
    except TrialError as error:
        Client(asker).answer(error=str(error))
    except Exception as error:
        Client(asker).answer(error=f"The trial's keeper failed: {error!r}")
        raise
    finally:
        layers.unlay(record)
        registry.release(record)


if __name__ == "__main__":
    main(*sys.argv[1:])
