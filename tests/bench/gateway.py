"""The gateway beside others, in front of the same plugins on the same Unix sockets, each in one process and one thread.

The client, the proxy and the plugin share the machine, so that ratios tell more than figures.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.bench import load
from tests.bench.driver import ask_http, hush, plant, run
from tests.bench.load import Measured
from tests.bench.measure import Asked, Moments, Part, Row, Unit, side_by_side, took
from tests.bench.peers import NGINX, TORU, Peer, peers, plant_light
from toru.domain.ids import PluginId

TITLE = "Gateway: requests to plugins, through Toru and through others"

ABOARD = ("build/peers/usr", "build/peers/npm/node_modules")

LIGHT, STEADY = PluginId("light"), PluginId("steady")
FILES = Path("/var/lib/toru-bench/files")

CLIENTS = 64
SECONDS = 2.0
GROWTH = (1, 4, 16, 64, 256)
IDLE = 1000

EVERYBODY = (NGINX, "HAProxy", "configurable-http-proxy", "FastAPI with httpx")
THE_QUICK = (NGINX, "HAProxy")


def _set_up() -> str:
    """Plugins and somebody who is signed in: the cookie."""
    hush()
    run("systemctl", "start", "toru.service")
    FILES.mkdir(exist_ok=True)  # the step before may have
    load.sparse(FILES / "100kB", 100_000)
    load.sparse(FILES / "1GiB", 1 << 30)
    for path in (FILES.parent, FILES):
        path.chmod(0o755)
    plant(STEADY, "http_steady.py", protocol="http")
    plant_light(LIGHT, FILES)
    with peers(plugins={}) as (toru,):
        return load.signed_in(toru.port)


Measure = Callable[[Peer], Measured]


def _compared(
    what: str, rounds: int, of: Sequence[Peer], measure: Measure, said: Sequence[str] = ("a second", "p50", "p99")
) -> list[Row]:
    """Requests a second and how long they took, each peer in turn, with ratios to nginx."""

    def row(figure: str, name: str) -> str:
        return f"{what}, {figure}: {name}"

    def case(peer: Peer) -> Moments:
        measured = measure(peer)
        figures = dict(zip(said, (measured.per_second, measured.p50, measured.p99), strict=False))
        return {row(figure, peer.name): value for figure, value in figures.items()}

    against = {row(figure, peer.name): row(figure, NGINX) for figure in said for peer in of if peer.name != NGINX}
    rows = side_by_side(rounds, [partial(case, peer) for peer in of], against)
    by_name = {each.what: each for each in rows}
    rates = {row(said[0], peer.name) for peer in of}
    return [
        replace(each, unit=Unit.COUNT, samples=[round(sample) for sample in each.samples]) if name in rates else each
        for figure in said
        for peer in of
        for name, each in [(row(figure, peer.name), by_name[row(figure, peer.name)])]
    ]


def _rounds(asked: Asked) -> int:
    return max(1, asked.rounds // 2)


def small(asked: Asked) -> Part:
    """1 kB, by everybody."""
    cookie = _set_up()
    with peers(*EVERYBODY, plugins={LIGHT: LIGHT.socket_path}) as all_of_them:

        def measure(peer: Peer) -> Measured:
            return load.wrk(peer.url(LIGHT, "/small"), cookie, clients=CLIENTS, seconds=SECONDS)

        rows = _compared(f"1 kB, {CLIENTS} clients", _rounds(asked), all_of_them, measure)
        memory = {peer.name: float(peer.memory()) for peer in all_of_them}
    against = f"memory then: {NGINX}"
    rows += [
        Row(f"memory then: {name}", [used], None if name == NGINX else against, Unit.MEMORY)
        for name, used in memory.items()
    ]
    missing = set(EVERYBODY) - memory.keys()
    return Part(rows, [f"Not on this machine: {', '.join(sorted(missing))}."] if missing else [])


def bodies(asked: Asked) -> Part:
    """What is larger, and WebSockets."""
    cookie = _set_up()
    rows = []
    with peers(*THE_QUICK, plugins={LIGHT: LIGHT.socket_path, STEADY: STEADY.socket_path}) as all_of_them:
        rounds = _rounds(asked)
        rows += _compared(
            "100 kB, 16 clients",
            rounds,
            all_of_them,
            lambda peer: load.wrk(peer.url(LIGHT, "/100kB"), cookie, clients=16, seconds=SECONDS),
        )
        rows += _compared(
            "1 MB up, 16 clients",
            rounds,
            all_of_them,
            lambda peer: load.wrk(peer.url(STEADY, "/up"), cookie, clients=16, seconds=SECONDS, upload=1_000_000),
        )
        rows += _compared(
            "WebSocket echo, 16 clients",
            rounds,
            all_of_them,
            lambda peer: load.echoes(peer.url(STEADY, "/echo"), cookie, clients=16, seconds=SECONDS),
        )
        before = {peer.name: peer.memory() for peer in all_of_them}
        rows += _compared(
            "1 GiB down",
            min(rounds, 3),
            all_of_them,
            lambda peer: Measured(load.download(peer.url(LIGHT, "/1GiB"), cookie) / 1e6, 0, 0),
            said=("MB a second",),
        )
        grown = {peer.name: peer.memory() - before[peer.name] for peer in all_of_them}
    return Part(rows, [f"After 1 GiB, {name} has {grew / 2**20:.1f} MiB more." for name, grew in grown.items()])


def growth(asked: Asked) -> Part:
    """From one client to many."""
    cookie = _set_up()
    rows = []
    with peers(NGINX, plugins={LIGHT: LIGHT.socket_path}) as both:
        for clients in GROWTH:
            measure = partial(_small_of, cookie, clients)
            rows += _compared(f"1 kB, {clients} clients", min(3, _rounds(asked)), both, measure)
    return Part(rows)


def _small_of(cookie: str, clients: int, peer: Peer) -> Measured:
    return load.wrk(peer.url(LIGHT, "/small"), cookie, clients=clients, seconds=SECONDS)


def rest(asked: Asked) -> Part:
    """Idle clients, and a plugin that sleeps."""
    cookie = _set_up()
    rows = []
    with peers(NGINX, plugins={LIGHT: LIGHT.socket_path}) as both:
        for peer in both:
            before = peer.memory()
            with ExitStack() as idle:
                for _ in range(IDLE):
                    connection = idle.enter_context(socket.create_connection(("127.0.0.1", peer.port)))
                    request = f"GET /api/plugins/route/light/small HTTP/1.1\r\nHost: b\r\nCookie: {cookie}\r\n\r\n"
                    connection.sendall(request.encode())
                    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
                against = None if peer.name == NGINX else f"{IDLE} idle clients, memory more: {NGINX}"
                grew = float(peer.memory() - before)
                rows.append(Row(f"{IDLE} idle clients, memory more: {peer.name}", [grew], against, Unit.MEMORY))
        toru = next(peer for peer in both if peer.name == TORU)

        def first_request(name: str, ask: Callable[[], object]) -> Moments:
            run("systemctl", "stop", STEADY.service)
            run("systemctl", "reset-failed", STEADY.service)
            return {name: took(ask)}

        to_socket, by_toru = "first request: to the socket", "first request: by Toru"
        url = toru.url(STEADY, "/")
        rows += side_by_side(
            asked.rounds * 2,
            [
                lambda: first_request(to_socket, lambda: ask_http(str(STEADY.socket_path))),
                lambda: first_request(by_toru, lambda: _get(toru.port, url, cookie)),
            ],
            {by_toru: to_socket},
        )
    return Part(rows)


def _get(port: int, url: str, cookie: str) -> None:
    path = url.partition(f":{port}")[2]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: b\r\nCookie: {cookie}\r\n\r\n".encode())
        answer = connection.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"no answer: {answer[:200]!r}")


STEPS = (small, bodies, growth, rest)
