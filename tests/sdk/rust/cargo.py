"""Builds what is in Rust here, once for all tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

TREE = Path(__file__).resolve().parents[3]
SDK = TREE / "sdk/rust"
TARGET = TREE / "build/cargo"


def cargo(*arguments: str, crate: Path = SDK) -> str:
    """What cargo printed; what was fetched once is not fetched again."""
    # Nobody debugs what is built here, and half of the time would go into that.
    quick = {"CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_INCREMENTAL": "0"}
    environment = os.environ | quick | {"CARGO_TARGET_DIR": str(TARGET), "CARGO_TERM_COLOR": "never"}
    command, *rest = arguments
    done = subprocess.run(
        ["cargo", command, "--locked", "--manifest-path", crate / "Cargo.toml", *rest],
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"cargo {' '.join(arguments)}:\n{done.stdout}"
    return done.stdout


def paces() -> bytes:
    """The plugin that goes through its paces (sdk/rust/examples/paces.rs)."""
    cargo("build", "--release", "--example", "paces")
    return (TARGET / "release/examples/paces").read_bytes()
