"""The smallest plugin on the Python SDK: built, installed, asked, and its page in a real browser."""

from pathlib import Path
from typing import Any

import pytest

from tests.examples.stage import page_does, put_in_place
from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru


@pytest.fixture
def hello(toru: Toru, tmp_path: Path) -> Path:
    """The built example, dropped into the host's plugins directory."""
    put_in_place(toru, "hello-python", tmp_path)
    return tmp_path


@pytest.mark.req("OPS-1", "LANG-1")
def test_it_is_a_plugin_that_greets_and_counts(toru: Toru, host: Host, hello: Path) -> None:
    def ask(path: str, *, expect: int = 200) -> Any:
        return Api(host).get(f"/api/plugins/route/hello-python{path}", expect=expect)

    assert [ask("/hello")["greeted"] for _ in range(3)] == [1, 2, 3]
    about = ask("/about?why=not")
    assert about == {"instance_id": host.read("/var/lib/toru/instance-id").strip(), "pid": toru.pid("hello-python")}
    assert "nothing at /nowhere" in ask("/nowhere", expect=404)["detail"]
    toru.disable("hello-python")
    assert toru.logged("hello-python")[-1] == "goodbye"


@pytest.mark.req("LANG-1")
def test_its_page_mounts_greets_and_unmounts_in_a_browser(host: Host, hello: Path) -> None:
    acts = """
        view.querySelector("button").click();
        const status = view.querySelector("[role=status]");
        await until(() => status.textContent);
        said.answer = status.textContent;"""
    assert page_does(host, "hello-python", hello, acts) == {"answer": "Hello from Python! Greeted 1 times."}
