"""`toru try`, which is thin: what a trial can do is tested with it."""

import json
import os
import subprocess
import sys
from subprocess import CompletedProcess

import pytest

from toru.trial import Options, Trial

pytestmark = pytest.mark.req("OPS-3")


def toru(*arguments: str) -> CompletedProcess[str]:
    command = [sys.executable, "-c", "from toru.cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_up_exec_list_down() -> None:
    name = f"cli-{os.getpid()}"
    try:
        up = json.loads(toru("try", "up", "--name", name, "--detach", "--json").stdout)
        assert up["name"] == name
        inside = toru("try", "exec", "--name", name, "--", "sh", "-c", "toru list; exit 7")
        assert (inside.returncode, inside.stderr) == (7, "")
        assert any(line.split("\t")[:2] == [name, up["url"]] for line in toru("try", "list").stdout.splitlines())
        assert {"name": name, **up} in [
            {key: row[key] for key in ("name", "url", "port")}
            for row in json.loads(toru("try", "list", "--json").stdout)["trials"]
        ]
        assert toru("try", "down", name, "--json").returncode == 0
    finally:
        Trial(Options(name=name)).stop()
    gone = toru("try", "down", name, "--json")
    assert (gone.returncode, json.loads(gone.stderr)["error"]["code"]) == (1, "trial")


def test_what_is_wrong_is_a_sentence() -> None:
    said = toru("try", "up", "--name", "UPPER")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("toru: 'UPPER' is no name for a trial")
    assert toru("try", "up", "--json").returncode == 2
