"""A page of a plugin's log over HTTP, in a small journal and in a large one."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from tests.bench.client import Client
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

NEWEST = "the newest"
PAGES = {
    NEWEST: "",
    "page 50": "page=50",
    "by level, 20,000 lines looked at": "level=emerg",
    "by text, 20,000 lines looked at": "q=never",
}
JOURNALCTL = "journalctl --lines=100 --output=json"
COMMAND = (*JOURNALCTL.split(), "--quiet", "--unit")


def measure(asked: Asked) -> Part:
    hush()
    talker = PluginId("talker")
    path = places.PLUGINS / f"{talker}.binary"
    path.write_text(TALKER)
    path.chmod(0o755)
    run("systemctl", "start", "toru-scan.service")
    client = Client()
    address = f"/api/plugins/{talker}/logs?page_size=100&"
    samples: dict[str, list[float]] = {}
    written = 0
    for size in SIZES:
        count = size - written
        written = size
        COUNT.write_text(str(count))
        run("systemctl", "restart", talker.service)
        _wait_until_written(client, address, f"line {count} of")
        cases = {name: partial(client.ask, "GET", address + query) for name, query in PAGES.items()}
        cases[JOURNALCTL] = partial(run, *COMMAND, talker.service)
        for _ in range(asked.rounds):
            for name, ask in cases.items():
                samples.setdefault(f"{name}, {size:,} lines", []).append(took(ask))
    rows = [Row(what, values, _peer(what)) for what, values in samples.items()]
    rows.sort(key=lambda row: [*PAGES, JOURNALCTL].index(row.what.rpartition(", ")[0]))
    client.close()
    return Part(rows, [run("journalctl", "--disk-usage").strip()])


def _peer(what: str) -> str:
    """The same in the small journal; of journalctl, our page of the same journal."""
    name, _, lines = what.rpartition(", ")
    return f"{NEWEST}, {lines}" if name == JOURNALCTL else f"{name}, {SIZES[0]:,} lines"


def _wait_until_written(client: Client, address: str, last: str) -> None:
    deadline = time.monotonic() + 120
    while last not in client.ask("GET", address):
        if time.monotonic() > deadline:
            raise SystemExit(f"the journal never had {last!r}")
        time.sleep(0.2)


STEPS = (measure,)
