"""Toru on a host the way a user gets it: as Debian packages, by apt."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.hosts.container import ContainerHost
from tests.hosts.host import Host
from tests.hosts.image import without_python

TREE = Path(__file__).resolve().parents[2]
NAMES = ("toru", "python3-toru-plugin", "toru-examples")

REPOSITORY = "/srv/toru"
"""On the host: a directory that apt installs from."""

_SOURCE = "sources.list.d/toru.list"
# Debian's own lists are those of the image, which has no network.
_ONLY_OURS = (
    "-o",
    f"Dir::Etc::sourcelist={_SOURCE}",
    "-o",
    "Dir::Etc::sourceparts=-",
    "-o",
    "APT::Get::List-Cleanup=0",
)


@dataclass(frozen=True)
class Packages:
    """What one build made."""

    directory: Path

    def of(self, name: str) -> Path:
        (file,) = self.directory.glob(f"{name}_*.deb")
        return file

    def field(self, name: str, field: str) -> str:
        command = ["dpkg-deb", "--field", str(self.of(name)), field]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def depends(self) -> str:
        """What they need of Debian's."""
        relations = ", ".join(filter(None, (self.field(name, "Depends") for name in NAMES))).split(", ")
        return ", ".join(sorted({relation for relation in relations if relation.split()[0] not in NAMES}))


def build(to: Path, version: str | None = None) -> Packages:
    made = run_build(to, *(["--version", version] if version else []))
    assert made.returncode == 0, made.stderr
    return Packages(to)


def run_build(to: Path, *options: str) -> CompletedProcess[str]:
    """What `make deb` runs."""
    command = [sys.executable, str(TREE / "packaging/deb/build.py"), "--to", str(to), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def debian_without_toru(engine: Any, say: Callable[[str], None], packages: Packages) -> ContainerHost:
    return ContainerHost.boot("installed", engine, say, bare=without_python(packages.depends()))


def apt(host: Host, *arguments: str) -> CompletedProcess[str]:
    return host.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", *arguments, timeout=600)


def offer(host: Host, packages: Packages) -> None:
    """Makes these, and no others of ours, what apt knows on this host."""
    host.run("rm", "-rf", REPOSITORY)
    for file in packages.directory.iterdir():
        host.put(f"{REPOSITORY}/{file.name}", file.read_bytes())
    host.put(f"/etc/apt/{_SOURCE}", f"deb [trusted=yes] file:{REPOSITORY} ./\n")
    apt(host, *_ONLY_OURS, "update")


def install(host: Host, packages: Packages) -> CompletedProcess[str]:
    """As README.md says, and the library for plugins beside it."""
    offer(host, packages)
    return apt(host, "install", *(f"{REPOSITORY}/{packages.of(name).name}" for name in ("toru", "python3-toru-plugin")))
