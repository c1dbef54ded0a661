"""What plugins keep: sets and gets over HTTP at api.sock, on SQLite and on PostgreSQL."""

from __future__ import annotations

import http.client
import json
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from tests.bench.driver import hush, plant, run
from tests.bench.measure import Asked, Part, Row, Unit, took
from toru.domain import places
from toru.domain.ids import PluginId

TITLE = "Storage: one entry of 100 bytes, set and got"

CLIENTS = 16
KEEPER = PluginId("keeper")
DROP_IN = places.SETTINGS_DROP_INS / "bench.toml"
VALUE = "x" * 98
HEALTH = "GET /api/health"
"""What HTTP costs, with nothing behind it."""


def measure(asked: Asked) -> Part:
    hush()
    run("systemctl", "start", "toru.service")
    plant(KEEPER, "http.py", protocol="http", start="on-demand")
    run("systemctl", "start", "toru-scan.service")
    _until_it_has_tables()
    rows = [_health(asked), *_of_core("SQLite", asked, {"set": HEALTH, "get": HEALTH})]
    notes = ["Every set is written and synced when it is answered; on a private host to memory, so that costs nothing."]
    if _has_postgresql():
        with _on_postgresql():
            rows += _of_core("PostgreSQL", asked, {"set": "SQLite: set", "get": "SQLite: get"})
    else:
        notes.append("There is no PostgreSQL on this host.")
    return Part(rows, notes)


class _Connection(http.client.HTTPConnection):
    """As the plugin, with its own token."""

    def __init__(self) -> None:
        super().__init__("toru")
        self._headers = {"Authorization": f"Bearer {KEEPER.token_path.read_text()}"}

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(places.API_SOCKET))

    def do(self, **what: object) -> None:
        self.request("POST", f"/api/plugins/{KEEPER}/kv", json.dumps(what), self._headers)
        answer = self.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{what} was answered by {answer.status}: {said.decode(errors='replace')}")


def _health(asked: Asked) -> Row:
    def ask(connection: _Connection) -> None:
        connection.request("GET", "/api/health")
        connection.getresponse().read()

    with closing(_Connection()) as connection:
        return Row(HEALTH, [took(lambda: ask(connection)) for _ in range(asked.rounds * 30)])


def _of_core(name: str, asked: Asked, peers: dict[str, str]) -> list[Row]:
    count = asked.rounds * 30
    with closing(_Connection()) as connection:
        connection.do(action="set", key="0", value=VALUE)
        sets = [took(partial(connection.do, action="set", key=str(n), value=VALUE)) for n in range(count)]
        gets = [took(partial(connection.do, action="get", key=str(n))) for n in range(count)]
    rows = [Row(f"{name}: set", sets, peers.get("set")), Row(f"{name}: get", gets, peers.get("get"))]
    for action in ("set", "get"):
        rates = [_rate(action, count // CLIENTS + 1) for _ in range(3)]
        rows.append(Row(f"{name}: {action}s a second, {CLIENTS} clients", rates, unit=Unit.COUNT))
    return rows


def _rate(action: str, each: int) -> float:
    def work(client: int) -> None:
        more = {"value": VALUE} if action == "set" else {}
        with closing(_Connection()) as connection:
            for number in range(each):
                connection.do(action=action, key=f"{client}-{number}", **more)

    with ThreadPoolExecutor(CLIENTS) as pool:
        began = time.perf_counter()
        list(pool.map(work, range(CLIENTS)))
        return round(CLIENTS * each / (time.perf_counter() - began))


def _has_postgresql() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@contextmanager
def _on_postgresql() -> Iterator[None]:
    """The core on a PostgreSQL of its own, which is as careful as one in service."""
    from tests.store.postgresql import PostgreSql  # noqa: PLC0415  where there is one

    tempfile.tempdir = str(places.STATE)  # the core sees nothing of /tmp
    server = PostgreSql.start(fsync="on", shared_buffers="128MB")
    server.directory.chmod(0o711)  # the way to its socket
    try:
        DROP_IN.parent.mkdir(parents=True, exist_ok=True)
        DROP_IN.write_text(f'database_url = "{server.new_database()}"\n')
        run("systemctl", "restart", "toru.service")
        _until_it_has_tables()
        yield
    finally:
        DROP_IN.unlink(missing_ok=True)
        run("systemctl", "restart", "toru.service")
        server.stop()


def _until_it_has_tables() -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with closing(_Connection()) as connection:
                connection.do(action="get", key="0")
        except SystemExit:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


STEPS = (measure,)
