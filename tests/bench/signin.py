"""Signing in, and what others notice of it. The peer is argon2 alone, with the core's own parameters.

`python -m tests.bench.signin sign-in NAME PASSWORD` and `… verify HASH PASSWORD` go on until they are ended.
"""

from __future__ import annotations

import http.client
import json
import math
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from functools import cache

from tests.bench.client import Client
from tests.bench.driver import hush, property_of
from tests.bench.measure import Asked, Moments, Part, Row, Unit, side_by_side, took
from toru.core.passwords import AT_ONCE, RFC_9106_LOW_MEMORY, new_password

TITLE = "Signing in, and what others notice of it"

NAME = "bench"
CLIENTS = 8
REQUESTS = 50
"""In one batch, while others sign in."""

SIGN_IN, VERIFY = "a sign-in", "argon2 alone"
RATE, VERIFY_RATE = f"sign-ins a second, {CLIENTS} clients", f"argon2 alone, a second, {AT_ONCE} at once"
QUIET, BESIDE = "GET /api/auth/me", f"GET /api/auth/me, beside argon2 alone, {AT_ONCE} at once"
STORM = f"GET /api/auth/me, while {CLIENTS} clients sign in"


def measure(asked: Asked) -> Part:
    hush()
    password = new_password()
    hashed = RFC_9106_LOW_MEMORY.hash(password)
    with closing(Client()) as root:
        root.ask("POST", "/api/users", {"name": NAME, "password": password})
    peers = {SIGN_IN: VERIFY, RATE: VERIFY_RATE}
    rows = side_by_side(
        asked.rounds,
        [
            lambda: {SIGN_IN: took(lambda: sign_in(password))},
            lambda: {VERIFY: took(lambda: RFC_9106_LOW_MEMORY.verify(hashed, password))},
        ],
        peers,
    )
    rows += side_by_side(
        3,
        [
            lambda: _rate(RATE, CLIENTS, asked.rounds // 5 + 1, lambda: sign_in(password)),
            lambda: _rate(VERIFY_RATE, AT_ONCE, asked.rounds, lambda: RFC_9106_LOW_MEMORY.verify(hashed, password)),
        ],
        peers,
        Unit.COUNT,
    )
    rows += _noticed(asked, password, hashed)
    return Part(rows, ["The clients have no processor of their own: with two, a sign-in takes both for a moment."])


def _noticed(asked: Asked, password: str, hashed: str) -> list[Row]:
    """How long somebody waits who is signed in already, while others sign in, or while as much is calculated."""
    cookie = sign_in(password)
    samples: dict[str, list[float]] = {QUIET: [], BESIDE: [], STORM: []}
    with closing(_web()) as connection:
        for _ in range(asked.rounds):
            for what, busy in (
                (QUIET, nullcontext()),
                (BESIDE, _busy("verify", hashed, password)),
                (STORM, _busy("sign-in", NAME, password)),
            ):
                with busy:
                    samples[what] += [took(lambda: _me(connection, cookie)) for _ in range(REQUESTS)]
    rows = [
        Row(what, seconds, peer) for (what, seconds), peer in zip(samples.items(), (None, QUIET, BESIDE), strict=True)
    ]
    worst = [
        Row(f"{row.what}: 99 of 100", [_of_hundred(99, row)], row.peer and f"{row.peer}: 99 of 100") for row in rows
    ]
    return rows + worst


def _of_hundred(number: int, row: Row) -> float:
    """The least sample that so many of 100 do not exceed."""
    return sorted(row.samples)[math.ceil(number / 100 * len(row.samples)) - 1]


def _rate(what: str, workers: int, each: int, work: Callable[[], object]) -> Moments:
    def repeat(_number: int) -> None:
        for _ in range(each):
            work()

    with ThreadPoolExecutor(workers) as pool:
        seconds = took(lambda: list(pool.map(repeat, range(workers))))
    return {what: round(workers * each / seconds, 1)}


def sign_in(password: str, name: str = NAME) -> str:
    """A session's cookie."""
    with closing(_web()) as connection:
        body = json.dumps({"name": name, "password": password})
        connection.request("POST", "/api/auth/login", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"signing in was answered by {answer.status}")
        return str(answer.headers["Set-Cookie"]).partition(";")[0]


def _me(connection: http.client.HTTPConnection, cookie: str) -> None:
    connection.request("GET", "/api/auth/me", headers={"Cookie": cookie})
    if json.loads(connection.getresponse().read()).get("name") != NAME:
        raise SystemExit("the core knows the cookie no more")


def _web() -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", _port(), timeout=30)


@cache
def _port() -> int:
    listens = re.search(r"127\.0\.0\.1:(\d+)", property_of("toru.socket", "Listen"))
    assert listens
    return int(listens[1])


@contextmanager
def _busy(*arguments: str) -> Iterator[None]:
    """In a process of its own, which shares no lock with this one."""
    command = [sys.executable, "-m", "tests.bench.signin", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            if process.stdout.readline() != "busy\n":
                raise SystemExit("nothing was busy")
            yield
        finally:
            process.kill()


def main() -> None:
    what, first, password = sys.argv[1:]
    workers = CLIENTS if what == "sign-in" else AT_ONCE

    def work() -> None:
        while True:
            if what == "sign-in":
                sign_in(password, first)
            else:
                RFC_9106_LOW_MEMORY.verify(first, password)

    for _ in range(workers):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.5)  # until all of them are at it
    print("busy", flush=True)
    time.sleep(3600)


STEPS = (measure,)

if __name__ == "__main__":
    main()
