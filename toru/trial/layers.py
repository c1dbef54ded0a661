"""Everything of a trial that survives its reboots: /etc, /usr and /var as overlays over the machine's own, on a tmpfs.

Runs in the keeper's private mount namespace, where the tmpfs vanishes with the last process of the trial.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from toru.trial import registry
from toru.trial.machine import Toru
from toru.trial.options import TrialError
from toru.trial.registry import Record

# /root is root's home inside: shells keep their history there.
OVERLAYS = ("etc", "usr", "var", "root")

# Where a trial shows nothing of the machine's mounts.
OF_ITS_OWN = (*(Path("/") / top for top in OVERLAYS), Path("/run"), Path("/tmp"))  # noqa: S108  named, not used

# The Debian units that a trial has beside ours: what they need and what ends a system, and nothing that looks
# for disks, devices, terminals or networks.
DEBIAN_UNITS = """
    multi-user.target basic.target sysinit.target sockets.target paths.target timers.target slices.target
    local-fs.target local-fs-pre.target swap.target
    network.target network-online.target nss-user-lookup.target time-set.target time-sync.target
    shutdown.target umount.target final.target exit.target systemd-exit.service
    reboot.target systemd-reboot.service poweroff.target systemd-poweroff.service halt.target systemd-halt.service
    systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket
    dbus.service dbus.socket polkit.service modprobe@.service
""".split()  # noqa: SIM905  a table

# Shown empty, so that nothing of the machine's own configuration or state gets in the way.
EMPTIED = (
    "etc/systemd",
    "usr/lib/systemd/system",
    "usr/lib/systemd/system-generators",
    "usr/lib/systemd/system-environment-generators",
    "usr/lib/systemd/system.conf.d",
    "usr/lib/systemd/journald.conf.d",
    "usr/local/lib/systemd",
    "var/lib/systemd",
    "var/log/journal",
)

# Not shown at all: a Toru that the machine runs itself.
OF_THE_MACHINES_TORU = (
    "etc/toru",
    *("var/lib/toru", "var/lib/toru-hooks", "var/lib/toru-export", "var/cache/toru", "var/log/toru"),
    *("var/lib/toru-plugins", "var/cache/toru-plugins", "var/log/toru-plugins"),
    *("var/lib/private/toru-plugins", "var/cache/private/toru-plugins", "var/log/private/toru-plugins"),
)

JOURNAL = """\
[Journal]
# Logs span a reboot, none is dropped, and they don't fill the memory that they lie in.
# The kernel's log and its audit are the machine's.
Storage=persistent
SystemMaxUse=512M
RateLimitIntervalSec=0
ForwardToSyslog=no
ReadKMsg=no
Audit=no
"""

ENTRY_POINT = """\
#!{python} -I
import sys

sys.path.insert(0, "/usr/lib/toru/src")
from {module} import main

sys.exit(main())
"""
ENTRY_POINTS = {"toru": "toru.cli.main", "toru-admin": "toru.admin.main"}

PLUGINS = Path("/var/lib/toru/plugins")


def lay(record: Record) -> None:
    """Mount a trial's persistent layers over this namespace's /etc, /usr, /var and /root.

    From here on this process sees the trial's files; the machine doesn't.
    """
    base = record.layers
    _run("mount", "-t", "tmpfs", "-o", "mode=755", f"toru-try-{record.name}", str(base))
    layer = _Layer(base / "upper")
    for path in EMPTIED:
        layer.empty(path)
    for path in OF_THE_MACHINES_TORU:
        layer.hide(path)
    _put_units(layer, record.toru)
    _put_settings(layer, record)
    binds = list(_put_toru(layer, record.toru)) + list(_put_plugins(layer, record, base))
    staged = [_stage(base, bind) for bind in binds]
    _uncover()
    for top in OVERLAYS:
        layer.directory(top)
        work = base / "work" / top
        work.mkdir(parents=True)
        _run(
            *("mount", "-t", "overlay", "overlay", f"/{top}"),
            *("-o", f"lowerdir=/{top},upperdir={layer.root / top},workdir={work}"),
        )
    for stage, bind in zip(staged, binds, strict=True):
        _run("mount", "--move", str(stage), bind.target)
    (base / "dev").mkdir()  # boot.sh makes a /dev there
    _settle()


def _stage(base: Path, bind: _Bind) -> Path:
    """Bind a directory aside: the way to it may lead through what the overlays cover."""
    stage = base / "binds" / bind.target.replace("/", "-")
    stage.mkdir(parents=True)
    _run("mount", "--bind", "-o", "rw" if bind.writable else "ro", str(bind.source), str(stage))
    return stage


def _uncover() -> None:
    """Unmount, for this namespace, what lies below the places that a trial has of its own."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in map(_unescaped, reversed(mounts)):
        if mount.is_relative_to(registry.ROOT):
            continue
        if any(place != mount and mount.is_relative_to(place) for place in OF_ITS_OWN):
            subprocess.run(["umount", "--lazy", str(mount)], capture_output=True, check=False)  # or leave it covered


def _unescaped(path: str) -> Path:
    """Undo how proc_pid_mountinfo(5) writes blanks and backslashes."""
    return Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path))


def unlay(record: Record) -> None:
    """Let go of the mount points outside, so that they can be removed; the rest goes with the namespace."""
    for path in (PLUGINS / ".metadata", PLUGINS, record.layers):
        if path.is_mount():
            _run("umount", "--lazy", str(path))


@dataclass(frozen=True, slots=True)
class _Bind:
    """A directory of the machine, or of this trial, and where inside it is shown."""

    source: Path
    target: str
    writable: bool = False


class _Layer:
    """The upper layers, filled before they are mounted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def directory(self, path: str | Path) -> Path:
        """Make a directory that looks as the machine's own does, if that has one."""
        here = self.root
        for part in Path(path).parts:
            here = here / part
            if not here.exists():
                here.mkdir()
                with suppress(FileNotFoundError):
                    theirs = (Path("/") / here.relative_to(self.root)).stat()
                    os.chown(here, theirs.st_uid, theirs.st_gid)
                    here.chmod(theirs.st_mode & 0o7777)
        return here

    def empty(self, path: str) -> None:
        """Show an empty directory, whatever the machine has there."""
        os.setxattr(self.directory(path), "trusted.overlay.opaque", b"y")

    def hide(self, path: str) -> None:
        """Show nothing where the machine has something."""
        there = Path("/") / path
        if there.exists():
            whiteout = self.directory(Path(path).parent) / there.name
            os.mknod(whiteout, stat.S_IFCHR, os.makedev(0, 0))  # what that is, overlayfs defines

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.directory(Path(path).parent) / Path(path).name
        if file.is_char_device():
            file.unlink()
        file.write_text(text)
        file.chmod(mode)

    def mount_point(self, path: str) -> str:
        """Make a directory for a bind mount, and say where it will be."""
        self.directory(path)
        return f"/{path}"


def _put_units(layer: _Layer, toru: Toru) -> None:
    theirs = Path("/usr/lib/systemd/system")
    ours = layer.root / "usr/lib/systemd/system"
    for name in DEBIAN_UNITS:
        with suppress(FileNotFoundError):  # another version of systemd
            shutil.copy(theirs / name, ours)
    for wants in theirs.glob("*.wants"):
        for name in {link.name for link in wants.iterdir()} & set(DEBIAN_UNITS):
            layer.directory(f"usr/lib/systemd/system/{wants.name}").joinpath(name).symlink_to(f"../{name}")
    if toru.units is None:
        for unit in theirs.glob("toru*"):
            (shutil.copytree if unit.is_dir() else shutil.copy)(unit, ours / unit.name)
    else:
        _run("sh", f"{toru.units}/install.sh", str(layer.root))


def _put_settings(layer: _Layer, record: Record) -> None:
    layer.write("etc/machine-id", f"{uuid.uuid4().hex}\n", 0o444)
    layer.write("etc/systemd/journald.conf.d/toru-try.conf", JOURNAL)
    layer.write(
        "etc/systemd/system/toru.socket.d/port.conf",
        f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{record.port}\nListenStream=/run/toru/api.sock\n",
    )
    # Often links into /run, of which a trial has its own, or a container's mounts.
    for name in ("resolv.conf", "hosts"):
        with suppress(OSError):
            layer.write(f"etc/{name}", Path("/etc", name).read_text())
    for path, text in record.files.items():
        # What systemd hands to services in confidence (systemd.exec(5), LoadCredential=) is nobody else's to read.
        secret = PurePosixPath(path).is_relative_to("credstore")
        if secret:
            layer.directory("etc/credstore").chmod(0o700)
        layer.write(f"etc/{path}", text, 0o600 if secret else 0o644)


def _put_toru(layer: _Layer, toru: Toru) -> Iterator[_Bind]:
    if toru.package is not None:
        yield _Bind(Path(toru.package), layer.mount_point("usr/lib/toru/src/toru"))
        for name, module in ENTRY_POINTS.items():
            layer.write(f"usr/bin/{name}", ENTRY_POINT.format(python=toru.python, module=module), 0o755)
    if toru.venv is not None:
        yield _Bind(Path(toru.venv), layer.mount_point("usr/lib/toru/venv"))


def _put_plugins(layer: _Layer, record: Record, base: Path) -> Iterator[_Bind]:
    if record.plugins is None:
        return
    theirs = Path(record.plugins)
    ours = base / "metadata"
    if (theirs / ".metadata").is_dir():
        shutil.copytree(theirs / ".metadata", ours, symlinks=True)
    else:
        ours.mkdir()
    yield _Bind(theirs, layer.mount_point(str(PLUGINS).lstrip("/")))
    yield _Bind(ours, f"{PLUGINS}/.metadata", writable=True)


def _settle() -> None:
    """Do what Debian's package does after unpacking."""
    _run("systemd-sysusers", "toru.conf")
    units = Path("/usr/lib/systemd/system").glob("toru*.*")
    names = sorted(unit.name for unit in units if unit.is_file() and "@" not in unit.name)
    _run("systemctl", "--root=/", "preset", *names)


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        said = " ".join((result.stderr or result.stdout).split())
        raise TrialError(f"`{' '.join(command[:6])}` failed: {said}")
