"""What plugins keep: sets and gets over HTTP at api.sock, on SQLite and on PostgreSQL, beside bare transactions."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from tests.bench.client import Client
from tests.bench.driver import hush, plant, run
from tests.bench.measure import Asked, Moments, Part, Row, Unit, side_by_side, took
from toru.domain import places
from toru.domain.ids import PluginId

TITLE = "Storage: one entry of 100 bytes, set and got"

CLIENTS = 16
KEEPER = PluginId("keeper")
DROP_IN = places.SETTINGS_DROP_INS / "bench.toml"
VALUE = "x" * 98
ACTIONS = ("set", "get")
RATE_ROUNDS = 3
HEALTH = "GET /api/health"
"""What HTTP costs, with nothing behind it."""

_numbers = itertools.count()


class Store(Protocol):
    """Where an entry may be kept."""

    def set(self, key: str) -> object: ...
    def get(self, key: str) -> object: ...
    def close(self) -> None: ...


class OverHttp:
    """The core's storage, as a plugin reaches it with its own token."""

    def __init__(self) -> None:
        self._client = Client(token=KEEPER.token_path.read_text())

    def set(self, key: str) -> None:
        self._client.ask("POST", f"/api/plugins/{KEEPER}/kv", {"action": "set", "key": key, "value": VALUE})

    def get(self, key: str) -> None:
        self._client.ask("POST", f"/api/plugins/{KEEPER}/kv", {"action": "get", "key": key})

    def close(self) -> None:
        self._client.close()


class Sqlite:
    """A table of two columns in a file beside the core's, as careful: WAL, and synced at each commit."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(places.STATE / "bare.db", isolation_level=None, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS bare (key TEXT PRIMARY KEY, value TEXT)")

    def set(self, key: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO bare VALUES (?, ?)", (key, VALUE))

    def get(self, key: str) -> object:
        return self._connection.execute("SELECT value FROM bare WHERE key = ?", (key,)).fetchone()

    def close(self) -> None:
        self._connection.close()


class Postgresql:
    """The same in the core's own database."""

    def __init__(self, url: str) -> None:
        import psycopg  # noqa: PLC0415  where there is one

        self._connection = psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)
        self._connection.execute("CREATE TABLE IF NOT EXISTS bare (key TEXT PRIMARY KEY, value TEXT)")

    def set(self, key: str) -> None:
        sql = "INSERT INTO bare VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        self._connection.execute(sql, (key, VALUE))

    def get(self, key: str) -> object:
        return self._connection.execute("SELECT value FROM bare WHERE key = %s", (key,)).fetchone()

    def close(self) -> None:
        self._connection.close()


def measure(asked: Asked) -> Part:
    hush()
    run("systemctl", "start", "toru.service")
    plant(KEEPER, "http.py", protocol="http", start="on-demand")
    run("systemctl", "start", "toru-scan.service")
    _until_it_has_tables()
    rows = [_health(asked), *_compared("SQLite", "sqlite3", Sqlite, 1, asked)]
    notes = ["Every set is written and synced when it is answered; on a private host to memory, so that costs nothing."]
    if _has_postgresql():
        with _on_postgresql() as url:
            rows += _compared("PostgreSQL", "psycopg", lambda: Postgresql(url), CLIENTS, asked)
    else:
        notes.append("There is no PostgreSQL on this host.")
    return Part(rows, notes)


def _health(asked: Asked) -> Row:
    with closing(Client()) as client:
        return Row(HEALTH, [took(lambda: client.ask("GET", "/api/health")) for _ in range(asked.rounds * 30)])


def _compared(name: str, library: str, bare: Callable[[], Store], writers: int, asked: Asked) -> list[Row]:
    """The core's storage beside a bare transaction, one at a time and then as many as may be."""
    ours, theirs = f"{name}", f"bare {library}"
    count = asked.rounds * 30
    with closing(OverHttp()) as core, closing(bare()) as other:
        rows = side_by_side(
            count,
            [lambda: _both(ours, core), lambda: _both(theirs, other)],
            {f"{ours}: {action}": f"{theirs}: {action}" for action in ACTIONS},
        )
    rates = [
        lambda: _rates(ours, OverHttp, CLIENTS, count),
        lambda: _rates(theirs, bare, writers, count),
    ]
    peers = {_rate_of(ours, action, CLIENTS): _rate_of(theirs, action, writers) for action in ACTIONS}
    return rows + side_by_side(RATE_ROUNDS, rates, peers, Unit.COUNT)


def _both(name: str, store: Store) -> Moments:
    key = str(next(_numbers))
    return {f"{name}: set": took(lambda: store.set(key)), f"{name}: get": took(lambda: store.get(key))}


def _rates(name: str, store: Callable[[], Store], clients: int, count: int) -> Moments:
    found = {}
    for action in ACTIONS:

        def work(client: int, action: str = action) -> None:
            with closing(store()) as own:
                for number in range(count // clients + 1):
                    getattr(own, action)(f"{client}-{number}")

        with ThreadPoolExecutor(clients) as pool:
            seconds = took(lambda work=work, pool=pool: list(pool.map(work, range(clients))))  # type: ignore[misc]
        found[_rate_of(name, action, clients)] = round(clients * (count // clients + 1) / seconds)
    return found


def _rate_of(name: str, action: str, clients: int) -> str:
    return f"{name}: {action}s a second, {clients} client{'s' * (clients > 1)}"


def _has_postgresql() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@contextmanager
def _on_postgresql() -> Iterator[str]:
    """The core on a PostgreSQL of its own, which is as careful as one in service."""
    from tests.store.postgresql import PostgreSql  # noqa: PLC0415  where there is one

    tempfile.tempdir = str(places.STATE)  # the core sees nothing of /tmp
    server = PostgreSql.start(fsync="on", shared_buffers="128MB")
    server.directory.chmod(0o711)  # the way to its socket
    try:
        DROP_IN.parent.mkdir(parents=True, exist_ok=True)
        url = server.new_database()
        DROP_IN.write_text(f'database_url = "{url}"\n')
        run("systemctl", "restart", "toru.service")
        _until_it_has_tables()
        yield url
    finally:
        DROP_IN.unlink(missing_ok=True)
        run("systemctl", "restart", "toru.service")
        server.stop()


def _until_it_has_tables() -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with closing(OverHttp()) as core:
                core.get("0")
        except SystemExit:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


STEPS = (measure,)
