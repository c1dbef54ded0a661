"""Stand-alone: `--dev`, with reload; and `toru-plugin build`."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.python.planting import SDK, build
from toru.domain.manifest import parse_manifest

pytestmark = pytest.mark.req("LANG-1")

PROGRAM = """
from toru_plugin import Plugin

plugin = Plugin(id="mine", name="Mine", icon="🧪", route="/mine", bundle="bundle.js")


@plugin.get("/")
async def root(request):
    return "first"


@plugin.get("/kept")
def kept(request):
    plugin.kv.set("count", plugin.kv.get("count", 0) + 1)
    return plugin.kv.get("count")


if __name__ == "__main__":
    plugin.run()
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(PROGRAM)
    (tmp_path / "bundle.js").write_text("window.ToruPlugins = {};")
    return tmp_path


class Development:
    """`--dev` at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        port = re.search(r":(\d+)/", self.line())
        assert port
        self.port = int(port[1])

    def line(self) -> str:
        """What it prints next."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def developing(project: Path, *command: str, **environment: str) -> Iterator[Development]:
    process = subprocess.Popen(
        [*(command or (sys.executable, "mine.py")), "--dev", "--port", "0"],
        cwd=project, env=environment or ENVIRONMENT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield Development(process)
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(30) == 0
        process.stdout.close()


def get(port: int, path: str = "/", method: str = "GET", **more: Any) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, **more)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answers(port: int, body: bytes) -> bool:
    try:
        return get(port)[1] == body
    except OSError:
        return False  # the process in between has just ended


def test_a_plugin_serves_http_by_itself_and_starts_again_when_its_file_changes(project: Path) -> None:
    with developing(project) as dev:
        assert get(dev.port) == (200, b"first")
        assert get(dev.port, "/bundle.js")[1] == b"window.ToruPlugins = {};"
        program = project / "mine.py"
        program.write_text(PROGRAM.replace("first", "second"))
        until(lambda: answers(dev.port, b"second"))
        assert dev.line() == "mine.py changed: starting again\n"
        program.write_text("this is no Python")
        assert dev.line() == "mine.py changed: starting again\n"
        program.write_text(PROGRAM.replace("first", "third"))
        until(lambda: answers(dev.port, b"third"))


def test_a_plugin_keeps_things_while_there_is_no_toru(project: Path) -> None:
    with developing(project) as dev:
        assert [get(dev.port, "/kept")[1] for _ in range(2)] == [b"1", b"2"]
    with developing(project) as dev:
        assert get(dev.port, "/kept")[1] == b"3"


@pytest.mark.req("UI-4")
def test_a_page_mounts_the_front_end_as_the_manager_does(project: Path) -> None:
    with developing(project) as dev:
        status, page = get(dev.port, "/_dev/")
        assert status == 200
        assert b'<script src="/bundle.js">' in page
        wish = json.dumps({"action": "set", "key": "count", "value": 41})
        assert json.loads(get(dev.port, "/_dev/kv", "POST", body=wish)[1]) == {"value": 41}
        assert get(dev.port, "/kept")[1] == b"42"


def test_websockets_are_refused_in_words(project: Path) -> None:
    with developing(project) as dev:
        status, said = get(dev.port, headers={"Connection": "Upgrade", "Upgrade": "websocket"})
    assert (status, b"http plugin" in said) == (501, True)


def test_started_by_hand_it_says_what_to_do(project: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "mine.py"], cwd=project, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, "--dev" in ran.stderr) == (1, True)


# One file.


@pytest.mark.req("META-1", "META-3")
def test_a_plugin_becomes_one_file_that_says_what_it_is_without_importing_anything(project: Path) -> None:
    (project / "words").mkdir()
    (project / "words/de.txt").write_text("hallo")
    file = build(project / "mine.py", project / "bundle.js", project / "words", to=project / "plugins")
    assert (file.name, file.stat().st_mode & 0o777) == ("mine.binary", 0o755)
    assert file.read_bytes().startswith(b"#!/usr/bin/python3\n")
    assert (project / "plugins/mine/bundle.js").read_text() == "window.ToruPlugins = {};"
    with zipfile.ZipFile(file) as archive:
        assert {"mine.py", "bundle.js", "words/de.txt", "toru_plugin/plugin.py"} <= set(archive.namelist())
    command = [sys.executable, "-X", "importtime", str(file), "--metadata"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    assert parse_manifest(ran.stdout.encode()).name == "Mine"
    assert "toru_plugin" not in ran.stderr


def test_the_same_plugin_is_the_same_file(project: Path) -> None:
    first = build(project / "mine.py", to=project / "a").read_bytes()
    os.utime(project / "mine.py", (0, 0))
    assert build(project / "mine.py", to=project / "b").read_bytes() == first


def test_the_one_file_serves_as_the_program_does(project: Path) -> None:
    file = build(project / "mine.py", project / "bundle.js", to=project / "plugins")
    with developing(project, str(file), PATH=os.environ["PATH"]) as dev:
        assert get(dev.port, "/bundle.js") == (200, b"window.ToruPlugins = {};")


def test_packages_come_along_with_what_they_require(project: Path) -> None:
    (project / "mine.py").write_text(f"import httpx, toru_plugin\n{PROGRAM}".replace('"first"', "httpx.__file__"))
    file = build(project / "mine.py", "--with=httpx", to=project / "plugins")
    with zipfile.ZipFile(file) as archive:
        names = {name.split("/")[1] for name in archive.namelist() if name.startswith("modules/")}
    assert {"httpx", "httpcore", "anyio", "idna"} <= names
    assert "fastapi" not in names
    cache = project / "cache"
    environment = {"PATH": os.environ["PATH"], "CACHE_DIRECTORY": str(cache)}
    for _ in range(2):
        with developing(project, "/usr/bin/python3", "-S", str(file), **environment) as dev:
            assert get(dev.port)[1].decode().startswith(str(cache))
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise SystemExit('no')", "--metadata fails"),
        ("print('hello')", "prints no JSON"),
        ("print('{}')", "says no id"),
    ],
)
def test_what_can_not_be_built_is_said_in_words(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    command = [sys.executable, "-m", "toru_plugin", "build", "mine.py"]
    ran = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (ran.returncode, said in ran.stderr) == (1, True)
    assert list(tmp_path.glob("*.binary")) == []
