"""The example in plain toru/1: built, installed, asked, and its page in a real browser."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.hosts.host import Host
from tests.system.toru import Toru

EXAMPLES = Path(__file__).parents[2] / "examples"

# What the manager does with a bundle (docs/protocol.md), and what a person does with the page.
PAGE = """<!doctype html><title>page</title><div id="view"></div><pre id="result"></pre>
<script src="/bundle.js"></script>
<script>
(async () => {
  const said = {};
  const plugin = window.ToruPlugins["hello-python"];
  const view = document.getElementById("view");
  const api = {fetch: (path) => fetch("/plugin" + path), showToast: (message) => { said.toast = message; }};
  await plugin.mount(view, api);
  view.querySelector("button").click();
  const status = view.querySelector("[role=status]");
  while (!status.textContent) await new Promise((resolve) => setTimeout(resolve, 20));
  said.answer = status.textContent;
  plugin.unmount(view);
  said.left = view.innerHTML;
  document.getElementById("result").textContent = JSON.stringify(said);
})();
</script>"""


@pytest.fixture
def hello(toru: Toru, tmp_path: Path) -> Path:
    """The built example, dropped into the host's plugins directory."""
    subprocess.run(["sh", str(EXAMPLES / "build.sh"), str(tmp_path)], check=True)
    toru.drop("hello-python.binary", (tmp_path / "hello-python.binary").read_bytes())
    toru.scan()
    return tmp_path


@pytest.mark.req("OPS-1", "PROTO-6", "LANG-2")
def test_it_is_a_plugin_that_greets_and_counts(toru: Toru, host: Host, hello: Path) -> None:
    assert [toru.ask_toru1("hello-python", "/hello")["greeted"] for _ in range(3)] == [1, 2, 3]
    about = toru.ask_toru1("hello-python", "/about?why=not")
    assert about == {"instance_id": host.read("/var/lib/toru/instance-id").strip(), "pid": toru.pid("hello-python")}
    assert "error" in toru.ask_toru1("hello-python", "/nowhere")
    toru.disable("hello-python")
    assert toru.logged("hello-python")[-1] == "goodbye"


@contextmanager
def site(toru: Toru, bundle: bytes) -> Iterator[str]:
    """The page, the bundle, and behind /plugin the plugin itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/bundle.js":
                kind, body = "text/javascript", bundle
            elif self.path.startswith("/plugin"):
                answer = toru.ask_toru1("hello-python", self.path.removeprefix("/plugin"))
                kind, body = "application/json", json.dumps(answer).encode()
            else:
                kind, body = "text/html; charset=utf-8", PAGE.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing: pytest shows what matters."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.req("LANG-1")
def test_its_page_mounts_greets_and_unmounts_in_a_browser(toru: Toru, hello: Path, tmp_path: Path) -> None:
    with site(toru, (hello / "hello-python" / "bundle.js").read_bytes()) as address:
        shown = subprocess.run(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                f"--user-data-dir={tmp_path / 'profile'}", "--timeout=20000", "--virtual-time-budget=10000",
                "--dump-dom", address,
            ],
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip
    result = shown.partition('<pre id="result">')[2].partition("</pre>")[0]
    assert json.loads(result) == {"answer": "Hello from Python! Greeted 1 times.", "left": ""}
