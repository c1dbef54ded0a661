"""The images that containers boot from: Debian 13 with systemd by debootstrap, with what Toru depends on or without."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError  # type: ignore[import-untyped]  # ships no types

from tests.hosts.engine import HOME, NoDocker

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

# Where apt is to install Toru: with what it depends on, and nothing that happens to come along. And no file of a
# container has to survive a power cut.
OF_APT = {
    "etc/apt/apt.conf.d/tests": 'APT::Install-Recommends "false";\n',
    "etc/dpkg/dpkg.cfg.d/tests": "force-unsafe-io\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    repository: str
    packages: tuple[str, ...]
    at_hand: str = ""
    """What apt can install without a network, and doesn't yet: a list as in a package's Depends."""

    @property
    def tag(self) -> str:
        recipe = [SUITE, self.packages, MASKED, FILES, *([self.at_hand, OF_APT] if self.at_hand else [])]
        return f"{SUITE}-{hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]}"

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"


DEBIAN_13 = Recipe(repository="toru-test", packages=tuple(PACKAGES))


def without_python(at_hand: str) -> Recipe:
    """Debian 13 as it is before anybody has thought of Toru."""
    packages = ("systemd", "systemd-sysv", "dbus", "ca-certificates", "curl", "procps")
    return Recipe(repository="toru-test-bare", packages=packages, at_hand=at_hand)


def image(client: Any, say: Callable[[str], None], recipe: Recipe = DEBIAN_13) -> str:
    """Return the image's name; make it, if it isn't there yet."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not client.images.list(name=recipe.name):
            say("making the image of Debian 13, which takes about a minute and is kept for the next time")
            with _tree() as tree:
                _fill(tree, recipe)
                _import(client, tree, recipe)
            _forget_others(client, recipe)
    return recipe.name


@contextmanager
def _tree() -> Iterator[Path]:
    # Not in /tmp, which may be mounted nodev or noexec.
    tree = Path(tempfile.mkdtemp(prefix="image-", dir=HOME))
    try:
        yield tree
    finally:
        shutil.rmtree(tree)


def _fill(tree: Path, recipe: Recipe) -> None:
    if shutil.which("debootstrap") is None:
        raise NoDocker("The image of Debian 13 needs debootstrap: apt install debootstrap debian-archive-keyring")
    include = f"--include={','.join(recipe.packages)}"
    log = HOME / "debootstrap.log"
    log.unlink(missing_ok=True)
    _run(log, "debootstrap", "--variant=minbase", include, SUITE, str(tree), *mirror())
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
    if recipe.at_hand:
        for path, text in OF_APT.items():
            (tree / path).write_text(text)
        within = ["chroot", str(tree), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "apt-get", "-q"]
        _run(log, *within, "update")
        _run(log, *within, "satisfy", "-y", "--download-only", recipe.at_hand)


def _run(log: Path, *command: str) -> None:
    with log.open("ab") as output:
        made = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    if made.returncode != 0:
        lines = log.read_text().splitlines() or ["nothing"]
        raise NoDocker(f"{command[0]} could not make the image of Debian 13 ({log} has more): {lines[-1]}")


def mirror() -> list[str]:
    """Return where this machine gets Debian from; on no Debian, nothing: debootstrap knows a mirror."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    which = ["Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main"]
    if shutil.which("apt-get") is None:
        return []
    return subprocess.run([*asked, *which], capture_output=True, text=True, check=False).stdout.split()[:1]


def _import(client: Any, tree: Path, recipe: Recipe) -> None:
    with subprocess.Popen(["tar", "-C", str(tree), "-c", "."], stdout=subprocess.PIPE) as tar:
        assert tar.stdout is not None
        chunks = iter(lambda: tar.stdout.read(1 << 20), b"")  # type: ignore[union-attr]  # asserted above
        answer = client.api.import_image_from_data(chunks, repository=recipe.repository, tag=recipe.tag)
    if tar.returncode != 0 or "error" in answer:
        raise NoDocker(f"Docker could not import the image of Debian 13: {answer}")


def _forget_others(client: Any, recipe: Recipe) -> None:
    """Remove the images of its older versions, unless a container still needs them."""
    for other in client.images.list(name=recipe.repository):
        if recipe.name not in other.tags:
            for tag in other.tags:
                if tag.startswith(f"{recipe.repository}:{SUITE}-"):
                    with suppress(APIError):  # a conflict: the container of another tree's tests
                        client.images.remove(tag, force=False)
