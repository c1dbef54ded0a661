"""The crate by itself: its own tests, and the linters of its language."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sdk.rust.cargo import SDK, TREE, cargo

pytestmark = pytest.mark.timeout(1200)  # they compile

CRATES = [SDK, TREE / "examples/hello-rust"]
LOCKS = [crate / "Cargo.lock" for crate in CRATES]


@pytest.mark.req("LANG-1", "PROTO-1")
@pytest.mark.parametrize("crate", CRATES, ids=lambda crate: crate.name)
def test_its_own_tests_pass(crate: Path) -> None:
    """The vectors of the protocols among them, and every example of its documentation."""
    said = cargo("test", crate=crate)
    assert re.search(r"test result: ok\. [1-9]", said), said


@pytest.mark.parametrize("crate", CRATES, ids=lambda crate: crate.name)
@pytest.mark.skipif(shutil.which("cargo-clippy") is None, reason="clippy is not installed")
def test_clippy_finds_nothing(crate: Path) -> None:
    cargo("clippy", "--all-targets", "--", "--deny", "warnings", crate=crate)


@pytest.mark.parametrize("crate", CRATES, ids=lambda crate: crate.name)
@pytest.mark.skipif(shutil.which("cargo-fmt") is None, reason="rustfmt is not installed")
def test_it_is_formatted(crate: Path) -> None:
    done = subprocess.run(["cargo", "fmt", "--check"], cwd=crate, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_line_of_it_is_unsafe() -> None:
    assert 'unsafe_code = "forbid"' in (SDK / "Cargo.toml").read_text()
    assert [file.name for file in SDK.rglob("*.rs") if re.search(r"\bunsafe\b", file.read_text())] == []


@pytest.mark.parametrize("lock", LOCKS, ids=[lock.parent.name for lock in LOCKS])
def test_every_package_comes_from_the_registry_and_has_its_checksum(lock: Path) -> None:
    packages = re.split(r"^\[\[package\]\]$", lock.read_text(), flags=re.MULTILINE)[1:]
    sources = {source for package in packages for source in re.findall(r'^source = "(.*)"', package, re.MULTILINE)}
    assert sources == {"registry+https://github.com/rust-lang/crates.io-index"}
    without = [
        it for it in packages if "source =" in it and not re.search(r'^checksum = "[0-9a-f]{64}"$', it, re.MULTILINE)
    ]
    assert without == []
