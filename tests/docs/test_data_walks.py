"""Who looks after the core's data as docs/ops.md says finds it where the page says, and gets it back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import blocks, section
from tests.hosts.private import PrivateHost
from tests.system.api import Api
from tests.system.toru import Toru
from toru.trial import Options, Trial

PAGE = "docs/ops.md"
KV = "/api/plugins/keeper/kv"
PASSWORD = "Quite-a-secret-9"  # noqa: S105  of a trial

# A server of Debian's as its package sets one up: known by name at the Unix socket, and running as `postgres`.
SERVER = """
set -e
export PATH="$(echo /usr/lib/postgresql/*/bin):$PATH"
data=/var/lib/postgresql/docs sockets=/run/postgresql
install -d -o postgres -g postgres $sockets $data
runuser -u postgres -- initdb --auth=peer --no-sync -D $data
systemd-run --unit=docs-postgresql --uid=postgres --property=Type=notify \\
    "$(command -v postgres)" -D $data -c listen_addresses= -c unix_socket_directories=$sockets
"""


@pytest.fixture
def toru() -> Iterator[Toru]:
    """With a plugin that keeps something, and an admin."""
    files = {"credstore/toru-admin-password": PASSWORD}
    with Trial(Options(name=f"data-{os.getpid()}", files=files)) as trial:
        toru = Toru(PrivateHost("private", trial))
        toru.plant("keeper")
        toru.scan()
        yield toru


def keep(toru: Toru, value: str) -> None:
    body = json.dumps({"action": "set", "key": "k", "value": value}).encode()
    toru.wait_until("a database", lambda: Api(toru.host)("POST", KV, body=body).status == 200)


def kept(toru: Toru) -> object:
    answer = Api(toru.host)("POST", KV, body=b'{"action": "get", "key": "k"}')
    return answer.json()["value"] if answer.status == 200 else answer.status


def script(heading: str, number: int = 0) -> str:
    return blocks("sh", page=PAGE, heading=heading)[number].text


@pytest.mark.req("KV-3")
def test_a_copy_of_the_database_brings_everything_back(toru: Toru) -> None:
    keep(toru, "before")
    toru.host.run("sh", "-eu", "-c", script("Database"))
    assert toru.host.run("ls", "/root").stdout == "toru-backup.db\n"
    keep(toru, "after")
    steps = section(PAGE, "Database")
    assert "`systemctl stop toru.service toru.socket`, remove `toru.db-wal` and `toru.db-shm`, copy the file" in steps
    toru.host.run("systemctl", "stop", "toru.service", "toru.socket")
    put_back = "rm -f toru.db-wal toru.db-shm; cp /root/toru-backup.db toru.db; chown toru:toru toru.db"
    toru.host.run("sh", "-euc", f"cd /var/lib/toru; {put_back}")
    toru.host.run("systemctl", "start", "toru.socket", "toru.service")
    toru.wait_until("the database", lambda: kept(toru) == "before")
    keep(toru, "again")


@pytest.mark.req("SEC-3")
def test_the_database_may_lie_in_another_directory(toru: Toru) -> None:
    there = "/var/toru-elsewhere"  # /srv is the machine's own, also in a trial
    (drop_in,) = (it.text for it in blocks("ini", page=PAGE, heading="Database"))
    toru.host.put("/etc/systemd/system/toru.service.d/override.conf", drop_in.replace("/srv/toru", there))
    toru.host.run("install", "-d", "-o", "toru", "-g", "toru", there)
    toru.host.run("systemctl", "daemon-reload")
    toru.settings(f'database_url = "sqlite:///{there}/toru.db"\n')
    keep(toru, "there")
    assert "toru.db" in toru.host.run("ls", there).stdout
    assert kept(toru) == "there"


@pytest.mark.req("KV-3")
@pytest.mark.skipif(not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="there is no PostgreSQL")
def test_postgresql_is_set_up_as_the_page_says(toru: Toru) -> None:
    toru.host.run("sh", "-c", SERVER)
    install, *others = script("PostgreSQL").splitlines()
    assert install == "sudo apt install postgresql python3-psycopg"
    for line in others:
        toru.host.run("sh", "-euc", line.replace("sudo -u postgres", "runuser -u postgres --"))
    (settings,) = (it.text for it in blocks("toml", page=PAGE, heading="PostgreSQL"))
    toru.settings(settings)
    keep(toru, "in PostgreSQL")
    question = "SELECT plugin_id, key, value FROM plugin_kv"
    said = toru.host.run("runuser", "-u", "postgres", "--", "psql", "-At", "-d", "toru", "-c", question).stdout
    assert said == 'keeper|k|"in PostgreSQL"\n'


@pytest.mark.req("OBS-4")
@pytest.mark.skipif(shutil.which("curl") is None, reason="the token is tried with curl, which is not installed")
def test_prometheus_gets_a_token_that_opens_the_metrics_and_nothing_to_change(toru: Toru) -> None:
    toru.host.run("sh", "-c", "groupadd -f prometheus; mkdir -p /etc/prometheus")
    toru.host.run("sh", "-euc", script("Metrics").replace("sudo ", ""))
    (configuration,) = (it.text for it in blocks("yaml", page=PAGE, heading="Metrics"))
    assert "credentials_file: /etc/prometheus/toru-token\n" in configuration
    said = toru.host.run("stat", "--format=%a %U %G", "/etc/prometheus/toru-token").stdout
    assert said == "640 root prometheus\n"
    # Through a proxy, which is where a token is needed.
    ask = 'curl -s -o /dev/null -w %{http_code} -H "Via: 1.1 proxy" "$@"'
    web = Api.at_web_address(toru.host).address
    opened = 'set -- -H "Authorization: Bearer $(cat /etc/prometheus/toru-token)" "$@"'
    metrics = f"http://127.0.0.1:{web}/metrics"
    assert toru.host.run("sh", "-c", ask, "sh", metrics, user="nobody").stdout == "401"
    assert toru.host.run("sh", "-c", f"{opened}; {ask}", "sh", metrics).stdout == "200"
    restart = f"http://127.0.0.1:{web}/api/plugins/keeper/restart"
    assert toru.host.run("sh", "-c", f"{opened}; {ask}", "sh", "-X", "POST", restart).stdout == "403"
