"""Which files of the plugins directory are plugins: writes the catalogue."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toru.admin.files import locked, write_atomically
from toru.admin.probe import ProbeFailed, probe
from toru.domain import places
from toru.domain.catalogue import Catalogue, Plugin, Rejection, catalogue_of
from toru.domain.errors import InvalidManifest
from toru.domain.manifest import parse_manifest
from toru.systemd import notify, transient

SUFFIX = ".binary"
PROBES_AT_ONCE = 4
LOOKS_AT_MOST = 20
"""A directory that never comes to rest is looked at again at its next change."""

Identity = tuple[int, ...]
Snapshot = dict[str, Identity | None]


@dataclass(frozen=True, slots=True)
class Known:
    """What a probe of a file came to."""

    identity: Identity
    sha256: str
    output: str | None
    failure: str | None


def scan(plugins_dir: Path) -> Catalogue:
    """Looks at every file, runs those it has never seen, and writes what it found to `places.CATALOGUE`."""
    with locked(places.RUNTIME / "scan.lock"):
        make_plugins_directory(plugins_dir)
        catalogue = before = read_catalogue()
        # What arrives while we look may raise no second event: look until nothing has changed meanwhile.
        looks = 0
        snapshot: Snapshot | None = None
        while snapshot != (now := _snapshot(plugins_dir)) and looks < LOOKS_AT_MOST:
            looks, snapshot = looks + 1, now
            _write_seen(snapshot)
            catalogue = _look(plugins_dir, sorted(snapshot), before)
        if catalogue != before or not places.CATALOGUE.exists():
            write_atomically(places.CATALOGUE, catalogue.format())
            _log_rejections(catalogue, before)
        return catalogue


def has_changed(plugins_dir: Path) -> bool:
    """Whether the directory looks otherwise than when the last scan looked."""
    try:
        return places.SEEN.read_text() != _as_text(_snapshot(plugins_dir))
    except OSError:
        return True


def make_plugins_directory(plugins_dir: Path) -> None:
    plugins_dir.mkdir(mode=0o755, parents=True, exist_ok=True)


def read_catalogue() -> Catalogue:
    """What the last scan found; nothing, where there was none yet or another version of Toru wrote it."""
    try:
        return Catalogue.parse(places.CATALOGUE.read_bytes())
    except (OSError, ValueError):
        return Catalogue()


def _snapshot(plugins_dir: Path) -> Snapshot:
    """Every file that claims to be a plugin, and what changes whenever it changes."""
    found: Snapshot = {}
    with os.scandir(plugins_dir) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX) and not entry.name.startswith("."):
                found[entry.name] = None
                with suppress(OSError):  # a dangling link, or gone since
                    found[entry.name] = _identity(entry.stat())
    return found


def _identity(status: os.stat_result) -> Identity:
    return (status.st_dev, status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _look(plugins_dir: Path, names: list[str], before: Catalogue) -> Catalogue:
    known = _read_known()
    accepted: list[Plugin] = []
    rejected: list[Rejection] = []
    learned: dict[str, Known] = {}
    with ThreadPoolExecutor(PROBES_AT_ONCE) as pool:
        answers = [pool.submit(_examine, plugins_dir, name, known.get(name)) for name in names]
    for name, answer in zip(names, answers, strict=True):
        try:
            path, fresh = answer.result()
            learned[name] = fresh
            if fresh.failure is not None:
                raise ProbeFailed(fresh.failure)
            manifest = parse_manifest((fresh.output or "").encode(errors="surrogateescape"))
            accepted.append(Plugin(manifest=manifest, path=path))
        except ProbeFailed as failure:
            rejected.append(Rejection(file=_printable(name), reason=failure.reason))
        except InvalidManifest as breach:
            rejected.append(Rejection(file=_printable(name), reason=str(breach)))
    if learned != known:
        _write_known(learned)
    return catalogue_of(accepted, rejected, before)


def _examine(plugins_dir: Path, name: str, known: Known | None) -> tuple[Path, Known]:
    """What is known of the file after a look at it; a probe only if its content was never seen before."""
    path = plugins_dir / name
    if _printable(name) != name:
        raise ProbeFailed("its name has characters that can't be shown")
    try:
        if not path.resolve(strict=True).is_relative_to(plugins_dir.resolve()):
            raise ProbeFailed("it is a link to a file outside the plugins directory")
        status = path.stat()
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        raise ProbeFailed("it is a link to nowhere") from None
    if not stat.S_ISREG(status.st_mode):
        raise ProbeFailed("it is not a file")
    if not status.st_mode & 0o111:
        raise ProbeFailed("it is not executable: chmod 755")
    identity = _identity(status)
    if known is not None and known.identity == identity:
        return path, known
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ProbeFailed(f"it can't be read: {error.strerror}") from error
    if known is not None and known.sha256 == sha256:
        return path, replace(known, identity=identity)
    return path, _probe(path, identity, sha256)


def _probe(path: Path, identity: Identity, sha256: str) -> Known:
    try:
        with transient.connect() as systemd:
            output = probe(systemd, path)
    except ProbeFailed as failure:
        if not failure.lasting:
            raise
        return Known(identity, sha256, None, failure.reason)
    except OSError as error:
        raise ProbeFailed(f"it went away while it was looked at: {error.strerror}", lasting=False) from error
    return Known(identity, sha256, output.decode(errors="surrogateescape"), None)


def _as_text(snapshot: Snapshot) -> str:
    return json.dumps(snapshot, sort_keys=True)


def _write_seen(snapshot: Snapshot) -> None:
    write_atomically(places.SEEN, _as_text(snapshot).encode())


def _read_known() -> dict[str, Known]:
    try:
        content: Any = json.loads(places.PROBES.read_bytes())
        return {
            name: Known(tuple(row["identity"]), row["sha256"], row["output"], row["failure"])
            for name, row in content.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}  # a cache: what is not in it is found out again


def _write_known(known: dict[str, Known]) -> None:
    content = {
        name: {"identity": row.identity, "sha256": row.sha256, "output": row.output, "failure": row.failure}
        for name, row in known.items()
    }
    places.PROBES.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_atomically(places.PROBES, json.dumps(content).encode())


def _log_rejections(catalogue: Catalogue, before: Catalogue) -> None:
    for rejection in catalogue.rejected:
        if rejection not in before.rejected:
            notify.log(notify.ERROR, f"{rejection.file} is no plugin: {rejection.reason}", TORU_FILE=rejection.file)


def _printable(name: str) -> str:
    """A file name as it may be shown: whatever is not printable, or not UTF-8, as an escape."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)
