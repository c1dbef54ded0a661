"""The example in a third language, without any SDK: built, installed and asked."""

import subprocess
from pathlib import Path

import pytest

from tests.hosts.host import Host
from tests.system.crowd import Order, ask, asking
from tests.system.toru import Toru

TREE = Path(__file__).parents[2]
GO = TREE / "examples/hello-go"
BUILT = TREE / "build/tests/examples"


pytestmark = pytest.mark.timeout(600)  # the first of them builds it


@pytest.fixture(scope="session")
def built() -> Path:
    subprocess.run(["sh", GO / "build.sh", BUILT], check=True)
    return BUILT


@pytest.fixture
def hello(toru: Toru, built: Path) -> Path:
    toru.drop("hello-go.binary", (built / "hello-go.binary").read_bytes())
    toru.serve("hello-go")
    return built


@pytest.mark.req("LANG-2", "PROTO-7", "OPS-1")
def test_it_is_a_plugin_that_greets_and_counts(toru: Toru, host: Host, hello: Path) -> None:
    replies = [ask(host, Order("/hello-go/hello"))[0] for _ in range(3)]
    assert [reply.json()["greeted"] for reply in replies] == [1, 2, 3]
    about, bundle, nowhere = ask(
        host, Order("/hello-go/about?why=not"), Order("/hello-go/bundle.js"), Order("/hello-go/nowhere")
    )
    assert about.json() == {"pid": toru.pid("hello-go"), "user": "root"}
    assert (bundle.body, nowhere.status) == ((hello / "hello-go/bundle.js").read_bytes(), 404)
    assert host.read("/var/lib/toru/instance-id").strip() in toru.logged("hello-go")[0]


@pytest.mark.req("LANG-2", "LIFE-6", "LIFE-2")
def test_it_answers_what_it_has_read_and_ends_well(toru: Toru, host: Host, hello: Path) -> None:
    with asking(host, Order("/hello-go/hello"), crowd=3) as replies:
        first = toru.pid("hello-go")
        toru.wait_until("requests", lambda: ask(host, Order("/hello-go/hello"))[0].json()["greeted"] > 30)
        host.run("systemctl", "restart", "toru-plugin-hello-go.service")
        toru.wait_until("requests", lambda: ask(host, Order("/hello-go/hello"))[0].json()["greeted"] > 30)
    assert toru.pid("hello-go") != first
    assert {reply.status for reply in replies} == {200}
    assert "goodbye" in toru.logged("hello-go")
    assert toru.ends("hello-go") == []


@pytest.mark.req("LANG-2")
def test_its_own_tests_pass_with_the_standard_library_alone() -> None:
    for command in (["go", "vet", "./..."], ["go", "test", "./..."]):
        done = subprocess.run(command, cwd=GO, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    modules = subprocess.run(["go", "list", "-m", "all"], cwd=GO, capture_output=True, text=True, check=True).stdout
    assert modules.split() == ["hello-go"]
