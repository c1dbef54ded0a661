"""A page of a plugin's log over HTTP, in a small journal and in a large one."""

from __future__ import annotations

import http.client
import json
import socket
import time
from functools import partial
from pathlib import Path

from tests.bench.driver import hush, run
from tests.bench.measure import Asked, Part, Row, took
from toru.domain import places
from toru.domain.ids import PluginId

TITLE = "Logs: a page of 100 lines, over api.sock"

SIZES = (10_000, 100_000, 500_000)
"""Lines in the journal when the page is asked for."""

COUNT = Path("/etc/lines")

TALKER = f"""\
#!/bin/sh
if [ "$1" != --metadata ]; then
    seq --format='line %.0f of many, about as long as lines are' $(cat {COUNT})
    exec sleep infinity
fi
echo '{{"id": "talker", "name": "Talk", "version": "1", "route": "/talker", "protocol": "http", "start": "on-demand"}}'
"""

PAGES = {
    "the newest": "",
    "page 50": "page=50",
    "by level, 20,000 lines looked at": "level=emerg",
    "by text, 20,000 lines looked at": "q=never",
}


class _OverSocket(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(places.API_SOCKET))


def measure(asked: Asked) -> Part:
    hush()
    talker = PluginId("talker")
    path = places.PLUGINS / f"{talker}.binary"
    path.write_text(TALKER)
    path.chmod(0o755)
    run("systemctl", "start", "toru-scan.service")
    connection = _OverSocket("toru")
    address = f"/api/plugins/{talker}/logs?page_size=100&"
    samples: dict[str, list[float]] = {}
    written = 0
    for size in SIZES:
        count = size - written
        written = size
        COUNT.write_text(str(count))
        run("systemctl", "restart", talker.service)
        _wait_until_written(connection, address, f"line {count} of")
        for _ in range(asked.rounds):
            for name, query in PAGES.items():
                seconds = took(partial(_get, connection, address + query))
                samples.setdefault(f"{name}, {size:,} lines", []).append(seconds)
    smallest = {name: f"{name}, {SIZES[0]:,} lines" for name in PAGES}
    rows = [Row(what, values, smallest[what.rpartition(", ")[0]]) for what, values in samples.items()]
    rows.sort(key=lambda row: list(PAGES).index(row.what.rpartition(", ")[0]))
    return Part(rows, [run("journalctl", "--disk-usage").strip()])


def _wait_until_written(connection: http.client.HTTPConnection, address: str, last: str) -> None:
    deadline = time.monotonic() + 120
    while last not in _get(connection, address):
        if time.monotonic() > deadline:
            raise SystemExit(f"the journal never had {last!r}")
        time.sleep(0.2)


def _get(connection: http.client.HTTPConnection, address: str) -> str:
    connection.request("GET", address)
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != 200:
        raise SystemExit(f"{address}: {answer.status} {text}")
    json.loads(text)
    return text


STEPS = (measure,)
