"""Lays a backup's content down beside what is there now, and finds out on the way whether it is whole."""

from __future__ import annotations

import grp
import gzip
import hashlib
import os
import pwd
import secrets
import shutil
import sqlite3
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any

from toru import __version__
from toru.domain import places
from toru.domain.errors import InvalidSettings, StoreUnavailable, ToruError
from toru.moving.about import UNCHANGED, NewerBackup, about_of, damaged
from toru.moving.archive import ABOUT, DATABASE, SUMS, sum_line
from toru.moving.core_side import cores_user
from toru.moving.roots import STAGING, Layout, Root
from toru.moving.swap import Move
from toru.moving.walking import CHUNK
from toru.settings import load_policy
from toru.store.copies import revision_of_file

LONGEST_ABOUT = 1 << 20


class NoRoom(ToruError):
    """What is in the backup can't be laid down."""

    code = "no-room"


@dataclass(slots=True, kw_only=True)
class Staged:
    """A backup's content, whole and where it can be renamed into its place."""

    about: Mapping[str, Any]
    layout: Layout
    moves: Callable[[], list[Move]]
    """What to do, once everything stands still: what there is then goes aside."""
    directories: list[Path]
    """Where it lies. They go when everything is done."""
    strangers: set[str] = field(default_factory=set)
    """Owners of files whom this host doesn't know."""


@contextmanager
def staged(archive: Path) -> Iterator[Staged]:
    """`DamagedBackup`, `NewerBackup` or `NoRoom` say what is against it. In the end nothing is left lying about."""
    key = secrets.token_hex(4)
    made: list[Path] = []
    try:
        try:
            with archive.open("rb") as file:
                staged = _Opening(archive, file, key, made).run()
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeError) as error:
            raise damaged(archive, str(error) or type(error).__name__) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise NoRoom(f"{archive} can't be laid down: {where}{error.strerror}; {UNCHANGED}") from error
        yield staged
    finally:
        for directory in reversed(made):
            if directory.name.startswith(STAGING):
                shutil.rmtree(directory, ignore_errors=True)
            else:
                with suppress(OSError):  # what was put there in the end
                    directory.rmdir()


class _Opening:
    def __init__(self, archive: Path, file: IO[bytes], key: str, made: list[Path]) -> None:
        self._archive = archive
        self._file = file
        self._key = key
        self._made = made
        self._sums: dict[str, str] = {}
        self._directories: set[str] = set()
        self._modes: list[tuple[Path, int, int, int]] = []
        self._links: list[tuple[Path, str]] = []
        self._strangers: set[str] = set()

    def run(self) -> Staged:
        with gzip.GzipFile(fileobj=self._file) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                members = iter(tar)
                about = self._about(tar, next(members, None))
                layout = Layout(
                    plugins_dir=Path(about["plugins_dir"]),
                    database=None if about["database"] is None else Path(about["database"]),
                )
                roots = {root.name: root for root in layout.roots(with_data=about["data"])}
                new = {root.name: self._staging(root.directory) / "new" for root in roots.values()}
                if layout.database is not None:
                    new[DATABASE] = self._staging(layout.database.parent) / "new"
                said = self._lay_down(tar, members, roots, new)
            while stream.read(CHUNK):  # the last bytes have the sum of all: they are looked at by being read
                pass
        self._compare(said)
        for path, target in self._links:
            path.symlink_to(target)
        for path, mode, uid, gid in reversed(self._modes):
            os.chown(path, uid, gid)
            path.chmod(mode)
        self._look_at_database(new.get(DATABASE), about)
        self._look_at_settings(new["settings"])
        return Staged(
            about=about,
            layout=layout,
            moves=lambda: _moves(roots, new, layout),
            directories=[made for made in self._made if made.name.startswith(STAGING)],
            strangers=self._strangers,
        )

    # What it says of itself.

    def _about(self, tar: tarfile.TarFile, member: tarfile.TarInfo | None) -> dict[str, Any]:
        if member is None or member.name != ABOUT or not member.isreg() or member.size > LONGEST_ABOUT:
            raise damaged(self._archive, "it does not begin as a backup of Toru does")
        file = tar.extractfile(member)
        assert file is not None  # noqa: S101  it is a file
        content = file.read()
        self._sums[ABOUT] = hashlib.sha256(content).hexdigest()
        return about_of(self._archive, content)

    # What it holds.

    def _lay_down(
        self,
        tar: tarfile.TarFile,
        members: Iterator[tarfile.TarInfo],
        roots: Mapping[str, Root],
        new: Mapping[str, Path],
    ) -> bytes:
        """Everything up to the sums, which are returned."""
        seen: set[str] = set()
        for member in members:
            name = member.name
            if name in seen:
                raise damaged(self._archive, f"it has {name!r} twice")
            seen.add(name)
            if name == SUMS and member.isreg():
                file = tar.extractfile(member)
                assert file is not None  # noqa: S101  it is a file
                said = file.read()
                if next(members, None) is not None:
                    raise damaged(self._archive, f"something comes after {SUMS}")
                return said
            if name == DATABASE and DATABASE in new and member.isreg():
                user = cores_user()
                self._write(tar, member, new[DATABASE] / DATABASE, (user.pw_uid, user.pw_gid))
                continue
            root = self._root_of(name, roots)
            inside = name.removeprefix(f"{root.name}/")
            self._one(tar, member, root, inside, new[root.name] / inside)
        raise damaged(self._archive, "its end is missing")

    def _root_of(self, name: str, roots: Mapping[str, Root]) -> Root:
        first, _, inside = name.partition("/")
        parts = inside.split("/")
        parent = name.rpartition("/")[0]
        if (
            first not in roots
            or not {"", ".", ".."}.isdisjoint(parts)
            or "\0" in name
            or not roots[first].has(parts[0])
            # A file, or a link that would lead elsewhere, is nothing that something can be in.
            or (len(parts) > 1 and parent not in self._directories)
        ):
            raise damaged(self._archive, f"it has {name!r}, which no backup has")
        return roots[first]

    def _one(self, tar: tarfile.TarFile, member: tarfile.TarInfo, root: Root, inside: str, path: Path) -> None:
        owner = (0, 0) if root.is_plugins_own else self._owner(member)
        if member.isdir():
            self._directories.add(member.name)
            path.mkdir(mode=0o700)
            self._modes.append((path, member.mode & 0o1777, *owner))
        elif member.issym() and root.may_link(inside, member.linkname):
            self._links.append((path, member.linkname))
        elif member.isreg() and not member.issparse():
            self._write(tar, member, path, owner)
        else:
            raise damaged(self._archive, f"{member.name!r} in it is of a kind that no backup has")

    def _write(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path, owner: tuple[int, int]) -> None:
        content = tar.extractfile(member)
        assert content is not None  # noqa: S101  it is a file
        summed = hashlib.sha256()
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o600)) as file:
            while chunk := content.read(CHUNK):
                summed.update(chunk)
                file.write(chunk)
            file.flush()
            os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), member.mode & 0o1777)
            os.utime(file.fileno(), (member.mtime, member.mtime))
        self._sums[member.name] = summed.hexdigest()

    def _owner(self, member: tarfile.TarInfo) -> tuple[int, int]:
        uid, gid = _uid(member.uname), _gid(member.gname)
        self._strangers |= {name for name, known in ((member.uname, uid), (member.gname, gid)) if known is None}
        return uid or 0, gid or 0

    def _compare(self, said: bytes) -> None:
        lines = set(said.decode(errors="surrogateescape").splitlines(keepends=True))
        ours = {sum_line(digest, name): name for name, digest in self._sums.items()}
        for line, name in ours.items():
            if line not in lines:
                raise damaged(self._archive, f"{name} is not what it was")
        if len(lines) != len(ours):
            raise damaged(self._archive, "there were more files in it")

    def _look_at_database(self, new: Path | None, about: Mapping[str, Any]) -> None:
        file = None if new is None else new / DATABASE
        if file is None or not file.exists():
            if about["revision"] is not None:
                raise damaged(self._archive, f"{DATABASE} is missing")
            return
        try:
            revision = revision_of_file(file)
            if revision is not None:
                # Whoever signed out since, or was thrown out, must not be in again.
                with closing(sqlite3.connect(file)) as connection, connection:
                    connection.execute("DELETE FROM sessions")
        except (StoreUnavailable, sqlite3.Error) as error:
            raise damaged(self._archive, str(error)) from error
        if revision != about["revision"]:
            raise damaged(self._archive, f"{DATABASE} is of revision {revision}, not {about['revision']}")

    def _look_at_settings(self, settings: Path) -> None:
        main, drop_ins = settings / places.SETTINGS_FILE.name, settings / places.SETTINGS_DROP_INS.name
        try:
            load_policy(main, drop_ins, {})
        except InvalidSettings as mistake:
            said = str(mistake).replace(str(settings), str(places.SETTINGS_FILE.parent))
            raise NewerBackup(
                f"the settings in {self._archive} are not for Toru {__version__}: {said}; {UNCHANGED}"
            ) from mistake

    # Where it goes.

    def _staging(self, directory: Path) -> Path:
        """A directory of root's beside what is there now: on the same disk, so that a rename is all that is left."""
        if not directory.is_dir():
            directory.mkdir(mode=0o755, parents=True)
            self._made.append(directory)
            if directory.is_relative_to(places.OWN_DATA):
                places.OWN_DATA.parent.chmod(0o700)
        staging = directory / f"{STAGING}{self._key}"
        if staging not in self._made:
            staging.mkdir(mode=0o700)
            self._made.append(staging)
            (staging / "new").mkdir()
            (staging / "old").mkdir()
        return staging


def _moves(roots: Mapping[str, Root], new: Mapping[str, Path], layout: Layout) -> list[Move]:
    """First what is there now goes aside, all of it; then what was laid down takes its place."""
    aside: list[Move] = []
    back: list[Move] = []
    for name, root in roots.items():
        old = new[name].with_name("old")
        aside += [Move(root.directory / entry, old / entry) for entry in root.entries()]
        back += [Move(path, root.directory / path.name) for path in sorted(new[name].iterdir()) if root.has(path.name)]
    if (database := layout.database) is not None:
        folder, old = database.parent, new[DATABASE].with_name("old")
        files = [folder / f"{database.name}{ending}" for ending in ("", "-wal", "-shm", "-journal")]
        aside += [Move(file, old / f"{DATABASE}.{file.name}") for file in files if os.path.lexists(file)]
        if (laid := new[DATABASE] / DATABASE).exists():
            back.append(Move(laid, database))
    return aside + back


@cache
def _uid(name: str) -> int | None:
    with suppress(KeyError):
        return pwd.getpwnam(name).pw_uid
    return None


@cache
def _gid(name: str) -> int | None:
    with suppress(KeyError):
        return grp.getgrnam(name).gr_gid
    return None
