"""Plugins that are as they should be pass, each check that is for them."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.check.command import BROKEN, PLUGINS, QUICK, check, document, verdicts
from toru.check.suite import CHECKS
from toru.domain.manifest import Protocol

pytestmark = pytest.mark.req("LANG-3")

IN_THE_FIELD: dict[str, tuple[str, dict[str, Any]]] = {
    "http": ("http.py", {"protocol": "http"}),
    "http that binds for itself": ("http_own.py", {"protocol": "http", "activation": "self"}),
    "toru/1 with the habits of Rust": ("toru1_rust.py", {}),
    "toru/2 by the specification": ("toru2.py", {"protocol": "toru/2"}),
}


def planted(directory: Path, source: str, **changes: Any) -> Path:
    """A plugin of tests/plugins, with its constants changed."""
    text = (PLUGINS / source).read_text()
    for name, value in changes.items():
        line = f"{name} = {value!r}".replace("\\", r"\\")
        text, count = re.subn(rf"^{name} = .*$", line, text, flags=re.MULTILINE)
        assert count == 1
    file = directory / "plugin.binary"
    file.write_text(text)
    file.chmod(0o755)
    return file


def passes(said: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    found = verdicts(said)
    assert [sentence for outcome, sentence in found.values() if outcome == "failed"] == []
    assert said.returncode == 0
    return found


@pytest.mark.parametrize("protocol", Protocol)
def test_every_check_of_a_protocol_passes_a_sound_plugin(protocol: Protocol) -> None:
    found = passes(check(BROKEN / f"sound_{protocol.replace('/', '')}.py"))
    assert list(found) == [it.name for it in CHECKS if protocol in it.of]
    assert {name for name, (outcome, _) in found.items() if outcome == "skipped"} == {"sleeps", "watchdog"}


@pytest.mark.parametrize("name", IN_THE_FIELD)
def test_a_plugin_that_toru_runs_passes(tmp_path: Path, name: str) -> None:
    source, metadata = IN_THE_FIELD[name]
    metadata = {"id": "field", "name": "Field", "version": "1", "route": "/field", **metadata}
    passes(check(planted(tmp_path, source, METADATA=metadata)))


def test_one_that_sleeps_is_woken_as_often_as_needed(tmp_path: Path) -> None:
    metadata = {"id": "sleepy", "name": "Sleepy", "route": "/sleepy", "protocol": "toru/2"}
    file = planted(tmp_path, "toru2.py", METADATA=metadata | {"idle_timeout": 1}, SLEEPS_AFTER=1)
    assert passes(check(file))["sleeps"][0] == "passed"
    file = planted(tmp_path, "toru2.py", METADATA=metadata | {"idle_timeout": 0.1}, SLEEPS_AFTER=0.1)
    assert passes(check(file, "--only", "later"))["sleeps"][0] == "passed"


PINGS = """#!/usr/bin/python3
import asyncio, os, socket, sys
sys.path.insert(0, DIRECTORY)
from sound_http import METADATA, Http, main
class Pings(Http):
    metadata = METADATA | {"watchdog": 20}
    async def ping(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            while True:
                out.sendto(b"WATCHDOG=1", os.environ["NOTIFY_SOCKET"])
                await asyncio.sleep(int(os.environ["WATCHDOG_USEC"]) / 80_000_000)
    async def serve(self):
        self.pinging = asyncio.create_task(self.ping())
        await super().serve()
main(Pings())
"""


def test_one_that_pings_its_watchdog_passes(tmp_path: Path) -> None:
    file = tmp_path / "plugin.binary"
    file.write_text(PINGS.replace("DIRECTORY", repr(str(BROKEN))))
    file.chmod(0o755)
    assert passes(check(file, "--only", "later"))["watchdog"][0] == "passed"


def test_what_takes_longer_than_the_author_waits_is_left_out(tmp_path: Path) -> None:
    metadata = {"id": "sleepy", "name": "Sleepy", "route": "/sleepy", "protocol": "http", "idle_timeout": 900}
    file = planted(tmp_path, "http.py", METADATA=metadata | {"watchdog": 60})
    found = verdicts(check(file, "--only", "later"))
    assert found["sleeps"] == (
        "skipped",
        (
            "without requests for idle_timeout it exits 0, and the next one wakes it: "
            "its idle_timeout of 900 s is longer than --patience"
        ),
    )
    assert found["watchdog"][0] == "skipped"


# What listens already.


@contextmanager
def listening(program: Path, at: Path, *, binds: bool) -> Iterator[Path]:
    """A program that somebody has started, with the socket at `at`."""
    with socket.socket(socket.AF_UNIX) as listener:
        environment = {**os.environ, "TORU_PLUGIN_SOCKET": str(at), "NOTIFY_SOCKET": str(at.with_name("nobody"))}
        if not binds:
            listener.bind(str(at))
            listener.listen(64)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.bind(environment["NOTIFY_SOCKET"])
            command = ["sh", "-c", 'exec "$0" 3<&0 </dev/null', str(program)]
            with subprocess.Popen(command, stdin=listener.fileno(), stdout=subprocess.PIPE, env=environment) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == b"<6>serving\n"
                try:
                    yield at
                finally:
                    process.kill()


@pytest.mark.parametrize("protocol", Protocol)
def test_a_running_socket_is_checked_without_its_program(tmp_path: Path, protocol: Protocol) -> None:
    program = BROKEN / f"sound_{protocol.replace('/', '')}.py"
    with listening(program, tmp_path / "s", binds=protocol is Protocol.TORU_1) as at:
        found = passes(check("--socket", at, "--protocol", protocol))
    assert list(found) == [it.name for it in CHECKS if protocol in it.of and not it.of_program]


def test_a_running_socket_with_a_fault_fails_too(tmp_path: Path) -> None:
    with listening(BROKEN / "toru2_closes_without_a_word.py", tmp_path / "s", binds=False) as at:
        said = document("--socket", at, "--protocol", "toru/2", *QUICK)
    assert [it["check"] for it in said["checks"] if it["outcome"] == "failed"] == ["breaches"]
