"""What is in the packages, and how they are made."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import toru
from tests.hosts.package import NAMES, TREE, Packages, run_build

pytestmark = pytest.mark.timeout(900)

DEBIAN = TREE / "packaging/debian"


def contents(packages: Packages, name: str) -> dict[str, str]:
    """Each file or link of a package, and its mode."""
    command = ["dpkg-deb", "--contents", str(packages.of(name))]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=5) for line in listed.splitlines()]
    return {path.removeprefix(".").partition(" -> ")[0]: mode for mode, _, _, _, _, path in rows if mode[0] != "d"}


def fingerprints(packages: Packages) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in packages.directory.glob("*.deb")}


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> tuple[Packages, CompletedProcess[str]]:
    """Built a second time, elsewhere in the world, and shown to lintian."""
    directory = tmp_path_factory.mktemp("again")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", "Pacific/Kiritimati")
        environment.setenv("LC_ALL", "C")
        before = os.umask(0o077)
        try:
            return Packages(directory), run_build(directory, "--lint")
        finally:
            os.umask(before)


@pytest.mark.req("OPS-2")
def test_lintian_finds_nothing(again: tuple[Packages, CompletedProcess[str]]) -> None:
    _, done = again
    assert done.returncode == 0, done.stderr


@pytest.mark.req("OPS-2")
def test_the_same_tree_gives_the_same_bytes(packages: Packages, again: tuple[Packages, CompletedProcess[str]]) -> None:
    assert fingerprints(again[0]) == fingerprints(packages)
    assert len(fingerprints(packages)) == len(NAMES)


def test_the_packages_have_the_units_that_trials_and_tests_have(packages: Packages, tmp_path: Path) -> None:
    subprocess.run(["sh", str(TREE / "units/install.sh"), str(tmp_path)], check=True)
    ours = {f"/{file.relative_to(tmp_path)}" for file in tmp_path.rglob("*") if not file.is_dir()}
    # Debian compresses manual pages.
    there = {file.removesuffix(".gz") for file in contents(packages, "toru")}
    assert {file.removesuffix(".gz") for file in ours} - there == set()


def test_nothing_of_a_package_runs_as_another_user_or_can_be_changed_by_others(packages: Packages) -> None:
    for name in NAMES:
        modes = contents(packages, name)
        assert {
            path for path, mode in modes.items() if mode[0] == "-" and re.search(r"[sStT]|.....w|........w", mode)
        } == set()


def test_the_version_is_said_in_one_place_and_agreed_with_in_the_other() -> None:
    first = (DEBIAN / "changelog").read_text().splitlines()[0]
    assert first.startswith(f"toru ({toru.__version__}) ")


@pytest.mark.req("OPS-2")
def test_the_settings_are_there_to_be_edited(packages: Packages, tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "--raw-extract", str(packages.of("toru")), str(tmp_path)], check=True)
    assert "/etc/toru/toru.toml" in (tmp_path / "DEBIAN/conffiles").read_text().split()
    assert (tmp_path / "etc/toru/toru.toml").read_text() == (TREE / "packaging/toru.toml").read_text()
    for directory in ("toru.toml.d", "hooks.d"):
        place = (tmp_path / "etc/toru" / directory).stat()
        assert (place.st_uid, place.st_mode & 0o777) == (0, 0o755)
