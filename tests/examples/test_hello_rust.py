"""The example in Rust: built, installed, asked, and its page in a real browser."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.hosts.host import Host
from tests.system.crowd import Order, ask
from tests.system.toru import Toru

TREE = Path(__file__).parents[2]
EXAMPLES = TREE / "examples"
BUILT = TREE / "build/tests/examples"


pytestmark = pytest.mark.timeout(1200)  # the first of them builds it


@pytest.fixture(scope="session")
def built() -> Path:
    subprocess.run(["sh", EXAMPLES / "hello-rust/build.sh", BUILT], check=True)
    return BUILT


@pytest.fixture
def hello(toru: Toru, built: Path) -> Path:
    toru.drop("hello-rust.binary", (built / "hello-rust.binary").read_bytes())
    toru.serve("hello-rust")
    return built


@pytest.mark.req("LANG-1", "OPS-1")
def test_it_is_a_plugin_that_greets_and_counts(toru: Toru, host: Host, hello: Path) -> None:
    replies = [ask(host, Order("/hello-rust/hello"))[0] for _ in range(3)]
    assert [reply.json()["greeted"] for reply in replies] == [1, 2, 3]
    about, bundle, nowhere = ask(
        host, Order("/hello-rust/about?why=not"), Order("/hello-rust/bundle.js"), Order("/hello-rust/nowhere")
    )
    instance = host.read("/var/lib/toru/instance-id").strip()
    assert about.json() == {"instance_id": instance, "pid": toru.pid("hello-rust")}
    assert (bundle.body, nowhere.status) == ((hello / "hello-rust/bundle.js").read_bytes(), 404)
    assert toru.service("hello-rust", "WatchdogUSec")["WatchdogUSec"] == "30s"
    toru.disable("hello-rust")
    assert toru.logged("hello-rust")[-1] == "goodbye"


@pytest.mark.req("LANG-1", "PROTO-4")
def test_its_clock_ticks_until_the_plugin_is_told_to_end(toru: Toru, host: Host, hello: Path) -> None:
    code = """
import socket
connection = socket.socket(socket.AF_UNIX)
connection.connect("/run/toru/api.sock")
path = "/api/plugins/route/hello-rust/clock"
connection.sendall(f"GET {path} HTTP/1.1\\r\\nHost: toru\\r\\nConnection: close\\r\\n\\r\\n".encode())
for line in connection.makefile():
    print(line, end="", flush=True)
"""
    with host.popen("python3", "-c", code, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        ticks = [line for line in (client.stdout.readline() for _ in range(30)) if line.startswith("data: ")][:2]
        assert int(ticks[1].split()[1]) > int(ticks[0].split()[1])
        toru.disable("hello-rust")
        rest = client.stdout.read()
    assert rest.rstrip().endswith("0"), "the answer came to its end: the last chunk says so"
    assert toru.ends("hello-rust") == []


def test_its_metadata_is_what_its_file_says_without_toru(built: Path) -> None:
    said = subprocess.run([built / "hello-rust.binary", "--metadata"], capture_output=True, check=True).stdout
    metadata = json.loads(said)
    assert (metadata["id"], metadata["protocol"], metadata["watchdog"]) == ("hello-rust", "toru/2", 30)
    alone = subprocess.run([built / "hello-rust.binary"], capture_output=True, text=True, env={}, check=False)
    assert (alone.returncode, "no socket to serve on" in alone.stderr) == (1, True)
