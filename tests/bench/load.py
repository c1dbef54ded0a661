"""Load: wrk for requests, and a client of our own for WebSockets."""

from __future__ import annotations

import json
import re
import select
import socket
import subprocess
import time
from dataclasses import dataclass
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
    per_second: float
    p50: float
    p99: float


def wrk(url: str, cookie: str, *, clients: int, seconds: float, upload: int = 0) -> Measured:
    script = RUNNING / f"wrk-{upload}.lua"
    body = f"wrk.method = 'POST'\nwrk.body = string.rep('x', {upload})\n" if upload else ""
    script.write_text(body + REPORT)
    command = ["wrk", "--threads=1", f"--connections={clients}", f"--duration={seconds:g}s", "--timeout=30s"]
    argv = [*command, "--latency", f"--script={script}", f"--header=Cookie: {cookie}", url]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    if said["failed"]:
        raise SystemExit(f"{said['failed']} requests to {url} failed:\n{done.stdout}")
    return Measured(said["requests"] / said["microseconds"] * 1e6, said["p50"] / 1e6, said["p99"] / 1e6)


def download(url: str, cookie: str) -> float:
    """Bytes a second."""
    argv = ["curl", "-sSf", "-o/dev/null", "-w%{speed_download} %{size_download}", f"-HCookie: {cookie}", url]
    speed, _size = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    return float(speed)


def echoes(url: str, cookie: str, *, clients: int, seconds: float) -> Measured:
    """Messages to and fro on so many WebSockets, one under way on each."""
    message = b"\x82\xe4" + b"m" * 104
    connections = [_opened(url, cookie) for _ in range(clients)]
    sent = dict.fromkeys(connections, 0.0)
    missing = dict.fromkeys(connections, len(message))
    poll = select.epoll()
    by_number = {connection.fileno(): connection for connection in connections}
    latencies = []
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
                raise SystemExit(f"{url} has closed a WebSocket")
            missing[connection] -= len(part)
            if missing[connection] == 0:
                now = time.perf_counter()
                latencies.append(now - sent[connection])
                missing[connection] = len(message)
                connection.sendall(message)
                sent[connection] = now
    for connection in connections:
        connection.close()
    latencies.sort()
    return Measured(
        len(latencies) / (now - began), latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
    )


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
