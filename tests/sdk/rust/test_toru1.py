"""A plugin on the Rust SDK where the core knows toru/1 alone, as those in the field do."""

from __future__ import annotations

import json

import pytest

from tests.hosts.host import Host
from tests.sdk.rust.conftest import Paces
from tests.system.crowd import Order, ask
from tests.system.toru import Toru

# The first of them builds the plugin.
pytestmark = [pytest.mark.req("LANG-1", "PROTO-6"), pytest.mark.timeout(1200)]

# One message after another on one connection; what is answered, line by line.
CLIENT = """
import json, socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(30)
    connection.connect(sys.argv[1])
    received = connection.makefile("rb")
    for message in json.load(sys.stdin):
        data = json.dumps(message).encode()
        connection.sendall(len(data).to_bytes(4, "big") + data)
        print(received.read(int.from_bytes(received.read(4), "big")).decode())
"""


@pytest.fixture
def field(paces_plugin: Paces, toru: Toru) -> Toru:
    paces_plugin.plant_for_an_older_core("field")
    return toru


@pytest.mark.req("PROTO-2", "PROTO-4")
def test_it_binds_for_itself_and_answers_after_its_init(field: Toru, host: Host) -> None:
    text, binary, large, stream = ask(
        host, Order("/field/a?b=c", "PUT", b"words"), Order("/field/echo", "POST", b"\xff\x00"),
        Order("/field/count", "POST", length=5 << 20), Order("/field/bytes?100000"),
    )  # fmt: skip
    expected = {"pid": field.pid("field"), "user": "root", "method": "PUT", "path": "/a?b=c", "body": "words"}
    assert (text.status, text.json()) == (201, expected | {"bytes": None})
    assert (binary.body, large.body, stream.length) == (b"\xff\x00", str(5 << 20).encode(), 100_000)
    assert field.logged("field") == [f"init {host.read('/var/lib/toru/instance-id').strip()}"]


def test_it_answers_kv_messages(field: Toru, host: Host) -> None:
    field.wait_until("it to run", lambda: field.service("field", "SubState")["SubState"] == "running")
    values = []
    for asked in ({"action": "Set", "value": "v"}, {"action": "Get"}, {"action": "Delete"}, {"action": "Get"}):
        inner = {**asked, "action": asked["action"].lower(), "key": "a"}
        payload = {"type": "kv", "request_id": "K", "key": "a", **asked, "payload": inner}
        message = {"type": "kv", "timestamp": "2026-01-01T00:00:00Z", "request_id": "K", "payload": payload}
        path = "/run/toru-plugins/field/plugin.sock"
        said = json.loads(host.run("python3", "-c", CLIENT, path, input=json.dumps([message])).stdout)
        assert (said["type"], said["payload"]["type"], said["payload"]["request_id"]) == ("kv", "kv", "K")
        values.append(said["payload"]["value"])
    assert values == [None, "v", "v", None]


@pytest.mark.req("PROTO-5")
def test_a_handler_that_fails_is_a_502(field: Toru, host: Host) -> None:
    first = field.pid("field")
    assert [reply.status for reply in ask(host, Order("/field/fail"), Order("/field/"))] == [502, 201]
    assert field.pid("field") == first


@pytest.mark.req("PROTO-3", "LIFE-2")
def test_it_ends_on_its_shutdown_message(field: Toru) -> None:
    field.disable("field")
    assert field.logged("field")[-1] == "goodbye"
    assert field.ends("field") == []
