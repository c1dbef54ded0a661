"""Makes a backup: one file with everything that makes this Toru, while everything runs.

It is a tar archive, compressed with gzip: `backup.json` says what it is, `SHA256SUMS` has the sums of all files, as
sha256sum(1) writes and checks them, and between them are `toru.db` and a folder for each of `roots`.
"""

from __future__ import annotations

import grp
import io
import json
import os
import pwd
import re
import secrets
import socket
import stat
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from toru import __version__
from toru.admin.restores import check_none_was_cut_off
from toru.domain.errors import ToruError
from toru.domain.policy import Policy
from toru.moving.about import FORMAT
from toru.moving.core_side import NotDone, as_core, cores_user
from toru.moving.roots import Layout, Root
from toru.moving.swap import sync_directory
from toru.moving.walking import Found, Sum, entries_of, held_still

ABOUT, DATABASE, SUMS = "backup.json", "toru.db", "SHA256SUMS"
ENDING = ".tar.gz"
LEVEL = 6

OWN_UNIT_USER = "its plugin has a user of its own (DynamicUser=no), so its data is for you to copy"


class BackupFailed(ToruError):
    """There is no backup, and nothing of it is left."""

    code = "backup-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that isn't in the backup, or not as it should be."""

    path: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Report:
    file: Path
    bytes: int = 0
    files: int = 0
    made_at: str = ""
    revision: str | None = None
    database: bool = False
    """Whether it is in the backup."""
    data: bool = False
    remarks: list[Remark] = field(default_factory=list)


def named(where: Path) -> Path:
    """The file to make: this one, or one that is named by host and time in this directory."""
    if not where.is_dir():
        return where
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())
    return where / f"toru-{host}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{ENDING}"


def make(target: Path, policy: Policy, *, with_data: bool) -> Report:
    """For root's eyes only, and whole: else `BackupFailed`, and there is no such file."""
    check_none_was_cut_off()
    layout = Layout.of_policy(policy)
    roots = list(layout.roots(with_data=with_data))
    target = _sound_target(target, roots)
    report = Report(file=target, data=with_data)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with (
            _copied(layout.database, report) as database,
            open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file,
        ):
            compressed = _Compressed(file)
            with tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar:
                _write(_Writer(tar, target.parent, report), layout, roots, database)
            compressed.finish()
            file.flush()
            os.fsync(file.fileno())
            report.bytes = file.tell()
        temporary.rename(target)
        sync_directory(target.parent)
    except OSError as error:
        where = f"{error.filename}: " if error.filename not in {None, str(temporary)} else ""
        raise BackupFailed(f"{target} was not made: {where}{error.strerror or error}") from error
    except NotDone as refusal:
        raise BackupFailed(f"{target} was not made: {refusal}") from refusal
    finally:
        with suppress(OSError):
            temporary.unlink()
    return report


class _Compressed(io.RawIOBase):
    """Passes on what is written to it, by gzip. Python's own complains of what a full disk leaves in its buffer."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._gzip = zlib.compressobj(LEVEL, wbits=16 + zlib.MAX_WBITS)
        self._taken = 0

    def write(self, data: Any) -> int:
        self._file.write(self._gzip.compress(data))
        self._taken += len(data)
        return len(data)

    def tell(self) -> int:
        return self._taken

    def finish(self) -> None:
        self._file.write(self._gzip.flush())


def _sound_target(target: Path, roots: list[Root]) -> Path:
    parent = target.parent.resolve()
    if not parent.is_dir():
        raise BackupFailed(f"{target.parent}: there is no such directory")
    if os.path.lexists(target):
        raise BackupFailed(f"{target} is there already, and stays as it is")
    for root in roots:
        if parent.is_relative_to(root.directory.resolve()) and root.has(target.name):
            raise BackupFailed(f"{target} would lie in {root.directory}, which is to be in it")
    return parent / target.name


@contextmanager
def _copied(database: Path | None, report: Report) -> Iterator[Path | None]:
    """A copy of the database beside it, for a while: made by SQLite, as the core's user."""
    if database is None:
        report.remarks.append(
            Remark(path="database", reason="it is in no file of this host: save it with its own means, such as pg_dump")
        )
        yield None
        return
    if not database.exists():
        yield None  # no core has run yet
        return
    copy = database.with_name(f".{database.name}.{secrets.token_hex(4)}")
    try:
        report.revision = as_core("copy_database", source=str(database), target=str(copy))["revision"]
        report.database = True
        yield copy
    finally:
        as_core("forget", path=str(copy))


def _write(writer: _Writer, layout: Layout, roots: list[Root], database: Path | None) -> None:
    report = writer.report
    report.made_at = datetime.now(UTC).isoformat(timespec="seconds")
    about: dict[str, Any] = {
        "format": FORMAT,
        "toru": __version__,
        "revision": report.revision,
        "made_at": report.made_at,
        "host": socket.gethostname(),
        "data": report.data,
        **layout.as_json(),
    }
    writer.put_text(ABOUT, json.dumps(about, indent=2) + "\n")
    if database is not None:
        writer.put_database(database)
    for root in roots:
        for found in entries_of(root):
            writer.put(root, found)
        if root.is_plugins_own:
            report.remarks += _data_elsewhere(root)
    writer.put_text(SUMS, "".join(writer.sums))


def _data_elsewhere(root: Root) -> Iterator[Remark]:
    """Of plugins whose unit says DynamicUser=no."""
    public = Path("/var/lib") / root.directory.name
    with suppress(OSError):
        for entry in sorted(public.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                yield Remark(path=str(entry), reason=OWN_UNIT_USER)


class _Writer:
    def __init__(self, tar: tarfile.TarFile, scratch: Path, report: Report) -> None:
        self._tar = tar
        self._scratch = scratch
        self.report = report
        self.sums: list[str] = []

    def put_text(self, name: str, text: str) -> None:
        content = text.encode(errors="surrogateescape")
        self._put_file(_member(name, 0o600, int(datetime.now(UTC).timestamp())), io.BytesIO(content), len(content))

    def put_database(self, copy: Path) -> None:
        descriptor = os.open(copy, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            # It lies where the core may write: somebody could have laid something else there meanwhile.
            if not stat.S_ISREG(status.st_mode) or status.st_uid != cores_user().pw_uid:
                raise BackupFailed(f"{copy} is not the copy that was made")
            self._put_file(_member(DATABASE, 0o600, int(status.st_mtime)), file, status.st_size)

    def put(self, root: Root, found: Found) -> None:
        member = _member(f"{root.name}/{found.path}", found.status.st_mode & 0o1777, int(found.status.st_mtime))
        if not root.is_plugins_own:
            member.uname, member.gname = _user(found.status.st_uid), _group(found.status.st_gid)
        at = str(root.directory / found.path)
        if found.is_directory:
            member.type = tarfile.DIRTYPE
            self._tar.addfile(member)
        elif found.link is not None:
            if not root.may_link(found.path, found.link):
                self.report.remarks.append(Remark(path=at, reason=f"it is a link that leads elsewhere: {found.link}"))
                return
            member.type, member.linkname = tarfile.SYMTYPE, found.link
            self._tar.addfile(member)
        elif found.is_file:
            try:
                copy, size, was_still = held_still(found, self._scratch)
            except FileNotFoundError:
                return  # gone meanwhile
            with copy:
                self._put_file(member, copy, size)
            if not was_still:
                self.report.remarks.append(Remark(path=at, reason="somebody was writing to it all the time"))
        else:
            self.report.remarks.append(Remark(path=at, reason="it is no file, directory or link"))

    def _put_file(self, member: tarfile.TarInfo, content: IO[bytes], size: int) -> None:
        member.size = size
        read = Sum(content)
        self._tar.addfile(member, read)
        self.report.files += 1
        self.sums.append(sum_line(read.hexdigest(), member.name))


def sum_line(digest: str, name: str) -> str:
    """As sha256sum(1) writes it: what would break a line is escaped, and a backslash at the beginning says so."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}\n"


def _member(name: str, mode: int, at: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode, member.mtime = mode, at
    member.uname = member.gname = "root"
    return member


@cache
def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "root"


@cache
def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return "root"
