"""The trials of this machine: one directory below /run/toru-try for each, and nothing when there is none.

A trial is alive for as long as its keeper holds the lock on its directory, which the kernel lets go however the keeper
ends. What a dead one left is swept whenever anybody looks.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from toru.trial import cgroups
from toru.trial.machine import Toru, open_to_all
from toru.trial.options import DEFAULT_PORT, Options, TrialError

ROOT = Path("/run/toru-try")
_RECORD = "trial.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One trial: what was asked for, what exists outside of its namespaces, and what runs.

    keeper, pid  of the keeper and of the trial's PID 1; 0 while there is none
    boots        how often its systemd was up
    made         directories made as mount points in directories of the user's
    """

    name: str
    port: int
    toru: Toru
    plugins: str | None = None
    limits: bool = False
    files: dict[str, str] = field(default_factory=dict)
    cgroups: tuple[str, ...] = ()
    v1: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    keeper: int = 0
    pid: int = 0
    boots: int = 0

    @property
    def directory(self) -> Path:
        return ROOT / self.name

    @property
    def control(self) -> Path:
        """The socket where the keeper takes requests."""
        return self.directory / "control"

    @property
    def log(self) -> Path:
        """What was said before the trial had a journal."""
        return self.directory / "log"

    @property
    def layers(self) -> Path:
        """Where the keeper, and nobody else, sees a tmpfs with everything that the trial writes."""
        return self.directory / "layers"

    @property
    def entrances(self) -> list[str]:
        """The cgroups of the trial's PID 1, in the hierarchies where systemd keeps track of processes.

        Outside of them a process could not be moved by the trial's systemd, as `systemd-run --scope` asks.
        """
        v2, *v1 = self.cgroups
        tracked = [v2, *(path for path, controllers in zip(v1, self.v1, strict=True) if controllers == "name=systemd")]
        return [f"{path}/init.scope" for path in tracked]

    def save(self) -> None:
        new = self.directory / f"{_RECORD}.new"
        new.write_text(json.dumps(asdict(self)))
        new.replace(self.directory / _RECORD)

    @classmethod
    def load(cls, name: str) -> Self:
        fields: dict[str, Any] = json.loads((ROOT / name / _RECORD).read_text())
        lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        return cls(**{**fields, **lists, "toru": Toru(**fields["toru"])})


def claim(options: Options, toru: Toru) -> tuple[Record, int]:
    """Register a trial and return it with the lock that its keeper must inherit; raise TrialError if it can't be."""
    with _only_one():
        running = _sweep()
        if options.plugins is not None and not open_to_all(options.plugins):
            raise TrialError(f"Plugins, which are not root, can't read {options.plugins}: chmod go+rx it.")
        if any(record.name == options.name for record in running):
            raise TrialError(
                f"A trial named {options.name} is running already: end it with `toru try down {options.name}`, "
                "or give the new one another name."
            )
        port = _port(options.port, taken={record.port for record in running})
        record = Record(
            name=options.name,
            port=port,
            toru=toru,
            plugins=str(options.plugins.absolute()) if options.plugins else None,
            limits=options.limits,
            files=dict(options.files),
        )
        made = _mount_point(record, running)
        record = replace(record, made=made)
        record.directory.mkdir(mode=0o700)
        lock = _locked(record.directory)
        if lock is None:
            raise TrialError(f"{record.directory} is locked by somebody else.")
        record.layers.mkdir()
        record.save()
        for path in made:
            Path(path).mkdir(exist_ok=True)
        return record, lock


def release(record: Record) -> None:
    """Forget a trial whose processes have ended, and remove all it had outside of its namespaces."""
    with _only_one():
        _forget(record, others=[other for other in _records() if other.name != record.name])


def running() -> list[Record]:
    """Return the trials that are alive, by name, after sweeping what dead ones left."""
    if not ROOT.exists():
        return []
    with _only_one():
        return _sweep()


def find(name: str) -> Record:
    """Return the trial of this name, or raise TrialError."""
    for record in running():
        if record.name == name:
            return record
    raise TrialError(f"There is no trial named {name}.")


@contextmanager
def _only_one() -> Iterator[None]:
    """Hold the registry, which exists inside and, unless a trial does, not afterwards."""
    while True:
        with suppress(FileExistsError):  # exist_ok=True would look again, when it may be gone
            ROOT.mkdir(mode=0o755)
        try:
            fd = os.open(ROOT, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # removed by its last user just now
        fcntl.flock(fd, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.fstat(fd).st_ino == ROOT.stat().st_ino:
                break
        os.close(fd)  # removed by its last user while we waited
    try:
        yield
    finally:
        with suppress(OSError):  # not empty: a trial is there
            ROOT.rmdir()
        os.close(fd)


def _records() -> list[Record]:
    found = []
    for path in sorted(ROOT.iterdir()):
        with suppress(FileNotFoundError, NotADirectoryError, ValueError, TypeError):
            found.append(Record.load(path.name))
    return found


def _locked(directory: Path) -> int | None:
    """Lock a trial's directory; None while its keeper lives."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _sweep() -> list[Record]:
    """Remove what dead trials left and return the living."""
    living, dead = [], []
    for record in _records():
        lock = _locked(record.directory)
        if lock is None:
            living.append(record)
        else:
            dead.append(record)
            os.close(lock)
    for record in dead:
        _forget(record, others=living)
    known = {record.name for record in living}
    for path in ROOT.iterdir():
        if path.name not in known:  # ended between its directory and its record
            shutil.rmtree(path, ignore_errors=True)
    return living


def _forget(record: Record, others: list[Record]) -> None:
    cgroups.remove(map(Path, record.cgroups))
    needed = {path for other in others for path in other.made}
    for path in record.made:
        if path not in needed:
            with suppress(OSError):  # no longer empty: then it is the user's
                Path(path).rmdir()
    shutil.rmtree(record.directory, ignore_errors=True)


def _mount_point(record: Record, others: list[Record]) -> tuple[str, ...]:
    """Name the directory to make in the user's plugins directory, so that the trial's own .metadata can lie over it."""
    if record.plugins is None:
        return ()
    path = Path(record.plugins) / ".metadata"
    shared = any(str(path) in other.made for other in others)
    return (str(path),) if shared or not path.exists() else ()


def _port(wanted: int | None, taken: set[int]) -> int:
    if wanted is not None:
        if wanted in taken or not _free(wanted):
            raise TrialError(f"Port {wanted} is taken: give another one, or none to get the next that is free.")
        return wanted
    for port in range(DEFAULT_PORT, 2**16):
        if port not in taken and _free(port):
            return port
    raise TrialError(f"No port from {DEFAULT_PORT} on is free.")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # As systemd does: what is left of closed connections is no user of the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
