"""Drives Toru on a host from outside, as an operator would, and puts everything back afterwards."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.host import Host
from tests.system.api import Api

PLUGINS = "/var/lib/toru/plugins"
CONFIG = f"{PLUGINS}/.metadata/config.json"
SOURCES = Path(__file__).parents[1] / "plugins"

PROCESS_EXITED = "98e322203f7a4ed290d09fe03c09fe15"
"""The id of systemd's message that a main process has ended."""

# Asked from inside the host: one connection, one request, the body of the answer on stdout.
HTTP_CLIENT = """
import http.client, json, socket, sys
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(sys.argv[1])
connection = Connection("plugin")
connection.request("GET", sys.argv[2])
print(connection.getresponse().read().decode())
"""

TORU1_CLIENT = """
import json, socket, sys
message = {"type": "http", "timestamp": "2026-01-01T00:00:00.000000Z", "request_id": "R", "payload": {"type": "http",
    "request_id": "R", "payload": {"method": "GET", "path": sys.argv[2], "headers": {}, "body": None}}}
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(30)
connection.connect(sys.argv[1])
data = json.dumps(message).encode()
connection.sendall(len(data).to_bytes(4, "big") + data)
size = int.from_bytes(connection.recv(4), "big")
answer = b""
while len(answer) < size:
    answer += connection.recv(65536)
print(json.loads(answer)["payload"]["body"])
"""


class Toru:
    def __init__(self, host: Host) -> None:
        self.host = host
        self._planted: set[str] = set()
        self._files: set[str] = set()
        self._settings = False
        self._since = host.cursor()

    # Acts.

    def plant(self, plugin_id: str, source: str = "http.py", *, file: str | None = None, **changes: Any) -> None:
        """Drops a plugin into the directory: a file of tests/plugins with some of its constants changed.

        `metadata` is laid over what a plugin of this id would say.
        """
        metadata = {"id": plugin_id, "name": f"The {plugin_id}", "version": "1.0", "route": f"/{plugin_id}"}
        if source == "http.py":
            metadata["protocol"] = "http"
        metadata |= changes.pop("metadata", {})
        text = (SOURCES / source).read_text()
        for name, value in {"metadata": metadata, **changes}.items():
            pattern = re.compile(rf"^{name.upper()} = .*$", re.MULTILINE)
            assert pattern.search(text), f"{source} has no constant {name.upper()}"
            text = pattern.sub(f"{name.upper()} = {value!r}".replace("\\", r"\\"), text)
        self._planted.add(plugin_id)
        self.drop(file or f"{plugin_id}.binary", text)

    def drop(self, name: str, content: str | bytes, *, mode: int = 0o755) -> None:
        """Puts a file into the plugins directory the way careful people do: complete, then renamed."""
        self._files.add(name)
        self.host.put(f"{PLUGINS}/.incoming", content, mode)
        self.host.run("mv", f"{PLUGINS}/.incoming", f"{PLUGINS}/{name}")

    def link(self, name: str, target: str) -> None:
        self._files.add(name)
        self.host.run("ln", "-s", target, f"{PLUGINS}/{name}")

    def remove(self, name: str) -> None:
        self.host.run("rm", "-rf", f"{PLUGINS}/{name}")

    def scan(self) -> None:
        """Returns when a scan that began after this call has ended."""
        # May only join one under way, which may end badly for what has been put right since.
        self.host.run("systemctl", "start", "toru-scan.service", check=False)
        self.host.run("systemctl", "start", "toru-scan.service")

    def serve(self, *plugin_ids: str) -> None:
        """Scans, and returns when the core knows that these can be asked; so does its gateway then.

        Without any named, all that were planted.
        """
        self.scan()

        def ready() -> bool:
            known = {row["id"]: (row["state"], row["pid"] or 0) for row in Api(self.host).get("/api/plugins")}
            wanted = {plugin_id: self.pid(plugin_id) for plugin_id in plugin_ids or self._planted}
            return all(known.get(plugin_id) in {("idle", pid), ("running", pid)} for plugin_id, pid in wanted.items())

        self.wait_until("the core to know", ready)

    def enable(self, plugin_id: str, *, check: bool = True) -> str:
        self._planted.add(plugin_id)
        done = self.host.run("toru-admin", "enable", "--", plugin_id, check=check)
        return done.stdout + done.stderr

    def disable(self, plugin_id: str) -> None:
        self.host.run("toru-admin", "disable", "--", plugin_id)

    def settings(self, text: str) -> None:
        """Lays down /etc/toru/toru.toml and lets the core know."""
        self._settings = True
        self.host.run("mkdir", "-p", "/etc/toru")
        self.host.put("/etc/toru/toru.toml", text)
        self.host.run("systemctl", "restart", "toru.service")

    @contextmanager
    def core_down(self) -> Iterator[None]:
        self.host.run("systemctl", "stop", "toru.service", "toru.socket")
        try:
            yield
        finally:
            self.host.run("systemctl", "start", "toru.socket", "toru.service")

    # Looks.

    def overview(self) -> dict[str, Any]:
        """What `toru list` says."""
        answer: dict[str, Any] = json.loads(self.host.run("toru", "list", "--json").stdout)
        return answer

    def plugin(self, plugin_id: str) -> dict[str, Any]:
        return next(plugin for plugin in self.overview()["plugins"] if plugin["id"] == plugin_id)

    def rejected(self) -> dict[str, str]:
        return {row["file"]: row["reason"] for row in self.overview()["rejected"]}

    def ask(self, plugin_id: str, path: str = "/") -> Any:
        """A request to an http plugin's socket, which starts it if it sleeps."""
        answer = self.host.run("python3", "-c", HTTP_CLIENT, f"/run/toru/plugins/{plugin_id}.sock", path)
        return json.loads(answer.stdout)

    def ask_toru1(self, plugin_id: str, path: str = "/") -> Any:
        """A request to a plugin that binds for itself, by message."""
        answer = self.host.run("python3", "-c", TORU1_CLIENT, f"/run/toru-plugins/{plugin_id}/plugin.sock", path)
        return json.loads(answer.stdout)

    def ring(self, plugin_id: str) -> None:
        """A connection to the bell, and nothing more."""
        code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        self.host.run("python3", "-c", code, f"/run/toru/plugins/{plugin_id}.sock")

    def service(self, plugin_id: str, *properties: str) -> dict[str, str]:
        """What systemd says of the service: the second witness."""
        return self.host.show(f"toru-plugin-{plugin_id}.service", *properties)

    def socket(self, plugin_id: str, *properties: str) -> dict[str, str]:
        return self.host.show(f"toru-plugin-{plugin_id}.socket", *properties)

    def pid(self, plugin_id: str) -> int:
        return int(self.service(plugin_id, "MainPID")["MainPID"])

    def is_loaded(self, plugin_id: str) -> bool:
        return "loaded" in self.service(plugin_id, "LoadState").values()

    def config(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.host.read(CONFIG))
        return content

    def logged(self, plugin_id: str) -> list[str]:
        """What the plugin wrote to the journal."""
        return [entry["MESSAGE"] for entry in self.journal(f"_SYSTEMD_UNIT=toru-plugin-{plugin_id}.service")]

    def starts(self, plugin_id: str) -> list[float]:
        """When systemd began each start, in seconds: when it said so, whenever journald got to write that down."""
        return self._moments(f"toru-plugin-{plugin_id}.service", "7d4958e842da4a758f6c1cdc7b36dcc5")

    def ends(self, plugin_id: str) -> list[float]:
        """When each main process ended other than well."""
        return self._moments(f"toru-plugin-{plugin_id}.service", PROCESS_EXITED)

    def _moments(self, unit: str, message_id: str) -> list[float]:
        entries = self.journal(f"UNIT={unit}", f"MESSAGE_ID={message_id}", "_PID=1")
        return [int(entry["_SOURCE_REALTIME_TIMESTAMP"]) / 1e6 for entry in entries]

    def journal(self, *matches: str) -> list[dict[str, str]]:
        """What the journal took down since this test began."""
        return self.host.journal(*matches, since_cursor=self._since)

    def written_by_admin(self, *matches: str) -> list[dict[str, str]]:
        """What toru-admin wrote. Not by _COMM, which journald looks up in /proc, where a process may have ended."""
        return self.journal("SYSLOG_IDENTIFIER=toru-admin", *matches)

    def wait_until(self, description: str, predicate: Any, seconds: float = 15) -> None:
        self.host.wait_for(description, predicate, seconds)

    def until_shown(self, plugin_id: str, seconds: float = 15, **facts: Any) -> dict[str, Any]:
        """What `toru list` says of the plugin in the moment in which it says all of this."""

        def shown() -> dict[str, Any]:
            plugin = self.plugin(plugin_id)
            return plugin if facts.items() <= plugin.items() else {}

        return self.host.wait_for(f"{plugin_id} to be shown with {facts}", shown, seconds)

    def loaded(self) -> set[str]:
        """Every plugin that systemd has a unit of."""
        units = self.host.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "toru-plugin-*").stdout
        return set(re.findall(r"^toru-plugin-(\S+)\.(?:service|socket)", units, re.MULTILINE))

    # Puts everything back.

    def clean_up(self) -> None:
        self.host.run("rm", "-f", "/etc/toru/toru.toml")
        for plugin_id in self._planted | self.loaded():
            self._switch_off(plugin_id)
        for name in self._files:
            self.remove(name)
        names = " ".join(shlex.quote(f"/etc/systemd/system/toru-plugin-{name}.service.d") for name in self._planted)
        if names:
            self.host.run("sh", "-c", f"rm -rf {names}")
        self.scan()  # and wait for its end: a scan writes to the directory that goes now
        self.host.run("rm", "-rf", f"{PLUGINS}/.metadata")
        if self._settings:
            self.host.run("systemctl", "restart", "toru.service")

    def _switch_off(self, plugin_id: str) -> None:
        disable = ("toru-admin", "disable", "--", plugin_id)
        if "can't be read" in self.host.run(*disable, check=False).stderr:
            # A test has spoiled the file on purpose.
            self.host.run("rm", "-f", CONFIG)
            self.host.run(*disable, check=False)
