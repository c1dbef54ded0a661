"""The core and a worker: one address, and every plugin with one of the two."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.gateway.conformance.rig import PASSWORD, PERSON, Rig
from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru
from toru.domain.ids import PluginId
from toru.workers.custody import CORE, owner_of

WORKER = "toru-worker@1.service"

NAMES = [f"peer-{number}" for number in range(100)]
OURS = next(name for name in NAMES if owner_of(PluginId(name), [CORE, "1"]) == CORE)
THEIRS = next(name for name in NAMES if owner_of(PluginId(name), [CORE, "1"]) == "1")

# Everything on one connection, as a browser keeps it. What follows is told what to do, and says JSON.
VISITOR = """
import base64, json, os, socket, sys
port = int(sys.argv[1])
class Visitor:
    def __init__(self, cookie=""):
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.settimeout(60)
        self.cookie, self.data = cookie, b""
    def more(self):
        part = self.connection.recv(1 << 20)
        assert part, "the connection was closed"
        self.data += part
    def send(self, method, path, body=b"", *lines):
        self.connection.sendall(self.request(method, path, body, *lines))
    def request(self, method, path, body=b"", *lines):
        head = [f"{method} {path} HTTP/1.1", "Host: toru", f"Content-Length: {len(body)}", *lines]
        if self.cookie:
            head.append(f"Cookie: {self.cookie}")
        return "\\r\\n".join([*head, "", ""]).encode() + body
    def answer(self):
        while b"\\r\\n\\r\\n" not in self.data:
            self.more()
        head, _, self.data = self.data.partition(b"\\r\\n\\r\\n")
        first, *lines = head.decode().split("\\r\\n")
        said = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(said.get("content-length", 0))
        while len(self.data) < length:
            self.more()
        body, self.data = self.data[:length], self.data[length:]
        return int(first.split()[1]), said, body
    def ask(self, method, path, body=b"", *lines):
        self.send(method, path, body, *lines)
        return self.answer()
    def plugin(self, name, path="/"):
        status, _, body = self.ask("GET", f"/api/plugins/route/{name}{path}")
        return status, json.loads(body) if body[:1] == b"{" else body.decode()
    def sign_in(self, name, password):
        body = json.dumps({"name": name, "password": password}).encode()
        status, said, _ = self.ask("POST", "/api/auth/login", body, "Content-Type: application/json")
        assert status == 200, status
        self.cookie = said["set-cookie"].partition(";")[0]
"""


class Place:
    """A host with a worker beside the core, and who is signed in there."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.toru: Toru = rig.toru
        self.host: Host = rig.host

    @property
    def core(self) -> int:
        return self.rig.core()

    @property
    def worker(self) -> int:
        return int(self.host.show(WORKER, "MainPID")["MainPID"])

    def visit(self, program: str, *arguments: Any) -> Any:
        """What a program says that goes on from `VISITOR`; `argv` is what it was given, and `me` who is signed in."""
        beginning = f"{VISITOR}\nargv = json.loads(sys.argv[2])\nme = Visitor({self.rig.cookie!r})\n"
        done = self.host.run(
            "python3", "-c", beginning + program, str(self.rig.port), json.dumps(arguments), timeout=120
        )
        return json.loads(done.stdout)

    @contextmanager
    def visiting(self, program: str, *arguments: Any) -> Iterator[subprocess.Popen[str]]:
        """The same, for one that says a line and goes on when it hears one."""
        beginning = f"{VISITOR}\nargv = json.loads(sys.argv[2])\nme = Visitor({self.rig.cookie!r})\n"
        argv = ("python3", "-c", beginning + program, str(self.rig.port), json.dumps(arguments))
        with self.host.popen(*argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                yield process
            finally:
                process.kill()

    def asked_by(self, plugin: str) -> int:
        """Which process asks the plugin, as the kernel tells the plugin."""
        status, said = self.visit("print(json.dumps(me.plugin(argv[0])))", plugin)
        assert status == 200, said
        return int(said["asked_by"])

    def kill_worker(self) -> None:
        """Returns when it is dead. Until the kernel comes to that, what is handed to it is lost."""
        there = f"/proc/{self.worker}"
        self.host.run("systemctl", "kill", "--signal=KILL", WORKER)
        self.toru.wait_until("its end", lambda: self.host.run("test", "-e", there, check=False).returncode != 0)

    def wait_until_shared(self) -> None:
        self.toru.wait_until(
            "both to have their share",
            lambda: (self.asked_by(OURS), self.asked_by(THEIRS)) == (self.core, self.worker),
        )

    def figures(self, name: str, plugin: str) -> float:
        text = self.visit("print(json.dumps(Visitor().ask('GET', '/metrics')[2].decode()))")
        found = re.search(rf'^toru_plugin_{name}{{plugin="{plugin}"[^}}]*}} (\S+)$', text, re.MULTILINE)
        assert found, text
        return float(found[1])

    def answered(self, plugin: str) -> float:
        return self.figures("request_seconds_count", plugin)

    def connections(self) -> int:
        """Clients' to the address of both that one of the two has open, by the kernel's table (proc_pid_net(5))."""
        rows = [line.split() for line in self.host.run("cat", "/proc/net/tcp").stdout.splitlines()[1:]]
        established, closed_by_the_client = "01", "08"
        open_states = {established, closed_by_the_client}
        return sum(row[1].endswith(f":{self.rig.port:04X}") and row[3] in open_states for row in rows)

    def descriptors(self) -> tuple[int, int]:
        return tuple(len(self.host.run("ls", f"/proc/{pid}/fd").stdout.split()) for pid in (self.core, self.worker))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def rig(host: Host) -> Iterator[Rig]:
    rig = Rig(host)
    yield rig
    rig.close()


@pytest.fixture(scope="module")
def place(rig: Rig) -> Iterator[Place]:
    place = Place(rig)
    for name in (OURS, THEIRS):
        rig.toru.plant(name, "http_peer.py", metadata={"protocol": "http"})
    rig.toru.scan()
    yield place
    rig.host.run("systemctl", "stop", WORKER)


@pytest.fixture
def shared(place: Place) -> Place:
    """With the worker at work."""
    place.host.run("systemctl", "start", "toru.service", WORKER)
    place.wait_until_shared()
    return place


@pytest.mark.req("PROTO-7", "ROUTE-4")
def test_one_connection_leads_to_plugins_of_both_and_to_the_api(shared: Place) -> None:
    seen = shared.visit(
        """
seen = []
for _ in range(10):
    seen += [me.plugin(argv[0])[1]["asked_by"], me.plugin(argv[1])[1]["asked_by"], me.ask("GET", "/api/plugins")[0]]
print(json.dumps(seen))
""",
        OURS,
        THEIRS,
    )
    assert seen == [shared.core, shared.worker, 200] * 10
    assert re.fullmatch(r"plugins that it serves: [1-9]\d*", shared.host.show(WORKER, "StatusText")["StatusText"])


@pytest.mark.req("PROTO-4", "PROTO-7")
def test_bodies_larger_than_what_came_with_the_head_arrive_whole(shared: Place) -> None:
    size = 5_000_000
    seen = shared.visit(
        """
seen = []
body = bytes(range(256)) * (argv[2] // 256)
for plugin in argv[:2] * 4:
    status, _, said = me.ask("POST", f"/api/plugins/route/{plugin}/", body)
    seen.append([status, json.loads(said)["asked_by"], json.loads(said)["sha256"]])
print(json.dumps(seen))
""",
        OURS,
        THEIRS,
        size,
    )
    digest = hashlib.sha256(bytes(range(256)) * (size // 256)).hexdigest()
    assert seen == [[200, shared.core, digest], [200, shared.worker, digest]] * 4


@pytest.mark.req("PROTO-7")
def test_requests_that_come_before_their_time_are_answered_in_order(shared: Place) -> None:
    sizes = shared.visit(
        """
paths = [f"/api/plugins/route/{plugin}/bytes/{1_000_000 + number}" for number, plugin in enumerate(argv * 5)]
me.connection.sendall(b"".join(me.request("GET", path) for path in paths))
print(json.dumps([len(me.answer()[2]) for _ in paths]))
""",
        OURS,
        THEIRS,
    )
    assert sizes == [1_000_000 + number for number in range(10)]


@pytest.mark.req("PROTO-7")
@pytest.mark.parametrize(("first", "then"), [(OURS, THEIRS), (THEIRS, OURS)])
def test_a_connection_that_was_handed_on_becomes_a_websocket(shared: Place, first: str, then: str) -> None:
    seen = shared.visit(
        """
before = me.plugin(argv[0])[1]["asked_by"]
lines = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
status = me.ask("GET", f"/api/plugins/route/{argv[1]}/", b"", *lines)[0]
me.connection.sendall(b"over and back")
while me.data != b"over and back":
    me.more()
print(json.dumps([before, status]))
""",
        first,
        then,
    )
    assert seen == [shared.core if first == OURS else shared.worker, 101]


@pytest.mark.req("SEC-2", "ROUTE-3")
def test_who_signs_out_is_nobody_to_any_process_from_the_answer_on(shared: Place) -> None:
    rounds = shared.visit(
        """
rounds = []
core = Visitor()
for _ in range(10):
    core.sign_in(argv[1], argv[2])
    there = Visitor(core.cookie)
    was = there.plugin(argv[0])[0]
    left = core.ask("POST", "/api/auth/logout")[0]
    rounds.append([was, left < 300, there.plugin(argv[0])[0]])
    core.cookie = ""
print(json.dumps(rounds))
""",
        THEIRS,
        PERSON,
        PASSWORD,
    )
    assert rounds == [[200, True, 401]] * 10


@pytest.mark.req("SEC-2")
def test_who_is_disabled_is_nobody_to_any_process(shared: Place) -> None:
    program = """
there = Visitor()
there.sign_in(argv[1], argv[2])
print(there.plugin(argv[0])[0], flush=True)
sys.stdin.readline()
print(there.plugin(argv[0])[0], flush=True)
"""
    shared.host.run("toru", "user", "add", "dora", input=f"{PASSWORD}\n")
    try:
        with shared.visiting(program, THEIRS, "dora", PASSWORD) as person:
            assert person.stdin is not None
            assert person.stdout is not None
            assert person.stdout.readline() == "200\n"
            shared.host.run("toru", "user", "disable", "dora")
            person.stdin.write("\n")
            person.stdin.flush()
            assert person.stdout.readline() == "401\n"
    finally:
        shared.host.run("toru", "user", "delete", "dora")


@pytest.mark.req("OBS-4")
def test_figures_are_of_all_processes_and_survive_one_that_is_killed(shared: Place) -> None:
    # What a worker has counted it tells every half second: some of what was asked earlier may come later.
    before = {name: shared.answered(name) for name in (OURS, THEIRS)}
    shared.visit("print(json.dumps([me.plugin(name)[0] for name in argv * 20]))", OURS, THEIRS)
    for name in (OURS, THEIRS):
        shared.toru.wait_until("all to be told", lambda name=name: shared.answered(name) >= before[name] + 20)
    told = shared.answered(THEIRS)
    shared.kill_worker()
    shared.toru.wait_until("the core to serve it", lambda: shared.asked_by(THEIRS) in {shared.core, shared.worker})
    assert shared.answered(THEIRS) >= told
    # A worker may have told of a request just before it was answered.
    shared.toru.wait_until("none to be in flight", lambda: shared.figures("requests_in_flight", THEIRS) == 0)
    shared.wait_until_shared()


@pytest.mark.req("ISO-5")
def test_a_killed_workers_plugins_are_the_cores_at_once(shared: Place) -> None:
    shared.host.run("systemctl", "mask", "--runtime", WORKER)  # so that it stays away
    try:
        shared.kill_worker()
        shared.toru.wait_until("the core to serve it", lambda: shared.asked_by(THEIRS) == shared.core)
    finally:
        shared.host.run("systemctl", "unmask", "--runtime", WORKER)


@pytest.mark.req("ISO-5")
def test_while_the_core_is_away_a_worker_serves_its_plugins_and_keeps_the_others_waiting(shared: Place) -> None:
    program = """
print(me.plugin(argv[0])[0], flush=True)
sys.stdin.readline()
print(me.plugin(argv[0])[0], flush=True)
me.send("GET", "/api/plugins")
print("sent", flush=True)
print(me.answer()[0], flush=True)
"""
    with shared.visiting(program, THEIRS) as person:
        assert person.stdin is not None
        assert person.stdout is not None
        assert person.stdout.readline() == "200\n"
        shared.host.run("systemctl", "stop", "toru.service")
        assert shared.core == 0
        person.stdin.write("\n")
        person.stdin.flush()
        assert person.stdout.readline() == "200\n"
        assert person.stdout.readline() == "sent\n"
        shared.host.run("systemctl", "start", "toru.service")
        assert person.stdout.readline() == "200\n"


@pytest.mark.req("ISO-5")
def test_an_idle_connection_outlives_the_worker_that_ends(shared: Place) -> None:
    program = """
for _ in range(2):
    print(me.plugin(argv[0])[1]["asked_by"], flush=True)
    sys.stdin.readline()
"""
    with shared.visiting(program, THEIRS) as person:
        assert person.stdin is not None
        assert person.stdout is not None
        assert int(person.stdout.readline()) == shared.worker
        shared.host.run("systemctl", "stop", WORKER)
        person.stdin.write("\n")
        person.stdin.flush()
        assert int(person.stdout.readline()) == shared.core


@pytest.mark.req("PROTO-7")
def test_nothing_is_left_of_a_thousand_connections_that_were_handed_on(shared: Place) -> None:
    hop = """
for _ in range(argv[2]):
    assert me.plugin(argv[0])[0] == 200
    assert me.plugin(argv[1])[0] == 200
print("true")
"""
    assert shared.visit(hop, OURS, THEIRS, 5)
    shared.toru.wait_until("all to be closed", lambda: shared.connections() == 0)
    before = shared.descriptors()
    assert shared.visit(hop, OURS, THEIRS, 500)
    shared.toru.wait_until("as many as before", lambda: shared.descriptors() == before)


@pytest.mark.req("PROTO-6")
def test_a_plugin_of_toru_1_never_has_two_requests_while_it_goes_from_hand_to_hand(shared: Place) -> None:
    name = next(it for it in (f"old-{number}" for number in range(100)) if owner_of(PluginId(it), [CORE, "1"]) == "1")
    shared.toru.plant(name, "toru1_watchful.py")
    shared.toru.scan()
    path = f"/api/plugins/route/{name}/"
    shared.toru.wait_until(
        "the plugin to answer", lambda: shared.visit("print(me.ask('GET', argv[0])[0])", path) == 200
    )
    with load(shared, path) as outcome:
        for _ in range(4):
            shared.host.run("systemctl", "stop", WORKER)
            shared.host.run("systemctl", "start", WORKER)
    assert outcome["failures"] == {}
    assert list(outcome["answers"]) == ['{"most": 1}']
    shared.toru.disable(name)


@pytest.mark.req("UI-6")
def test_what_a_workers_plugin_pushes_reaches_its_views(shared: Place) -> None:
    name = next(it for it in (f"two-{number}" for number in range(100)) if owner_of(PluginId(it), [CORE, "1"]) == "1")
    with Api(shared.host).stream("/api/stream") as stream:
        stream.first("hello")
        shared.toru.plant(name, "toru2.py", metadata={"protocol": "toru/2"}, pushes_at_start=1)
        shared.toru.scan()
        assert stream.first("push", id=name).data["name"] == "start"
    shared.toru.disable(name)


@pytest.mark.req("ISO-5", "LIFE-6")
@pytest.mark.parametrize("plugin", [OURS, THEIRS])
@pytest.mark.parametrize("unit", ["toru.service", WORKER])
def test_restarting_either_loses_no_request(shared: Place, unit: str, plugin: str) -> None:
    processes = {shared.host.show(unit, "MainPID")["MainPID"]}
    with load(shared, f"/api/plugins/route/{plugin}/bytes/7") as outcome:
        for _ in range(4):
            shared.host.run("systemctl", "restart", unit)
            processes.add(shared.host.show(unit, "MainPID")["MainPID"])
    assert outcome["failures"] == {}
    assert outcome["answers"].keys() == {"xxxxxxx"}
    assert outcome["answers"]["xxxxxxx"] > 100
    assert len(processes) == 5


@contextmanager
def load(place: Place, target: str) -> Iterator[dict[str, Any]]:
    """Many who keep their connections and forgive nothing."""
    request = f"GET {target} HTTP/1.1\r\nHost: toru\r\n{place.rig.by_toru.head}\r\n"
    with place.rig.crowding({"kind": "load", "clients": 16, "request": request}, module="load") as outcome:
        yield outcome


@pytest.mark.req("LIFE-5")
def test_a_worker_comes_and_goes_with_the_address_that_it_shares(shared: Place) -> None:
    def active() -> str:
        return shared.host.show(WORKER, "ActiveState")["ActiveState"]

    shared.host.run("systemctl", "enable", WORKER)
    try:
        shared.host.run("systemctl", "stop", "toru.socket", "toru.service")
        assert active() == "inactive"
        shared.host.run("systemctl", "start", "toru.socket", "toru.service")
        shared.toru.wait_until("the worker to be there", lambda: active() == "active")
        shared.host.run("systemctl", "stop", WORKER)
        shared.host.run("systemctl", "restart", "toru.service")
        assert active() == "inactive"
    finally:
        shared.host.run("systemctl", "disable", WORKER)
