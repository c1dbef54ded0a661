"""`toru try`, which is thin: what a trial can do is tested with it."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from subprocess import CompletedProcess

import httpx
import pytest

from toru.trial import Options, Trial

PASSWORD = "From-Environment-1"  # noqa: S105  of nobody
_numbers = itertools.count()

pytestmark = pytest.mark.req("OPS-3")


def toru(*arguments: str, **environment: str) -> CompletedProcess[str]:
    command = [sys.executable, "-c", "from toru.cli.main import main; main()", *arguments]
    variables = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=variables)


@pytest.fixture
def name() -> Iterator[str]:
    """A name for a trial, which ends with the test."""
    name = f"cli-{os.getpid()}-{next(_numbers)}"
    yield name
    Trial(Options(name=name)).stop()


def test_up_exec_list_down() -> None:
    name = f"cli-{os.getpid()}"
    try:
        up = json.loads(toru("try", "up", "--name", name, "--detach", "--json").stdout)
        assert up["name"] == name
        assert up["user"] == "admin"
        assert status_of_sign_in(up["url"], up["user"], up["password"]) == 200
        assert status_of_sign_in(up["url"], up["user"], "Another-One-2") == 401
        inside = toru("try", "exec", "--name", name, "--", "sh", "-c", "toru list; exit 7")
        assert (inside.returncode, inside.stderr) == (7, "")
        assert any(line.split("\t")[:2] == [name, up["url"]] for line in toru("try", "list").stdout.splitlines())
        assert {key: up[key] for key in ("name", "url", "port")} in [
            {key: row[key] for key in ("name", "url", "port")}
            for row in json.loads(toru("try", "list", "--json").stdout)["trials"]
        ]
        assert toru("try", "down", name, "--json").returncode == 0
    finally:
        Trial(Options(name=name)).stop()
    gone = toru("try", "down", name, "--json")
    assert (gone.returncode, json.loads(gone.stderr)["error"]["code"]) == (1, "trial")


def status_of_sign_in(url: str, name: str, password: str) -> int:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        return client.post("/api/auth/login", json={"name": name, "password": password}).status_code


def test_people_are_told_how_to_sign_in(name: str) -> None:
    told = toru("try", "up", "--name", name, "--detach", TORU_ADMIN_PASSWORD=PASSWORD).stdout
    facts = dict(line.strip().split("  ", 1) for line in told.splitlines()[1:])
    shown = {what: words.strip() for what, words in facts.items()}
    assert (shown["sign in as"], shown["password"]) == ("admin", PASSWORD)
    assert status_of_sign_in(shown["open"], "admin", PASSWORD) == 200
    # Plugins run inside too, and are not to find it.
    trial = Trial(Options(name=name))
    assert trial.run(["cat", "/etc/credstore/toru-admin-password"], user="nobody").returncode != 0


def test_a_password_that_will_not_do_is_refused_before_anything_starts(name: str) -> None:
    said = toru("try", "up", "--name", name, "--detach", TORU_ADMIN_PASSWORD=PASSWORD[:4])
    assert (said.returncode, said.stdout) == (1, "")
    assert "this password has 4 characters" in said.stderr


def test_what_is_wrong_is_a_sentence() -> None:
    said = toru("try", "up", "--name", "UPPER")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("toru: 'UPPER' is no name for a trial")
    assert toru("try", "up", "--json").returncode == 2
