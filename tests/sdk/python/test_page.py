"""docs/sdk-python.md: every block of it is run, and everything that is exported is in it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import toru_plugin
from toru_plugin.asgi import AsgiPlugin
from toru_plugin.testing import Client, serving

from tests.docs.pages import TREE, Block, blocks, section, spans
from tests.sdk.python.planting import SDK, Planted
from tests.system.crowd import Order, ask
from tests.system.toru import Toru

pytestmark = pytest.mark.req("LANG-1")

PAGE = "docs/sdk-python.md"
# A client of a WebSocket, by hand: a masked frame (with a mask of zeroes) and one that comes back.
TALK = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(60)
connection.connect("/run/toru/api.sock")
connection.sendall(sys.argv[1].encode())
head = b""
while b"\\r\\n\\r\\n" not in head:
    head += connection.recv(1)
print(head.split(b"\\r\\n")[0].decode())
connection.sendall(bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi")
received = b""
while b"you said hi" not in received:
    received += connection.recv(65536)
print(received[2:13].decode())
"""

APART = {"FastAPI, Starlette, any ASGI app"}


def executed(found: list[Block], names: dict[str, Any]) -> dict[str, Any]:
    for block in found:
        exec(compile(block.text, str(block), "exec"), names)  # noqa: S102  (it is our own page)
    return names


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the blocks of the page define, read from top to bottom."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "smtp-password").write_text("s3cret\n")
    (tmp_path / "config").write_text('{"server": "mail.example.org"}')
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return executed([it for it in blocks("python", page=PAGE) if it.heading not in APART], {"__name__": "page"})


@pytest.fixture
def client(names: dict[str, Any]) -> Iterator[Client]:
    with serving(names["plugin"]) as client:
        yield client


def test_every_handler_of_the_page_answers_as_it_says(client: Client) -> None:
    assert client.get("/hello/Bob").json() == {"message": "Hello, Bob, from ada!"}
    assert client.get("/pages/7?lang=de").text == "page 7, de"
    assert client.get("/pages/100").json()["facts"] == {"pages": 99}
    saved = client.put("/settings", {"a": 1})
    assert (saved.status, saved.json(), len(saved.headers.all("set-cookie"))) == (201, {"a": 1}, 2)
    assert client.put("/settings", "x" * 10_001).status == 413
    assert client.post("/copy", b"copied").body == b"copied"
    assert client.post("/lines", b"a\nb\n").json() == 2
    assert client.get("/ticks").text == 'data: {"tick":0}\n\ndata: {"tick":1}\n\ndata: {"tick":2}\n\n'
    assert [client.post("/visits/bob").json() for _ in range(2)] == [{"visits:bob": 1}, {"visits:bob": 2}]
    assert client.delete("/visits/bob").status == 204
    assert client.post("/backup").json() == {"done": True}
    assert client.get("/mail").json() == {"server": "mail.example.org", "password_characters": 6}


def test_the_test_that_authors_are_shown_passes(names: dict[str, Any]) -> None:
    names["test_it_greets"]()
    assert names["sleepy"].metadata["idle_timeout"] == 300


def test_what_the_reader_types_works(tmp_path: Path) -> None:
    (program,) = (it for it in blocks("python", page=PAGE) if it.saved_as is not None and it.heading == "Ten lines")
    (tmp_path / "greet.py").write_text(program.text)
    (tmp_path / "sdk").symlink_to(TREE / "sdk")
    (typed,) = blocks("sh", page=PAGE)
    ran = subprocess.run(["sh", "-eu", "-c", typed.text], cwd=tmp_path, capture_output=True, text=True, check=True)
    said, file = ran.stdout.splitlines()
    assert json.loads(said)["id"] == "greet"
    environment = {"PATH": os.environ["PATH"]}
    built = subprocess.run([file, "--metadata"], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert json.loads(built.stdout) == json.loads(said)


def test_the_fastapi_app_of_the_page_is_a_plugin() -> None:
    first, _ = (it for it in blocks("python", page=PAGE) if it.heading in APART)
    app = executed([first], {"__name__": "page"})["app"]
    with serving(AsgiPlugin(app, id="items", name="Items", route="/items")) as client:
        assert client.get("/items/7").json() == {"id": 7}


@pytest.mark.req("PROTO-7")
def test_the_plugin_with_websockets_is_an_http_plugin(toru: Toru) -> None:
    _, program = (it for it in blocks("python", page=PAGE) if it.heading in APART)
    python = toru.host.read("/usr/bin/toru").splitlines()[0]
    toru.drop("chat.binary", f"{python}\n{program.text}")
    toru.scan()
    upgrade = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: " + "x" * 22 + "==",
    ]
    head = "\r\n".join(["GET /api/plugins/route/chat/talk HTTP/1.1", "Host: toru", *upgrade, "", ""])
    said = toru.host.run("python3", "-c", TALK, head).stdout.splitlines()
    assert said[0].startswith("HTTP/1.1 101 "), "some servers say what 101 means, and some don't"
    assert said[1:] == ["you said hi"]


def test_the_credentials_of_the_page_reach_the_plugin(toru: Toru, planted: Planted) -> None:
    (drop_in,) = blocks("ini", page=PAGE)
    (code,) = (it for it in blocks("python", page=PAGE) if it.heading == "Secrets, settings, directories")
    toru.host.put("/etc/toru/greet-smtp-password", "s3cret\n", 0o600)
    toru.host.put("/etc/toru/greet.json", '{"server": "mail.example.org"}', 0o600)
    toru.host.put("/etc/systemd/system/toru-plugin-greet.service.d/override.conf", drop_in.text)
    toru.host.run("systemctl", "daemon-reload")
    planted("greet", code.text)
    said = ask(toru.host, Order("/greet/mail"))[0].json()
    toru.host.run("rm", "/etc/toru/greet-smtp-password", "/etc/toru/greet.json")
    assert said == {"server": "mail.example.org", "password_characters": 6}


def test_everything_that_is_exported_is_in_the_page() -> None:
    shown = set(spans(section(PAGE, "Everything that is exported")))
    assert set(toru_plugin.__all__) - shown == set()
    methods = {name for name in vars(toru_plugin.Plugin) if not name.startswith("_")} - {"start", "stop", "bundle"}
    assert methods - shown == set()


def test_the_readme_shows_the_plugin_of_the_page() -> None:
    readme = (SDK / "README.md").read_text()
    (program,) = (it for it in blocks("python", page=PAGE) if it.heading == "Ten lines")
    assert program.text in readme
