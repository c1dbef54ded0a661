"""Debian 12 has older libraries than Toru's package needs, and apt says so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.hosts.engine import HOME
from tests.hosts.image import mirror
from tests.hosts.package import Packages

pytestmark = pytest.mark.timeout(900)

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def apt_of(suite: str) -> list[str]:
    """An apt that knows this Debian and nothing of the machine, on which nothing is installed."""
    home = HOME / f"apt-{suite}"
    for directory in ("lists/partial", "archives/partial", "parts"):
        (home / directory).mkdir(parents=True, exist_ok=True)
    (home / "status").touch()
    (source,) = mirror() or ["http://deb.debian.org/debian"]
    (home / "sources.list").write_text(f"deb [signed-by={KEYRING}] {source} {suite} main\n")
    places = {
        "State": home,
        "State::Lists": home / "lists",
        "State::status": home / "status",
        "Cache": home,
        "Cache::Archives": home / "archives",
        "Etc::sourcelist": home / "sources.list",
        "Etc::sourceparts": home / "parts",
        "Etc::preferencesparts": home / "parts",
    }
    return ["apt-get", "-q", *(f"-oDir::{place}={path}" for place, path in places.items())]


def simulated(suite: str, package: Path) -> subprocess.CompletedProcess[str]:
    apt = apt_of(suite)
    if not list((HOME / f"apt-{suite}/lists").glob("*_Packages*")):
        subprocess.run([*apt, "update"], capture_output=True, check=True)
    return subprocess.run(
        [*apt, "--simulate", "--no-install-recommends", "install", str(package)],
        capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip


@pytest.mark.req("OPS-2")
def test_apt_on_debian_12_refuses_and_says_what_is_too_old(packages: Packages) -> None:
    refused = simulated("bookworm", packages.of("toru"))
    assert refused.returncode == 100
    assert "toru : Depends: systemd (>= 257) but 252" in refused.stdout


@pytest.mark.req("OPS-2")
def test_apt_on_debian_13_has_all_that_it_takes(packages: Packages) -> None:
    accepted = simulated("trixie", packages.of("toru"))
    assert accepted.returncode == 0, accepted.stdout
    assert f"Inst toru ({packages.field('toru', 'Version')}" in accepted.stdout
