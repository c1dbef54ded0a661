"""Cases of either side ending early, and of many requests on one connection."""

from __future__ import annotations

from tests.gateway.conformance.case import (
    AGAIN,
    ASKED_AGAIN,
    CLOSES,
    ENDED,
    GIVES_OK,
    OK,
    SAID_OK,
    Case,
    Difference,
    Json,
    Seen,
    Step,
    get,
    head,
    no_use,
)

SIZED = head("POST", "~/", "Content-Length: 100000")
CHUNKED = head("POST", "~/", "Transfer-Encoding: chunked")
LONG = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
IN_CHUNKS = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

NOTHING_CAME: Json = {"length": 0, "content": "", "end": "cut"}

# The plugin learns of it: `gone` comes to its end only when nobody is there any more.
WAITS: list[Step] = [("open", "{run}-there"), ("gone",)]
THERE: list[Step] = [("control", "wait/{run}-there")]

LEAVES: tuple[Step, ...] = (("close",), ("reset",))

CLIENT_LEAVES = (
    *(
        case
        for leaves in LEAVES
        for case in (
            Case(f"client: {leaves[0]} before the body", [("send", SIZED), *THERE, leaves], WAITS),
            Case(f"client: {leaves[0]} in a body", [("send", SIZED + "body"), *THERE, leaves], [("some", 4), *WAITS]),
            Case(
                f"client: {leaves[0]} in a chunk",
                [("send", CHUNKED + "64\r\nbody"), *THERE, leaves],
                [("open", "{run}-there"), ("gone",)],
            ),
            Case(f"client: {leaves[0]} before the answer", [("send", head()), *THERE, leaves], [("body",), *WAITS]),
            Case(
                f"client: {leaves[0]} in the answer",
                [("send", head()), ("head",), ("some", 4), leaves],
                [("body",), ("send", LONG + "some"), ("gone",)],
            ),
            Case(
                f"client: {leaves[0]} while much comes",
                [("send", head()), ("head",), ("some", 4), leaves],
                [
                    ("body",),
                    ("send", "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"),
                    ("pattern", 1_000_000_000),
                ],
            ),
            Case(
                f"client: {leaves[0]} after 10 requests",
                [("send", head() * 10), *THERE, leaves],
                [("body",), *WAITS],
                requests=10,
                differs=Difference(lambda directly: Seen([], directly.plugin[:1]), requests=1),
                why="the plugin has the second when the first is answered",
            ),
        )
    ),
    *(Case(f"client: {leaves[0]} in the head", [("send", head()[:40]), leaves], requests=0) for leaves in LEAVES),
    Case(
        "client: has asked, and listens",
        [("send", head()), *THERE, ("shut",), ("answer",)],
        [("open", "{run}-there"), ("rest",), GIVES_OK, ("close",)],
        differs=Difference(lambda directly: Seen(["closed"], [{**directly.plugin[0], "stopped": "send"}])),
        why="who ends its side has left, as far as anybody can tell",
    ),
    *(Case(f"client: {leaves[0]} at once", [leaves], requests=0) for leaves in LEAVES),
)

PLUGIN_LEAVES = (
    *(
        case
        for leaves in LEAVES
        for case in (
            Case(f"plugin: {leaves[0]} before an answer", get(), [("body",), leaves], differs=no_use(502)),
            Case(f"plugin: {leaves[0]} in a line", get(), [("body",), ("send", OK[:12]), leaves], differs=no_use(502)),
            Case(f"plugin: {leaves[0]} in a head", get(), [("body",), ("send", OK[:30]), leaves], differs=no_use(502)),
            Case(f"plugin: {leaves[0]} in a body", [*get(), *CLOSES], [("body",), ("send", LONG + "some"), leaves]),
            Case(
                f"plugin: {leaves[0]} in a size",
                [*get(), *CLOSES],
                [("body",), ("send", IN_CHUNKS + "4\r\nsome\r\n6"), leaves],
            ),
            Case(
                f"plugin: {leaves[0]} in a chunk",
                [*get(), *CLOSES],
                [("body",), ("send", IN_CHUNKS + "64\r\nsome"), leaves],
            ),
            Case(
                f"plugin: {leaves[0]} before the last chunk",
                [*get(), *CLOSES],
                [("body",), ("send", IN_CHUNKS + "4\r\nsome\r\n"), leaves],
            ),
        )
    ),
    *(
        Case(
            f"plugin: a chunk is wrong: {name}",
            [*get(), *CLOSES],
            [("body",), ("send", IN_CHUNKS + text), ("close",)],
            differs=Difference(
                lambda directly: Seen([{**directly.client[0], "body": NOTHING_CAME}, ENDED], directly.plugin)
            ),
            why="the client can tell by the end that comes too early",
        )
        for name, text in {
            "no size": "x\r\nsome\r\n",
            "no end": "4\r\nsome0\r\n\r\n",
            "huge": "f" * 17 + "\r\nsome",
        }.items()
    ),
    Case(
        "plugin: answers without reading the body, and closes",
        [("send", SIZED), ("answer",), *CLOSES],
        [("send", "HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"), ("close",)],
    ),
    Case(
        "plugin: answers first, and reads the body then",
        [("send", SIZED), ("answer",), ("pattern", 100_000), *AGAIN],
        [GIVES_OK, ("body",)],
        requests=2,
        differs=Difference(
            lambda directly: Seen([directly.client[0], "closed"], [{**directly.plugin[0], "body": NOTHING_CAME}]), 1
        ),
        why="an answer that is complete ends the request",
    ),
    Case(
        "plugin: answers, and closes its idle connection",
        get(),
        [("body",), GIVES_OK, ("close",)],
    ),
)


def _numbered(count: int) -> str:
    return "".join(head(target=f"~/{number}") for number in range(count))


ANSWERS: list[Step] = [("answer",)] * 10
BODY = head("POST", "~/", "Content-Length: 4") + "body"
IN_ONE_CHUNK = CHUNKED + "4\r\nbody\r\n0\r\n\r\n"

PIPELINES = (
    Case("10 requests at once", [("send", _numbered(10)), *ANSWERS, *AGAIN], requests=11),
    Case("10 requests at once, byte by byte", [("bytewise", _numbered(10)), *ANSWERS, *AGAIN], requests=11),
    Case("10 bodies at once", [("send", (BODY + IN_ONE_CHUNK) * 5), *ANSWERS, *AGAIN], requests=11),
    Case(
        "10 requests at once, answered in chunks",
        [("send", _numbered(10)), *ANSWERS, *AGAIN],
        [("body",), ("send", IN_CHUNKS + "2\r\nok\r\n0\r\n\r\n")],
        requests=11,
    ),
    Case(
        "the second of three closes",
        [("send", head() + head("GET", "~/", "Connection: close") + head()), ("answer",), ("answer",), *CLOSES],
        requests=2,
    ),
    Case("an empty line before a request", [("send", "\r\n" + head()), ("answer",), *AGAIN], requests=2),
    Case("100 requests, one after another", [step for _ in range(100) for step in get()], requests=100),
)

# After 101 the connection is a pair of pipes: nobody looks whether there are WebSocket's frames in it.
UPGRADES = head("GET", "~/", "Connection: Upgrade", "Upgrade: websocket")
SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
MUCH = 20_000_000

TUNNELS = (
    Case(
        "tunnel: both speak",
        [("send", UPGRADES), ("head",), ("send", "ping"), ("some", 4), ("send", "PING"), ("some", 4), *CLOSES],
        [("send", SWITCHED), ("echo", 4), ("echo", 4), ("close",)],
    ),
    Case(
        "tunnel: the client doesn't wait for the switch",
        [("send", UPGRADES + "early"), ("head",), ("some", 5), *CLOSES],
        [("send", SWITCHED), ("echo", 5), ("close",)],
    ),
    Case(
        "tunnel: the plugin speaks in the packet of its switch",
        [("send", UPGRADES), ("head",), ("some", 5), *CLOSES],
        [("send", SWITCHED + "early"), ("close",)],
    ),
    Case(
        "tunnel: what looks like a request is none",
        [("send", UPGRADES), ("head",), ("send", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ("some", 20), ("close",)],
        [("send", SWITCHED), ("echo", 20), ("gone",)],
    ),
    Case(
        "tunnel: much, both ways",
        [("send", UPGRADES), ("head",), ("pattern", MUCH), ("some", MUCH), *CLOSES],
        [("send", SWITCHED), ("echo", MUCH), ("close",)],
    ),
    Case(
        "tunnel: the client has said all, and listens",
        [("send", UPGRADES), ("head",), ("send", "all"), ("shut",), ("some", 5), *CLOSES],
        [("send", SWITCHED), ("rest",), ("send", "heard"), ("close",)],
        differs=Difference(
            lambda directly: Seen(
                [directly.client[0], {**NOTHING_CAME, "trailers": []}, ENDED],
                [{**directly.plugin[0], "stopped": "send"}],
            )
        ),
        why="where one side ends, both do",
    ),
    Case(
        "tunnel: the plugin has said all, and listens",
        [("send", UPGRADES), ("head",), ("some", 3), ("until_end",), ("send", "heard"), ("close",)],
        [("send", SWITCHED + "all"), ("shut",), ("rest",)],
        differs=Difference(lambda directly: Seen(directly.client, [{**directly.plugin[0], "rest": ""}])),
        why="where one side ends, both do",
    ),
    *(
        Case(
            f"tunnel: {leaves[0]} by the client",
            [("send", UPGRADES), ("head",), *THERE, leaves],
            [("send", SWITCHED), *WAITS],
        )
        for leaves in LEAVES
    ),
    *(
        Case(
            f"tunnel: {leaves[0]} by the plugin",
            [("send", UPGRADES), ("head",), ("some", 3), *CLOSES],
            [("send", SWITCHED + "bye"), leaves],
        )
        for leaves in LEAVES
    ),
    Case(
        "tunnel: of another protocol",
        [("send", UPGRADES.replace("websocket", "h2c")), ("answer",), *AGAIN],
        [("send", SWITCHED.replace("websocket", "h2c")), ("close",)],
        differs=Difference(lambda directly: Seen([{"refused": 502}, SAID_OK], [directly.plugin[0], ASKED_AGAIN]), 2),
        why="whoever could speak another protocol to the plugin would be out of sight",
    ),
    Case("tunnel: refused", [("send", UPGRADES), ("answer",), *AGAIN], requests=2),
)

CASES = (*CLIENT_LEAVES, *PLUGIN_LEAVES, *PIPELINES, *TUNNELS)
