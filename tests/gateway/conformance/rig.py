"""The plugin of the conformance cases, in service on a host, and a client beside it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import websockets

from tests.gateway.conformance.case import Case, Seen, Way
from tests.gateway.conformance.rules import as_client_saw, as_plugin_saw
from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru

TREE = Path(__file__).resolve().parents[3]
ABOARD = "/usr/local/lib/toru-tests"
"""Where plugins in their sandbox see it."""

PERSON, PASSWORD = "gerda", "Correct-Horse-1"


@dataclass
class Growth:
    peak: int = 0
    """Bytes."""


class Rig:
    """Both plugins are asked directly, and by Toru as somebody who is signed in with a cookie.

    `raw` does what each request says, `socket` speaks WebSocket.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.toru = Toru(host)
        put_aboard(host)
        self.toru.plant("raw", "http_raw.py", metadata={"protocol": "http", "max_body": 4 << 30, "route": "/raw-one"})
        self.toru.plant("socket", "http_websocket.py", metadata={"protocol": "http"})
        self.toru.serve()
        self.socket = "/run/toru/plugins/raw.sock"
        self.port = int(Api.at_web_address(host).address)
        self.cookie = signed_in(host)
        self.directly = Way("directly", self.socket)
        self.by_toru = Way("by Toru", self.port, "/api/plugins/route/raw-one", f"Cookie: {self.cookie}\r\n")
        self.socket_directly = Way("directly", "/run/toru/plugins/socket.sock")
        self.socket_by_toru = Way("by Toru", self.port, "/api/plugins/route/socket", f"Cookie: {self.cookie}\r\n")
        self._runs = 0
        self._python = ("env", f"PYTHONPATH={ABOARD}", "python3", "-m")
        self._agent = host.popen(
            *(*self._python, "tests.gateway.conformance.agent"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, case: Case, way: Way) -> Seen:
        """Plays a case, and says what both ends have seen of it, as far as it has to be the same."""
        self._runs += 1
        run = f"run{self._runs}"
        client = self.play(case.script(way, run), way)
        expected = case.requests
        if way is self.by_toru and case.differs is not None and case.differs.requests is not None:
            expected = case.differs.requests
        records = self.control(f"records/{run}/{expected}")
        return Seen(as_client_saw(client), as_plugin_saw(records, way))

    def play(self, script: Any, way: Way) -> Any:
        return self._ask({"address": way.address, "plugin": self.socket, "script": script})

    def control(self, what: str) -> Any:
        """Asks the plugin itself."""
        return self._ask({"plugin": self.socket, "control": what})

    def crowd(self, order: Any) -> Any:
        """What came of many clients at once."""
        with self.crowding(order) as outcome:
            pass
        return outcome

    @contextmanager
    def crowding(self, order: Any, module: str = "crowd") -> Iterator[dict[str, Any]]:
        """Many clients at once, from when they have begun until the end of the block; and then what came of it."""
        outcome: dict[str, Any] = {}
        argv = (*self._python, f"tests.gateway.conformance.{module}", json.dumps({"port": self.port, **order}))
        with self.host.popen(*argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                if order["kind"] != "aborted":
                    assert process.stdout.readline() == "begun\n"
                yield outcome
                if not order.get("to the end"):
                    process.stdin.close()
                outcome |= json.loads(process.stdout.read())
            finally:
                process.kill()

    def core(self) -> int:
        """The pid of the core, inside the host."""
        return int(self.host.show("toru.service", "MainPID")["MainPID"])

    @contextmanager
    def growth(self) -> Iterator[Growth]:
        """How much more memory the core had meanwhile than before, at most, as the kernel counts it."""
        status = f"/proc/{self.core()}/status"
        # proc_pid_clear_refs(5): from here on the peak is counted anew.
        self.host.run("sh", "-c", f"echo 5 > {status.replace('status', 'clear_refs')}")
        before = _kib(self.host.read(status), "VmRSS")
        growth = Growth()
        yield growth
        growth.peak = (_kib(self.host.read(status), "VmHWM") - before) << 10

    def descriptors(self) -> int:
        """How many the core has open."""
        return len(self.host.run("ls", f"/proc/{self.core()}/fd").stdout.split())

    def memory(self) -> int:
        """Of the core, in bytes. Its share of a file's pages, which changes as programs come and go, is left out."""
        return _kib(self.host.read(f"/proc/{self.core()}/smaps_rollup"), "Pss_Anon") << 10

    def _ask(self, order: Any) -> Any:
        assert self._agent.stdin is not None
        assert self._agent.stdout is not None
        self._agent.stdin.write(json.dumps(order) + "\n")
        self._agent.stdin.flush()
        said = json.loads(self._agent.stdout.readline())
        assert not (isinstance(said, dict) and "broken" in said), said["broken"]
        return said

    def close(self) -> None:
        with self._agent:
            assert self._agent.stdin is not None
            self._agent.stdin.close()
        assert Api(self.host)("DELETE", f"/api/users/{PERSON}").status < 300
        self.toru.clean_up()


def _kib(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    assert found, text
    return int(found[1])


def signed_in(host: Host) -> str:
    """A person's cookie."""
    host.run("toru", "user", "add", PERSON, input=f"{PASSWORD}\n")
    body = json.dumps({"name": PERSON, "password": PASSWORD}).encode()
    answer = Api.at_web_address(host)(
        "POST", "/api/auth/login", headers={"Content-Type": "application/json"}, body=body
    )
    assert answer.status == 200, answer.body
    return answer.headers["set-cookie"].partition(";")[0]


def put_aboard(host: Host) -> None:
    """What runs inside the host: the modules of the cases' two ends."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for file in sorted((TREE / "tests/gateway/conformance").glob("*.py")):
            tar.add(file, file.relative_to(TREE))
        # As it is in Python: what of it is compiled is for this Python, and not for each host's.
        library = Path(websockets.__file__).parent
        for file in sorted(library.rglob("*.py")):
            tar.add(file, Path("websockets") / file.relative_to(library))
    unpack = f"mkdir -p {ABOARD} && base64 -d | tar -xz --no-same-owner -C {ABOARD}"
    host.run("sh", "-c", unpack, input=b64encode(buffer.getvalue()).decode())
