"""Hooks on a host: drops them, and sees what they were told."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from tests.hosts.host import Host
from tests.system.toru import Toru

HOOKS = "/etc/toru/hooks.d"
URL = "/etc/toru/webhook-url"
SEEN = "/var/lib/seen"
PLACE = "/var/lib/toru-hooks/cursor"

STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5"

# Leaves what it was told in a directory of its own for each run, whole or not at all.
WITNESS = f"""\
#!/bin/sh
set -e
seen=$(mktemp -d {SEEN}/.XXXXXX)
cat > "$seen/stdin"
env -0 > "$seen/environment"
echo "${{0##*/}} $(id -u)" > "$seen/who"
mv "$seen" "{SEEN}/${{seen##*/.}}"
echo "I was told: $TORU_TEXT"
"""

LOOK = """
import json, pathlib, sys
runs = []
for seen in pathlib.Path(sys.argv[1]).glob("[!.]*"):
    name, uid = (seen / "who").read_text().split()
    environment = (seen / "environment").read_bytes().decode().rstrip("\\0").split("\\0")
    told = {key: value for key, _, value in (line.partition("=") for line in environment) if key.startswith("TORU_")}
    runs.append({"hook": name, "uid": int(uid), "environment": told, "stdin": json.loads((seen / "stdin").read_text())})
print(json.dumps(sorted(runs, key=lambda run: run["environment"]["TORU_AT"])))
"""

# A web server that answers with these statuses, the last of them for ever, and says what it was asked.
RECEIVER = """
import http.server, json, sys
answers = [int(status) for status in sys.argv[1:]]
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print(json.dumps({"path": self.path, "headers": dict(self.headers), "body": body}), flush=True)
        self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
        self.send_header("Location", "/moved")
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_GET = lambda self: print(json.dumps({"path": "GET " + self.path}), flush=True)
    log_message = lambda *arguments: None
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
"""


# Waits until the test says so, and then comes to its end.
PATIENT = f"""\
#!/bin/sh
while [ ! -e {SEEN}/.go ]; do sleep 0.1; done
"""


class Hooks:
    def __init__(self, toru: Toru) -> None:
        self.toru, self.host = toru, toru.host
        self._drop_ins: set[str] = set()

    def drop(self, name: str = "witness", content: str = WITNESS, *, mode: int = 0o755) -> None:
        """Puts a file there, and returns when it is counted in."""
        self.host.put(f"{HOOKS}/{name}", content, mode)
        self.counted_in()

    def counted_in(self) -> None:
        """What is there now is known to toru-hooks.service, which looks again when it starts."""
        self.toru.wait_until("the service", lambda: self.state() == "active")
        self.host.run("systemctl", "restart", "toru-hooks.service")

    def drop_in(self, unit: str, text: str) -> None:
        directory = f"/etc/systemd/system/{unit}.d"
        self._drop_ins.add(directory)
        self.host.put(f"{directory}/test.conf", f"[Service]\n{text}\n")

    def state(self) -> str:
        return self.host.show("toru-hooks.service", "ActiveState")["ActiveState"]

    def seen(self, hook: str = "witness") -> list[dict[str, Any]]:
        """Every run of the hook, in the order of what it was told."""
        return [run for run in self.everything_seen() if run["hook"] == hook]

    def everything_seen(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = json.loads(self.host.run("python3", "-c", LOOK, SEEN).stdout)
        return runs

    def told(self, plugin_id: str, hook: str = "witness") -> list[dict[str, str]]:
        """What the hook was told of the plugin."""
        runs = [run["environment"] for run in self.seen(hook)]
        return [environment for environment in runs if environment["TORU_PLUGIN"] == plugin_id]

    def kinds(self, plugin_id: str, hook: str = "witness") -> list[str]:
        return [environment["TORU_EVENT"] for environment in self.told(plugin_id, hook)]

    def at_work(self, hook: str) -> int:
        """How many units of the hooks of these names there are now."""
        return len(self.host.run("systemctl", "list-units", "--no-legend", f"toru-hook-{hook}@*").stdout.splitlines())

    def have_passed(self, *matches: str) -> bool:
        """Whether there is such an entry in the journal, and toru-hooks.service has read past the last one."""
        place = self.host.read(PLACE)
        return bool(self.toru.journal(*matches)) and not self.host.journal(*matches, since_cursor=place)

    def until_told(self, plugin_id: str, *kinds: str, hook: str = "witness", seconds: float = 20) -> None:
        self.toru.wait_until(
            f"{hook} to be told", lambda: self.kinds(plugin_id, hook)[-len(kinds) :] == [*kinds], seconds
        )

    def said(self, *, last_run: bool = False) -> list[str]:
        """What toru-hooks.service said, in this test or since it was last started."""
        matches = ["_SYSTEMD_UNIT=toru-hooks.service"]
        if last_run:
            matches.append(
                f"_SYSTEMD_INVOCATION_ID={self.host.show('toru-hooks.service', 'InvocationID')['InvocationID']}"
            )
        return [entry["MESSAGE"] for entry in self.toru.journal(*matches)]

    def of_unit(self, pattern: str) -> list[dict[str, str]]:
        """What the units of these names said, and what systemd said of them."""
        # Not --unit=: where no unit fits, journalctl of 257 fails.
        return [
            entry
            for entry in self.toru.journal()
            if fnmatchcase(entry.get("UNIT" if entry.get("_PID") == "1" else "_SYSTEMD_UNIT", ""), pattern)
        ]

    @contextmanager
    def receiver(self, *answers: int, path: str = "/hook", user: str = "") -> Iterator[Any]:
        """A webhook. What it gives are the requests, as they come."""
        statuses = [str(status) for status in answers]
        with self.host.popen("python3", "-c", RECEIVER, *statuses, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            self.address(f"http://{user}127.0.0.1:{port}{path}\n")
            try:
                yield (json.loads(line) for line in server.stdout)
            finally:
                server.kill()

    def address(self, text: str, mode: int = 0o600) -> None:
        self.host.put(URL, text, mode)
        self.counted_in()

    def clean_up(self) -> None:
        self.host.run("sh", "-c", f"rm -rf {HOOKS}/* {HOOKS}/.[!.]* {URL}")
        self.host.run("systemctl", "kill", "--signal=KILL", "toru-hook-*", "toru-webhook@*", check=False)
        self.host.run("systemctl", "try-restart", "toru-hooks.service")
        self.toru.wait_until("it to end", lambda: self.state() == "inactive")
        self.host.run("rm", "-rf", SEEN)
        for directory in self._drop_ins:
            self.host.run("rm", "-rf", directory)
        assert self.host.show("toru-hooks.path", "ActiveState") == {"ActiveState": "active"}


def kill(host: Host, plugin_id: str) -> None:
    host.run("systemctl", "kill", "--signal=KILL", f"toru-plugin-{plugin_id}.service")


def starts(hooks: Hooks, pattern: str) -> Counter[str]:
    """How often each unit of these names was started, by systemd's own word."""
    return Counter(entry["UNIT"] for entry in hooks.of_unit(pattern) if entry.get("MESSAGE_ID") == STARTING)
