"""Load: wrk for requests, and a client of our own for WebSockets."""

from __future__ import annotations

import json
import re
import select
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.peers import RUNNING

REPORT = """
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format('{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d}\\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
"""


@dataclass(frozen=True)
class Measured:
    count: int
    per_second: float
    p50: float
    p99: float


# No two requests of a run are the same.
_VARIED = """
local number, behind = 0, ""
init = function()
    lines[#lines + 1] = "Cookie: " .. wrk.headers.Cookie
    behind = " HTTP/1.1\\r\\n" .. table.concat(lines, "\\r\\n") .. "\\r\\n\\r\\n"
end
request = function()
    number = number + 1
    return "GET " .. wrk.path .. "/" .. number .. "/small?number=" .. number .. behind
end
"""

# What a browser says when a page of the manager fetches something.
_AS_A_BROWSER = """
local lines = {
    "Host: 127.0.0.1:3000",
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="131", "Not_A Brand";v="24"',
    "sec-ch-ua-mobile: ?0",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    'sec-ch-ua-platform: "Linux"',
    "Accept: */*",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Dest: empty",
    "Referer: http://127.0.0.1:3000/plugins/light",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.9,de;q=0.8",
}
"""


class Asks(StrEnum):
    """What wrk asks."""

    THE_SAME = ""
    OTHER_PATHS = 'local lines = {"Host: 127.0.0.1:3000"}' + _VARIED
    """Below the URL, each ending in `/small`."""
    AS_A_BROWSER = _AS_A_BROWSER + _VARIED
    """The same with more header fields."""
    UPLOADS = "wrk.method = 'POST'\nwrk.body = string.rep('x', 1000000)\n"
    """Of 1 MB."""


def wrk(url: str, cookie: str, *, clients: int, seconds: int, asks: Asks = Asks.THE_SAME) -> Measured:
    script = RUNNING / f"{asks.name}.lua"
    script.write_text(asks + REPORT)
    command = ["wrk", "--threads=1", f"--connections={clients}", f"--duration={seconds}s", "--timeout=30s"]
    argv = [*command, "--latency", f"--script={script}", f"--header=Cookie: {cookie}", url]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    if said["failed"] or not said["requests"]:
        raise SystemExit(f"{said['failed']} of {said['requests']} requests to {url} failed:\n{done.stdout}")
    count = said["requests"]
    return Measured(count, count / said["microseconds"] * 1e6, said["p50"] / 1e6, said["p99"] / 1e6)


def download(url: str, cookie: str) -> float:
    """Bytes a second."""
    return _curl(["-w%{speed_download}", url], cookie)


def upload(url: str, cookie: str, file: Path) -> float:
    """The same, in the other direction."""
    return _curl(["-w%{speed_upload}", "-XPOST", "-HExpect:", f"-T{file}", url], cookie)


def _curl(argv: list[str], cookie: str) -> float:
    command = ["curl", "-sSf", "-o/dev/null", f"-HCookie: {cookie}", *argv]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def echoes(url: str, cookie: str, *, clients: int, seconds: float) -> Measured:
    """Messages to and fro on so many WebSockets."""
    message = b"\x82\xe4" + b"m" * 104
    with ExitStack() as opened:
        connections = [opened.enter_context(_opened(url, cookie)) for _ in range(clients)]
        return to_and_fro(connections, message, len(message), seconds)


def to_and_fro(connections: Sequence[socket.socket], message: bytes, size: int, seconds: float) -> Measured:
    """This message again and again, one under way on each connection, each answered by so many bytes."""
    sent = dict.fromkeys(connections, 0.0)
    missing = dict.fromkeys(connections, size)
    by_number = {connection.fileno(): connection for connection in connections}
    latencies = []
    with select.epoll() as poll:
        for connection in connections:
            poll.register(connection, select.EPOLLIN)
            connection.sendall(message)
            sent[connection] = time.perf_counter()
        began = now = time.perf_counter()
        while now - began < seconds:
            for number, _ in poll.poll(10):
                connection = by_number[number]
                part = connection.recv(65536)
                if not part:
                    raise SystemExit("a connection was closed")
                missing[connection] -= len(part)
                if missing[connection] == 0:
                    now = time.perf_counter()
                    latencies.append(now - sent[connection])
                    missing[connection] = size
                    connection.sendall(message)
                    sent[connection] = now
    return measured(latencies, now - began)


def measured(latencies: list[float], seconds: float) -> Measured:
    """What that comes to."""
    count = len(latencies)
    latencies.sort()
    return Measured(count, count / seconds, latencies[count // 2], latencies[count * 99 // 100])


def _opened(url: str, cookie: str) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection(("127.0.0.1", parts.port or 80))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(
        f"GET {parts.path} HTTP/1.1\r\nHost: bench\r\nCookie: {cookie}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    if not head.startswith(b"HTTP/1.1 101 "):
        raise SystemExit(f"{url} opened no WebSocket: {head!r}")
    return connection


def signed_in(port: int) -> str:
    """A new person's cookie."""
    name, password = f"bench{time.time_ns()}", "Correct-Horse-1"
    subprocess.run(["/usr/bin/toru", "user", "add", name], input=password, text=True, check=True, capture_output=True)
    said = json.dumps({"name": name, "password": password})
    argv = ["curl", "-sSf", "-D-", "-o/dev/null", "-HContent-Type: application/json", f"-d{said}"]
    url = f"http://127.0.0.1:{port}/api/auth/login"
    head = subprocess.run([*argv, url], capture_output=True, text=True, check=True).stdout
    found = re.search(r"^set-cookie: ([^;]+);", head, re.MULTILINE | re.IGNORECASE)
    assert found, head
    return found[1]


def sparse(path: Path, size: int) -> None:
    """A file of zeros that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)
