"""Databases that a host's core keeps things in, and what they say themselves: the second witness."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.host import Host
from tests.hosts.relay import Relay, from_path, to_path
from tests.store.postgresql import SOCKET, PostgreSql

SQLITE = "/var/lib/toru/toru.db"
SOCKETS = Path("/run/postgresql")
"""Where Debian's PostgreSQL has its socket."""
DROP_IN = "/etc/toru/toru.toml.d/database.toml"

ASK_SQLITE = """
import json, sqlite3, sys
print(json.dumps(sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute(sys.argv[2]).fetchall()))
"""

Rows = Callable[[str], list[Any]]
"""The answer to a question in SQL."""


def rows_of_sqlite(host: Host) -> Rows:
    def rows(question: str) -> list[Any]:
        answer: list[Any] = json.loads(host.run("python3", "-c", ASK_SQLITE, SQLITE, question).stdout)
        return [tuple(row) for row in answer]

    return rows


@contextmanager
def reachable(server: PostgreSql, host: Host) -> Iterator[Relay]:
    """The server's socket is seen on this host."""
    host.run("mkdir", "-p", str(SOCKETS))
    with from_path(host.path(f"{SOCKETS}/{SOCKET}"), to_path(server.directory / SOCKET)) as relay:
        yield relay


@contextmanager
def kept_in(url: str, *hosts: Host) -> Iterator[None]:
    """The cores of these hosts keep everything in this database, as soon as they have restarted."""
    for host in hosts:
        host.put(DROP_IN, f'database_url = "{url}"\n')
        host.run("systemctl", "restart", "toru.service")
    try:
        yield
    finally:
        for host in hosts:
            host.run("rm", DROP_IN)
            host.run("systemctl", "restart", "toru.service")
