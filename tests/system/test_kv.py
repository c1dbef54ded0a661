"""Storage on a host: as a plugin reaches it, and through whatever happens to the core."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.databases import Rows
from tests.system.toru import Toru

# Sets one key after the other, each until that is acknowledged. Says before every two hundredth that it is at work, and
# at last what it was told.
WRITER = """
import http.client, json, socket, sys, time
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect("/run/toru/api.sock")
plugin_id, count = sys.argv[1], int(sys.argv[2])
headers = {"Authorization": "Bearer " + open(f"/run/toru/tokens/{plugin_id}").read()}
connection, failures, acknowledged = Connection("toru"), 0, {}
for number in range(count):
    if number % 200 == 0:
        print("writing", flush=True)
    while str(number) not in acknowledged:
        try:
            body = json.dumps({"action": "set", "key": str(number), "value": [number, failures]})
            connection.request("POST", f"/api/plugins/{plugin_id}/kv", body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status == 200:
                acknowledged[str(number)] = json.loads(content)["value"]
                continue
        except (OSError, http.client.HTTPException):
            pass
        failures += 1
        connection.close()
        time.sleep(0.01)
print(json.dumps([acknowledged, failures]))
"""


@pytest.fixture
def api(host: Host) -> Api:
    """As root, at api.sock."""
    return Api(host)


@pytest.mark.req("KV-3", "ISO-5")
def test_killing_the_core_during_a_thousand_writes_loses_none_that_was_acknowledged(
    toru: Toru, host: Host, api: Api, rows: Rows
) -> None:
    toru.plant("keeper")
    toru.scan()
    with host.popen("python3", "-c", WRITER, "keeper", "1000", stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(4):
            assert writer.stdout.readline() == "writing\n"
            host.run("systemctl", "kill", "--signal=KILL", "toru.service", check=False)
        acknowledged, failures = json.loads(writer.stdout.readlines()[-1])
    assert len(acknowledged) == 1000
    assert failures, "the core was killed while it was written to"
    kept: dict[str, object] = {}
    after = ""
    while True:
        page = api.get(f"/api/plugins/keeper/kv?limit=1000&after={after}")
        kept |= {entry["key"]: entry["value"] for entry in page["entries"]}
        if page["next"] is None:
            break
        after = page["next"]
    assert kept == acknowledged
    written = rows("SELECT key, value FROM plugin_kv WHERE plugin_id = 'keeper'")
    assert {key: json.loads(value) for key, value in written} == acknowledged


@pytest.mark.req("KV-2", "SEC-3")
def test_a_plugin_gets_at_its_own_storage_with_its_credential_and_at_nothing_else(
    toru: Toru, host: Host, api: Api
) -> None:
    toru.plant("one")
    toru.plant("two")
    toru.scan()
    headers = {"Authorization": f"Bearer {toru.ask('one', '/credential')}"}
    body = json.dumps({"action": "set", "key": "k", "value": "one's"}).encode()
    assert api("POST", "/api/plugins/one/kv", headers=headers, body=body).status == 200
    assert api("POST", "/api/plugins/two/kv", headers=headers, body=body).status == 403
    assert api("GET", "/api/plugins/one/kv", headers=headers).json()["entries"][0]["value"] == "one's"
    for path in ("/api/plugins", "/api/events", "/api/plugins/one/events", "/api/plugins/one/logs"):
        assert api("GET", path, headers=headers).status == 403, path
    # A new token at each enable, and the old one is worth nothing.
    toru.disable("one")
    toru.enable("one")
    assert api("GET", "/api/plugins/one/kv", headers=headers).status == 401
    assert api.get("/api/plugins/one/kv")["entries"][0]["value"] == "one's"


@pytest.mark.req("KV-2")
def test_there_is_no_storage_for_what_is_no_plugin(api: Api) -> None:
    body = json.dumps({"action": "set", "key": "k", "value": 1}).encode()
    assert api("POST", "/api/plugins/never-was/kv", body=body).status == 404


@pytest.mark.req("KV-3")
def test_what_is_kept_survives_a_reboot(toru: Toru, host: Host, api: Api) -> None:
    toru.plant("keeper")
    toru.scan()
    body = json.dumps({"action": "set", "key": "lasting", "value": "é"}).encode()
    assert api("POST", "/api/plugins/keeper/kv", body=body).status == 200
    host.reboot()
    body = json.dumps({"action": "get", "key": "lasting"}).encode()
    toru.wait_until("the core", lambda: api("GET", "/api/health").status == 200)
    assert api("POST", "/api/plugins/keeper/kv", body=body).json() == {"value": "é"}
