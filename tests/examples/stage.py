"""An example on a host, and its page in a real browser with the plugin behind it."""

from __future__ import annotations

import html
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru

EXAMPLES = Path(__file__).parents[2] / "examples"

# What the manager does with a bundle (docs/protocol.md), and then what a person does with the page.
PAGE = """<!doctype html><title>page</title><div id="view"></div><pre id="result"></pre>
<script src="/bundle.js"></script>
<script>
(async () => {
  const said = {toasts: []};
  const plugin = window.ToruPlugins[ID];
  const view = document.getElementById("view");
  const api = {fetch: (path, init) => fetch("/plugin" + path, init), showToast: (words) => said.toasts.push(words)};
  const until = async (fact) => {
    while (!fact()) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await plugin.mount(view, api);
  await (async () => { ACTS })();
  plugin.unmount(view);
  said.left = view.innerHTML;
  document.getElementById("result").textContent = JSON.stringify(said);
})();
</script>"""

Answers = Callable[[str], tuple[str, bytes] | None]


def put_in_place(toru: Toru, example: str, to: Path, **environment: str) -> None:
    """Built by its own script, as `examples/build.sh` does, and dropped into the host's plugins directory."""
    build = ["sh", str(EXAMPLES / example / "build.sh"), str(to)]
    subprocess.run(build, check=True, capture_output=True, env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environment})
    toru.drop(f"{example}.binary", (to / f"{example}.binary").read_bytes())
    toru.serve(example)


def page_does(host: Host, example: str, folder: Path, acts: str, instead: Answers = lambda _: None) -> dict[str, Any]:
    """What its page shows of itself to `acts`, which fill `said`. `instead` answers some of its requests."""
    with site(host, example, (folder / example / "bundle.js").read_bytes(), acts, instead) as address:
        shown = subprocess.run(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                f"--user-data-dir={folder / 'profile'}", "--timeout=20000", "--virtual-time-budget=10000",
                "--dump-dom", address,
            ],
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip
    said: dict[str, Any] = json.loads(html.unescape(shown.partition('<pre id="result">')[2].partition("</pre>")[0]))
    assert said.pop("left") == "", "nothing of it is left behind"
    assert said.pop("toasts") == []
    return said


@contextmanager
def site(host: Host, example: str, bundle: bytes, acts: str, instead: Answers) -> Iterator[str]:
    """The page, the bundle, and behind /plugin the plugin itself."""
    api = Api(host)
    page = PAGE.replace("ID", json.dumps(example)).replace("ACTS", acts).encode()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            path = self.path.removeprefix("/plugin")
            status, length = 200, int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(length)
            if self.path == "/bundle.js":
                kind, body = "text/javascript", bundle
            elif self.path == "/":
                kind, body = "text/html; charset=utf-8", page
            elif (instead_of_it := instead(path)) is not None:
                kind, body = instead_of_it
            elif path == self.path:
                status, kind, body = 404, "text/plain", b""
            else:
                headers = {name: value for name in ("Content-Type",) if (value := self.headers.get(name))}
                answer = api(self.command, f"/api/plugins/route/{example}{path}", headers=headers, body=content)
                status, kind, body = answer.status, answer.headers.get("content-type", "text/plain"), answer.body
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  (http.server looks for these names)

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
