"""The image that containers boot from: Debian 13 with systemd and what Toru's package depends on, by debootstrap."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from docker.errors import APIError  # type: ignore[import-untyped]  # ships no types

from tests.hosts.engine import HOME, NoDocker

REPOSITORY = "toru-test"
SUITE = "trixie"

# debootstrap takes the first of several packages that would do, and knows no virtual ones: libpam-systemd is the
# logind that polkitd wants, python3-cffi-backend is what argon2 wants.
PACKAGES = """
    systemd systemd-sysv libpam-systemd libnss-systemd dbus polkitd
    python3 python3-pystemd python3-systemd python3-sdnotify python3-dbus-fast python3-typer python3-rich
    python3-fastapi python3-uvicorn python3-uvloop python3-httptools python3-sqlmodel
    python3-alembic python3-argon2 python3-cffi-backend python3-psycopg
    ca-certificates curl procps socat
""".split()  # noqa: SIM905  a table

# Needs a disk, a network or a kernel of its own.
MASKED = """
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
    systemd-modules-load.service
""".split()  # noqa: SIM905  a table

FILES = {
    # Logs span a reboot, and none is dropped. The kernel's log and audit belong to the machine.
    "etc/systemd/journald.conf.d/tests.conf": """\
[Journal]
Storage=persistent
RateLimitIntervalSec=0
ReadKMsg=no
Audit=no
""",
    # Empty: made at the first boot, and no questions asked.
    "etc/machine-id": "",
}

RECIPE = json.dumps([SUITE, PACKAGES, MASKED, FILES])
TAG = f"{SUITE}-{hashlib.sha256(RECIPE.encode()).hexdigest()[:12]}"
NAME = f"{REPOSITORY}:{TAG}"


def image(client: Any, say: Callable[[str], None]) -> str:
    """Return the image's name; make it, if it isn't there yet."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not client.images.list(name=NAME):
            say("making the image of Debian 13, which takes about a minute and is kept for the next time")
            with _tree() as tree:
                _fill(tree)
                _import(client, tree)
            _forget_others(client)
    return NAME


@contextmanager
def _tree() -> Iterator[Path]:
    # Not in /tmp, which may be mounted nodev or noexec.
    tree = Path(tempfile.mkdtemp(prefix="image-", dir=HOME))
    try:
        yield tree
    finally:
        shutil.rmtree(tree)


def _fill(tree: Path) -> None:
    if shutil.which("debootstrap") is None:
        raise NoDocker("The image of Debian 13 needs debootstrap: apt install debootstrap debian-archive-keyring")
    include = f"--include={','.join(PACKAGES)}"
    log = HOME / "debootstrap.log"
    with log.open("wb") as output:
        command = ["debootstrap", "--variant=minbase", include, SUITE, str(tree), *_mirror()]
        made = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    if made.returncode != 0:
        lines = log.read_text().splitlines() or ["nothing"]
        raise NoDocker(f"debootstrap could not make the image of Debian 13 ({log} has more): {lines[-1]}")
    for unit in MASKED:
        (tree / "etc/systemd/system" / unit).symlink_to("/dev/null")
    (tree / "etc/systemd/system/default.target").symlink_to("/usr/lib/systemd/system/multi-user.target")
    for path, text in FILES.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    for path in ("var/cache/apt/archives", "var/lib/apt/lists", "var/log"):
        shutil.rmtree(tree / path)
        (tree / path).mkdir()
    (tree / "var/log/journal").mkdir()


def _mirror() -> list[str]:
    """Return where this machine gets Debian from; on no Debian, nothing: debootstrap knows a mirror."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    which = ["Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main"]
    if shutil.which("apt-get") is None:
        return []
    return subprocess.run([*asked, *which], capture_output=True, text=True, check=False).stdout.split()[:1]


def _import(client: Any, tree: Path) -> None:
    with subprocess.Popen(["tar", "-C", str(tree), "-c", "."], stdout=subprocess.PIPE) as tar:
        assert tar.stdout is not None
        chunks = iter(lambda: tar.stdout.read(1 << 20), b"")  # type: ignore[union-attr]  # asserted above
        answer = client.api.import_image_from_data(chunks, repository=REPOSITORY, tag=TAG)
    if tar.returncode != 0 or "error" in answer:
        raise NoDocker(f"Docker could not import the image of Debian 13: {answer}")


def _forget_others(client: Any) -> None:
    """Remove the images of older recipes, unless a container still needs them."""
    for other in client.images.list(name=REPOSITORY):
        if NAME not in other.tags:
            for tag in other.tags:
                if tag.startswith(f"{REPOSITORY}:{SUITE}-"):
                    with suppress(APIError):  # a conflict: the container of another tree's tests
                        client.images.remove(tag, force=False)
