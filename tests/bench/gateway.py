"""The gateway beside others, in front of the same plugins on the same Unix sockets, each in one process and one thread.

The client, the proxy and the plugin share the machine, so that ratios tell more than figures.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench import direct, load
from tests.bench.driver import ask_http, first_answer, hush, plant, run
from tests.bench.load import Asks, Measured
from tests.bench.measure import Asked, Case, Grid, Line, Moments, Part, Unit, in_turns, side_by_side, took
from tests.bench.peers import BYTES, CHP, FASTAPI, HAPROXY, NGINX, TORU, Peer, peers, plant_light
from toru.domain.ids import PluginId

TITLE = "Gateway: requests to plugins, through Toru and through others"

ABOARD = ("build/peers/usr", "build/peers/npm/node_modules")

LIGHT, STEADY = PluginId("light"), PluginId("steady")
SAME_WORK = {protocol: PluginId(f"kilobyte-{protocol.replace('/', '')}") for protocol in ("http", "toru/1", "toru/2")}
DIRECTLY = {"http": direct.http, "toru/1": direct.toru1, "toru/2": direct.toru2}
FILES = Path("/var/lib/toru-bench/files")

CLIENTS = 64
SECONDS = 1
GROWTH = (1, 4, 16, 64, 256)
IDLE = 1000

EVERYBODY = (NGINX, HAPROXY, CHP, FASTAPI, BYTES)
THE_QUICK = (NGINX, HAPROXY, BYTES)
WITH_MANY = (NGINX, HAPROXY)
"""Those that can have several plugins behind them."""

FIGURES: Mapping[str, Unit] = {
    "a second": Unit.COUNT, "p50": Unit.TIME, "p99": Unit.TIME, "processor": Unit.TIME,
}  # fmt: skip
"""Of requests. `processor`: what the proxy takes of it for each."""


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
    for protocol, plugin_id in SAME_WORK.items():
        plant(plugin_id, "kilobyte.py", protocol=protocol)
    plant_light(LIGHT, FILES)
    with peers(plugins={}) as (toru,):
        cookie = load.signed_in(toru.port)
        for plugin_id in (LIGHT, STEADY, *SAME_WORK.values()):
            first_answer(partial(_answered, toru, plugin_id, cookie), "/small")  # it has started
        return cookie


def _figures(measured: Measured) -> dict[str, float]:
    return {"a second": round(measured.per_second), "p50": measured.p50, "p99": measured.p99}


def _asked(peer: Peer, measure: Callable[[Peer], Measured]) -> Moments:
    began = peer.processor()
    measured = measure(peer)
    return {**_figures(measured), "processor": (peer.processor() - began) / measured.count}


def _to_nginx(of: Sequence[Peer], measure: Callable[[Peer], Moments]) -> list[Case]:
    return [Case(peer.name, partial(measure, peer), None if peer.name == NGINX else NGINX) for peer in of]


def _grid(title: str, lines: Sequence[Line], more: Mapping[str, Unit] | None = None) -> Grid:
    columns = {**FIGURES, **(more or {})}
    return Grid(title, columns, lines, list(columns))


def _rounds(asked: Asked) -> int:
    return max(1, asked.rounds * 2 // 3)


def small(asked: Asked) -> Part:
    """1 kB, by everybody."""
    cookie = _set_up()

    def measure(asks: Asks, peer: Peer) -> Moments:
        path = "/small" if asks is Asks.THE_SAME else ""
        load_it = partial(load.wrk, cookie=cookie, clients=CLIENTS, seconds=SECONDS, asks=asks)
        figures = _asked(peer, lambda peer: load_it(peer.url(LIGHT, path)))
        return {**figures, "memory": peer.memory()} if asks is Asks.THE_SAME else figures

    with peers(*EVERYBODY, plugins={LIGHT: LIGHT.socket_path}) as of:
        said = f"1 kB, {CLIENTS} clients: "
        lines = in_turns(_rounds(asked), _to_nginx(of, partial(measure, Asks.THE_SAME)))
        grids = [_grid(said + "the same request again and again", lines, {"memory": Unit.MEMORY})]
        quick = [peer for peer in of if peer.name in {*THE_QUICK, TORU}]
        for asks, what in (
            (Asks.OTHER_PATHS, "another path each time"),
            (Asks.AS_A_BROWSER, "another path each time, a browser's header fields"),
        ):
            grids.append(_grid(said + what, in_turns(_rounds(asked), _to_nginx(quick, partial(measure, asks)))))
    missing = set(EVERYBODY) - {peer.name for peer in of}
    return Part(notes=[f"Not on this machine: {', '.join(sorted(missing))}."] if missing else [], grids=grids)


def growth(asked: Asked) -> Part:
    """From one client to many."""
    cookie = _set_up()
    rounds = min(3, _rounds(asked))
    lines, same_work = [], []

    def measure(clients: int, plugin_id: PluginId, path: str, peer: Peer) -> Moments:
        url = peer.url(plugin_id, path)
        return _asked(peer, lambda _: load.wrk(url, cookie, clients=clients, seconds=SECONDS))

    with peers(NGINX, plugins={LIGHT: LIGHT.socket_path}) as (nginx, toru):
        for clients in GROWTH:
            to = f"{clients}: {NGINX}"
            lines += in_turns(
                rounds,
                [
                    Case(to, partial(measure, clients, LIGHT, "/small", nginx)),
                    Case(f"{clients}: {TORU}", partial(measure, clients, LIGHT, "/small", toru), to),
                ],
            )
            to = f"{clients}: http, through Toru"
            cases = []
            for protocol, plugin_id in SAME_WORK.items():
                through = partial(measure, clients, plugin_id, "/kilobyte", toru)
                cases.append(Case(f"{clients}: {protocol}, through Toru", through, None if protocol == "http" else to))
                if clients == 1 or (clients == CLIENTS and protocol != "toru/1"):  # which takes one at a time
                    cases.append(Case(f"{clients}: {protocol}, directly", partial(_directly, protocol, clients), to))
            same_work += in_turns(rounds, cases)
    titles = {"1 kB, by so many clients": lines, "1 kB, by the same work in each protocol": same_work}
    return Part(grids=[_grid(title, each) for title, each in titles.items()])


def _directly(protocol: str, clients: int) -> Moments:
    plugin_id = SAME_WORK[protocol]
    address = plugin_id.private_socket_path if protocol == "toru/1" else plugin_id.socket_path
    return _figures(DIRECTLY[protocol](str(address), clients=clients, seconds=SECONDS))


def bodies(asked: Asked) -> Part:
    """What is larger, and WebSockets."""
    cookie = _set_up()
    rounds = min(3, _rounds(asked))
    with peers(*WITH_MANY, plugins={LIGHT: LIGHT.socket_path, STEADY: STEADY.socket_path}) as of:
        asked_of = {
            "100 kB down, 16 clients": lambda peer: load.wrk(
                peer.url(LIGHT, "/100kB"), cookie, clients=16, seconds=SECONDS
            ),
            "1 MB up, 16 clients": lambda peer: load.wrk(
                peer.url(STEADY, "/up"), cookie, clients=16, seconds=SECONDS, asks=Asks.UPLOADS
            ),
            "WebSocket echo, 16 clients": lambda peer: load.echoes(
                peer.url(STEADY, "/echo"), cookie, clients=16, seconds=SECONDS
            ),
        }
        grids = [
            _grid(what, in_turns(rounds, _to_nginx(of, partial(_asked, measure=measure))))
            for what, measure in asked_of.items()
        ]
        streams: dict[str, Callable[[Peer], float]] = {
            "1 GiB down": lambda peer: load.download(peer.url(LIGHT, "/1GiB"), cookie),
            "1 GiB up": lambda peer: load.upload(peer.url(STEADY, "/up"), cookie, FILES / "1GiB"),
        }
        for what, stream in streams.items():
            lines = in_turns(rounds, _to_nginx(of, partial(_streamed, stream=stream)))
            columns = {"MB a second": Unit.COUNT, "memory, at most more": Unit.MEMORY}
            grids.append(Grid(what, columns, lines, ["MB a second"]))
    return Part(grids=grids)


def _streamed(peer: Peer, stream: Callable[[Peer], float]) -> Moments:
    before = peer.forget_most_memory()
    speed = stream(peer)
    return {"MB a second": round(speed / 1e6), "memory, at most more": peer.most_memory() - before}


def rest(asked: Asked) -> Part:
    """Idle clients, and a plugin that sleeps."""
    cookie = _set_up()
    with peers(NGINX, plugins={LIGHT: LIGHT.socket_path}) as both:
        lines = in_turns(1, [Case(peer.name, partial(_idle_clients, cookie, peer)) for peer in both])
        toru = next(peer for peer in both if peer.name == TORU)

        def first_request(name: str, ask: Callable[[], object]) -> Moments:
            run("systemctl", "stop", STEADY.service)
            run("systemctl", "reset-failed", STEADY.service)
            return {name: took(ask)}

        to_socket, by_toru = "first request: to the socket", "first request: by Toru"
        rows = side_by_side(
            asked.rounds * 2,
            [
                lambda: first_request(to_socket, lambda: ask_http(str(STEADY.socket_path))),
                lambda: first_request(by_toru, lambda: _answered(toru, STEADY, cookie, "/")),
            ],
            {by_toru: to_socket},
        )
    return Part(rows, grids=[Grid(f"{IDLE} idle clients", {"memory, more": Unit.MEMORY}, lines)])


def _idle_clients(cookie: str, peer: Peer) -> Moments:
    before = peer.memory()
    with ExitStack() as idle:
        for _ in range(IDLE):
            idle.enter_context(_get(peer, LIGHT, "/small", cookie))
        return {"memory, more": peer.memory() - before}


def _answered(peer: Peer, plugin_id: PluginId, cookie: str, path: str) -> None:
    _get(peer, plugin_id, path, cookie).close()


def _get(peer: Peer, plugin_id: PluginId, path: str, cookie: str) -> socket.socket:
    """The connection, after an answer."""
    connection = socket.create_connection(("127.0.0.1", peer.port))
    target = peer.url(plugin_id, path).partition(f":{peer.port}")[2]
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: b\r\nCookie: {cookie}\r\n\r\n".encode())
    answer = connection.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200 "):
        connection.close()
        raise OSError(f"no answer: {answer[:200]!r}")
    return connection


STEPS = (small, growth, bodies, rest)
