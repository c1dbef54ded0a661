"""Many who ask a plugin at once, from inside a host, at the core's api.sock."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.hosts.host import Host

# Reads orders from stdin, each a request; the answers come on stdout in the same order, one on a line. With "until" the
# first order is sent again and again, until that file is there, and each answer is a line.
CROWD = """
import base64, hashlib, http.client, json, os, socket, sys, threading, time
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(100)
        self.sock.connect("/run/toru/api.sock")
def body_of(order):
    whole, part = order["length"], bytes(range(256)) * 256
    for start in range(0, whole, len(part)):
        yield part[:whole - start]
def ask(order):
    headers = {"Connection": "close", "Host": "toru"}
    if order["length"] is None:
        body = base64.b64decode(order["body"])
    elif order["chunked"]:
        body, headers["Transfer-Encoding"] = body_of(order), "chunked"
    else:
        body, headers["Content-Length"] = body_of(order), str(order["length"])
    connection = Connection("toru")
    said = {"status": 0, "headers": {}, "body": "", "length": 0, "hash": ""}
    try:
        try:
            connection.request(order["method"], order["path"], body, headers, encode_chunked=order["chunked"])
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused within its body: the answer is there
        answer = connection.getresponse()
        said["status"], said["headers"] = answer.status, {name.lower(): value for name, value in answer.getheaders()}
        digest, first = hashlib.sha256(), b""
        while part := answer.read(1 << 20):
            digest.update(part)
            said["length"] += len(part)
            first += part[:65536 - len(first)]
        said["body"], said["hash"] = base64.b64encode(first).decode(), digest.hexdigest()
    except (OSError, http.client.HTTPException) as error:
        said["body"] = base64.b64encode(repr(error).encode()).decode()
    finally:
        connection.close()
    return said
def work(number, order):
    answers[number] = ask(order)
given = json.load(sys.stdin)
orders, until = given["orders"], given["until"]
if until:
    answers = []  # said at the end: nobody reads before, and a pipe that is full would stop the asking
    while not os.path.exists(until):
        answers.append(ask(orders[0]))
else:
    answers = [None] * len(orders)
    threads = [threading.Thread(target=work, args=it) for it in enumerate(orders)]
    for thread in threads:
        thread.start()
        time.sleep(given["apart"])
    for thread in threads:
        thread.join()
for answer in answers:
    print(json.dumps(answer))
"""


@dataclass(frozen=True)
class Order:
    """A request for a path below `/api/plugins/route`. With a `length` its body is so many bytes, 0 to 255 by turns."""

    path: str
    method: str = "GET"
    body: bytes = b""
    length: int | None = None
    chunked: bool = False

    def said(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": f"/api/plugins/route{self.path}",
            "body": base64.b64encode(self.body).decode(),
            "length": self.length,
            "chunked": self.chunked,
        }


@dataclass(frozen=True)
class Reply:
    status: int
    """0: there was no answer, or not all of it; `body` says why."""
    headers: dict[str, str]
    body: bytes
    """The first 64 KiB."""
    length: int
    hash: str
    """SHA-256 of all of it."""

    @classmethod
    def parse(cls, line: str) -> Reply:
        said = json.loads(line)
        return cls(**{**said, "body": base64.b64decode(said["body"])})

    def json(self) -> Any:
        return json.loads(self.body)


def ask(host: Host, *orders: Order, apart: float = 0) -> list[Reply]:
    """All of them at once, or begun so many seconds apart."""
    given = {"orders": [order.said() for order in orders], "until": None, "apart": apart}
    done = host.run("python3", "-c", CROWD, input=json.dumps(given), timeout=200)
    return [Reply.parse(line) for line in done.stdout.splitlines()]


@contextmanager
def waiting(host: Host, *orders: Order) -> Iterator[list[Reply]]:
    """All of them at once, and then the block. The list has what they got when the block is over."""
    given = json.dumps({"orders": [order.said() for order in orders], "until": None, "apart": 0})
    replies: list[Reply] = []
    with host.popen("python3", "-c", CROWD, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as crowd:
        try:
            assert crowd.stdin is not None
            crowd.stdin.write(given)
            crowd.stdin.close()
            crowd.stdin = None
            yield replies
            said, _ = crowd.communicate(timeout=150)
        except BaseException:
            crowd.kill()
            raise
    replies += map(Reply.parse, said.splitlines())


@contextmanager
def asking(host: Host, order: Order, crowd: int) -> Iterator[list[Reply]]:
    """So many who ask for the same again and again, as long as the block lasts. Then the list has what they got."""
    end = "/tmp/the-crowd-goes-home"  # noqa: S108  (on a host of the tests' own)
    host.run("rm", "-f", end)
    given = json.dumps({"orders": [order.said()], "until": end, "apart": 0})
    replies: list[Reply] = []
    people = [host.popen("python3", "-c", CROWD, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(crowd)]
    try:
        for person in people:
            assert person.stdin is not None
            person.stdin.write(given)
            person.stdin.close()
            person.stdin = None
        yield replies
    finally:
        host.run("touch", end)
        for person in people:
            said, _ = person.communicate(timeout=150)
            replies += map(Reply.parse, said.splitlines())


def refusal(reply: Reply) -> tuple[int, str, str]:
    """Status, code and the plugin it speaks of."""
    said = reply.json()
    assert said["status"] == reply.status
    return reply.status, said["code"], said["facts"]["plugin"]
