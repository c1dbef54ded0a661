"""Asks the core over HTTP from inside a host: at api.sock as one of its users, or at the web address."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from tests.hosts.host import Host

SOCKET = "/run/toru/api.sock"

# One request, byte by byte as it was said: no client of a library's would send what these tests have to. With "follow",
# what comes goes out as it comes.
CLIENT = """
import base64, json, socket, sys
address, follow, request = sys.argv[1], sys.argv[2] == "follow", base64.b64decode(sys.argv[3])
if address.startswith("/"):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
else:
    connection = socket.create_connection(("127.0.0.1", int(address)))
connection.settimeout(None if follow else 100)
connection.sendall(request)
answer = b""
while part := connection.recv(65536):
    if follow:
        sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
    answer += b"" if follow else part
if not follow:
    print(base64.b64encode(answer).decode())
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    id: str | None
    at: float
    """When it came, by this machine's clock."""


class Stream:
    """Server-sent events as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def events(self) -> Iterator[Event]:
        """Until the stream ends."""
        fields: dict[str, str] = {}
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, _, value = line.rstrip("\n").partition(": ")
            if name in {"event", "data", "id"}:
                fields[name] = value
            elif name == "" and "data" in fields:
                yield Event(fields["event"], json.loads(fields["data"]), fields.get("id"), time.time())
                fields = {}

    def first(self, name: str, **wanted: Any) -> Event:
        """The first event of this name, from here on, that says this."""
        for event in self.events():
            if event.name == name and all(event.data[key] == value for key, value in wanted.items()):
                return event
        raise AssertionError(f"the stream ended without {name} {wanted}")

    def ended(self, within: float) -> bool:
        """Whether it ends in time; what is left in it is read."""
        try:
            self._process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            return False
        return True


class Api:
    def __init__(self, host: Host, address: str = SOCKET, *, user: str | None = None) -> None:
        self.host = host
        self.address = address
        self.user = user

    @classmethod
    def at_web_address(cls, host: Host) -> Self:
        listens = host.run("systemctl", "show", "--property=Listen", "toru.socket").stdout
        port = re.search(r"127\.0\.0\.1:(\d+)", listens)
        assert port, listens
        return cls(host, port[1])

    def __call__(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        request = _request(method, path, headers or {}, body)
        done = self.host.run("python3", "-c", CLIENT, self.address, "whole", request, user=self.user, timeout=120)
        head, _, content = base64.b64decode(done.stdout).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        named = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if named.get("transfer-encoding") == "chunked":
            content = _joined(content)
        return Answer(int(first.split()[1]), named, content)

    def get(self, path: str, *, expect: int = 200) -> Any:
        answer = self("GET", path)
        assert answer.status == expect, (path, answer.status, answer.body)
        return answer.json()

    def post(self, path: str, *, expect: int = 200) -> Any:
        answer = self("POST", path)
        assert answer.status == expect, (path, answer.status, answer.body)
        return answer.json()

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str] | None = None) -> Iterator[Stream]:
        """From when the core has begun to answer: what happens in the block is in the stream."""
        request = _request("GET", path, headers or {}, b"")
        argv = ("python3", "-c", CLIENT, self.address, "follow", request)
        with self.host.popen(*argv, user=self.user, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline().split()[1:2] == ["200"], path
                yield Stream(process)
            finally:
                process.kill()


def _request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: toru", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines).encode("utf-8", "surrogateescape")
    return base64.b64encode(head + b"\r\n\r\n" + body).decode()


def _joined(chunked: bytes) -> bytes:
    whole = b""
    while chunked:
        size, _, rest = chunked.partition(b"\r\n")
        length = int(size, 16)
        whole, chunked = whole + rest[:length], rest[length + 2 :]
    return whole
