"""What holds for every command: help, errors, a quick start."""

import json
import subprocess
import sys

import pytest

from tests.cli.command import Command
from toru import __version__

pytestmark = pytest.mark.req("OPS-3")


def test_help_and_version(toru: Command) -> None:
    assert toru("--version").stdout == f"toru {__version__}\n"
    for arguments in ([], ["status", "-h"], ["try"]):
        said = toru(*arguments)
        assert said.returncode == 0
        assert said.stdout.startswith("Usage: toru")
        assert "\x1b" not in said.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["enable"],
        ["logs", "clock", "-n", "-1"],
        ["logs", "clock", "--since", "long"],
        ["serve", "--worker", "a", "--export"],
    ],
)
def test_wrong_usage_ends_with_2_and_a_sentence(toru: Command, arguments: list[str]) -> None:
    said = toru(*arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("toru: ")
    assert said.stderr.count("\n") == 1


def test_wrong_usage_is_json_where_that_was_asked_for(toru: Command) -> None:
    said = toru("list", "--json", "--nonsense")
    assert (said.returncode, said.stdout, json.loads(said.stderr)["error"]["code"]) == (2, "", "usage")


def test_a_reader_that_goes_away_is_no_error(toru: Command) -> None:
    said = toru.host.run("sh", "-c", "toru logs hostile --json | true", check=False)
    assert (said.stdout, said.stderr) == ("", "")


def test_a_full_disk_is_a_sentence(toru: Command) -> None:
    said = toru.host.run("sh", "-c", "toru list > /dev/full", check=False)
    assert (said.returncode, said.stderr) == (1, "toru: No space left on device\n")


def test_the_command_line_alone_loads_nothing_large() -> None:
    large = ("asyncio", "dbus_fast", "fastapi", "pystemd", "sqlmodel", "systemd")
    code = f"import sys, toru.cli.commands; print([name for name in {large} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
