"""A database that others look after: away and back again, and shared by several hosts."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.hosts.host import Host
from tests.hosts.private import PrivateHost
from tests.hosts.relay import Relay
from tests.store.postgresql import PostgreSql
from tests.system.api import Api
from tests.system.databases import SOCKETS, kept_in, reachable
from tests.system.test_events import Events, exits
from tests.system.test_kv import WRITER
from tests.system.toru import Toru
from toru.trial import Options, Trial

pytestmark = pytest.mark.req("KV-3", "OBS-2", "ISO-5")

QUICK = "[restart]\nfirst_delay = 0.2\nmax_delay = 0.4\nfailures = 1000\n"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSql]:
    """One of these tests' own: they end it."""
    server = PostgreSql.start()
    yield server
    server.stop()


@pytest.fixture
def url(server: PostgreSql) -> str:
    return server.new_database(seen_at=SOCKETS)


@pytest.fixture
def relay(server: PostgreSql, host: Host) -> Iterator[Relay]:
    with reachable(server, host) as relay:
        yield relay


@pytest.fixture
def api(toru: Toru, host: Host, relay: Relay, url: str) -> Iterator[Api]:
    """A core on PostgreSQL, with a plugin."""
    with kept_in(url, host):
        toru.plant("keeper")
        toru.scan()
        yield Api(host)


def put(api: Api, key: str, value: object) -> int:
    body = json.dumps({"action": "set", "key": key, "value": value}).encode()
    answer = api("POST", "/api/plugins/keeper/kv", body=body)
    if answer.status != 200:
        assert answer.json()["code"] == "store-unavailable"
    return answer.status


def crash(toru: Toru) -> None:
    before = toru.pid("keeper")
    toru.host.run("kill", "-9", str(before))
    toru.wait_until("the plugin to be back", lambda: toru.pid("keeper") not in (0, before))


def test_while_the_server_is_away_events_wait_and_plugins_go_on(
    toru: Toru, host: Host, api: Api, server: PostgreSql
) -> None:
    events = Events(api, "keeper")
    assert put(api, "k", 1) == 200
    core = host.show("toru.service", "MainPID")
    server.end()
    try:
        assert put(api, "k", 2) == 503
        said = [entry["MESSAGE"] for entry in toru.journal("_SYSTEMD_UNIT=toru.service", "PRIORITY=3")]
        assert any("store-unavailable" in line for line in said)
        crash(toru)
        assert toru.ask("keeper")["pid"] == api.get("/api/plugins/keeper")["pid"] == toru.pid("keeper")
        assert api("GET", "/api/health").status == 200
    finally:
        server.serve()
    assert put(api, "k", 3) == 200
    toru.wait_until("what happened meanwhile", lambda: events.kinds().count("crashed") == 1, 40)
    assert host.show("toru.service", "MainPID") == core, "nobody had to restart anything"


def test_a_core_that_starts_without_its_server_waits_for_it(
    toru: Toru, host: Host, api: Api, server: PostgreSql
) -> None:
    server.end()
    try:
        host.run("systemctl", "restart", "toru.service")
        assert api.get("/api/plugins/keeper")["state"] == "running"
        assert put(api, "k", 1) == 503
    finally:
        server.serve()
    toru.wait_until("the database", lambda: put(api, "k", 1) == 200)


def test_a_server_that_crashes_during_a_thousand_writes_loses_none_that_was_acknowledged(
    toru: Toru, host: Host, api: Api, server: PostgreSql, url: str
) -> None:
    with host.popen("python3", "-c", WRITER, "keeper", "1000", stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(3):
            assert writer.stdout.readline() == "writing\n"
            server.end(signal.SIGQUIT)
            server.serve()
        acknowledged, failures = json.loads(writer.stdout.readlines()[-1])
    assert failures, "the server was away while it was written to"
    assert len(acknowledged) == 1000
    kept = server.rows(url, "SELECT key, value FROM plugin_kv WHERE plugin_id = 'keeper'")
    assert {key: json.loads(value) for key, value in kept} == acknowledged


# Two hosts.


@pytest.fixture
def both(toru: Toru, host: Host, relay: Relay, server: PostgreSql, url: str) -> Iterator[tuple[Toru, Toru]]:
    """The host that is tested on and one more, whose cores keep everything in one database."""
    second = PrivateHost("second", Trial(Options(name=f"second-{os.getpid()}")).start())
    try:
        with reachable(server, second), kept_in(url, host, second):
            yield toru, Toru(second)
    finally:
        second.stop()


def test_two_hosts_on_one_database_tell_what_happened_where_and_nothing_twice(
    both: tuple[Toru, Toru], server: PostgreSql, url: str
) -> None:
    machines = [toru.host.read("/etc/machine-id").strip() for toru in both]
    assert len(set(machines)) == 2
    views = [Events(Api(toru.host), "crashing") for toru in both]
    for toru in both:
        toru.settings(QUICK)
        toru.plant("crashing", crashes_after=0.2)
        toru.scan()
    chance = random.Random(2)  # noqa: S311  moments, not secrets
    for _ in range(3):
        for toru in both:
            time.sleep(chance.uniform(0.1, 1))
            toru.host.run("systemctl", "kill", "--signal=KILL", "toru.service", check=False)
    for toru in both:
        # One more than have to be told: the last run may be stopped just as it comes to its end.
        toru.wait_until("enough crashes", lambda toru=toru: len(exits(toru, "crashing")) > 4)
        toru.disable("crashing")
    for view in views:
        both[0].wait_until(
            "the last events",
            lambda view=view: {row["host"] for row in view() if row["event_type"] == "disabled"} == set(machines),
            40,
        )
    happened = views[0]()
    assert happened == views[1]()
    for toru, machine in zip(both, machines, strict=True):
        crashes = [row for row in happened if row["event_type"] == "crashed" and row["host"] == machine]
        told = [row["details"]["invocation_id"] for row in crashes]
        ended = exits(toru, "crashing")
        assert len(set(told)) == len(told) > 3
        assert told in (ended, ended[:-1])
    assert sorted(server.rows(url, "SELECT host FROM journal_cursor")) == sorted((machine,) for machine in machines)
