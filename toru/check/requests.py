"""Checks with requests of every kind. A plugin may answer each with any status: what it is for is its own affair."""

from __future__ import annotations

from contextlib import suppress

from toru.check.asking import Ask
from toru.check.over_http import Connection
from toru.check.over_toru1 import TooLong
from toru.check.stage import Stage
from toru.check.verdict import Broken, Skipped
from toru.domain.frames import LARGEST_MESSAGE_BYTES
from toru.domain.manifest import Protocol

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT", "X-UNHEARD-OF")

# Below the path that the author chose. The gateway changes none of these.
PATHS = (
    *("/%2e%2e/%2e", "/a%2Fb%5c", "/%00%0d%0a", "/%ff%fe", "/caf%C3%A9", "/%F0%9F%A7%A9", "/100%25"),
    *("//", "/a//b/", "/.", "/~-._", "/a;b=c,d", "/!$&'()*+:@", "/" + "x" * 2000),
    *("/?", "/?a=1&a=2&b", "/?=&&==&%", "/?q=%00&r=%ff", "/?a/b?c", "/a%3Fb"),
)
LONG_QUERY = "?q=" + "x" * 8000

HEADERS = (
    ((b"cookie", b"a=1"), (b"cookie", b"b=2")),
    ((b"x-repeated", b"1"), (b"x-other", b"-"), (b"X-Repeated", b"2")),
    ((b"x-empty", b""), (b"x-spaces", b"a   b"), (b"x-comma", b"a,,b, ,c")),
    ((b"x-latin", b"caf\xe9"), (b"x-utf-8", "✓ é 🧩".encode())),
    ((b"x-long", b"x" * 6000),),
    tuple((b"x-number-%d" % number, b"%d" % number) for number in range(60)),
    ((b"accept", b"*/*"), (b"if-none-match", b'"x"'), (b"range", b"bytes=0-1"), (b"accept-encoding", b"br, gzip")),
    ((b"content-type", b"text/plain; charset=none"), (b"x~!#$%&'*+.^_`|", b'"\\"')),
)

EVERY_BYTE = bytes(range(256))
BODIES = {
    "without a body": b"",
    "with a body of one byte": b"x",
    "with a body of JSON": '{"text": "é 🧩 \\u0000"}'.encode(),
    "with a body of every byte": EVERY_BYTE,
    "with a body that is not quite UTF-8": b"\xc3\xa9\xed\xa0\x80\xff",
    "with a body of 60 000 bytes": b"0123456789" * 6000,
}
LARGE_BYTES = 16 << 20

AT_ONCE = 16


async def answers(stage: Stage) -> None:
    await stage.ask(stage.ask_for())


async def methods(stage: Stage) -> None:
    for method in METHODS:
        await stage.ask(Ask(method, stage.below("/toru-check")))


async def paths(stage: Stage) -> None:
    for path in PATHS:
        await stage.ask(Ask(path=stage.below(path)))


async def long_query(stage: Stage) -> None:
    await stage.ask(stage.ask_for().at(stage.terms.path + LONG_QUERY))


async def headers(stage: Stage) -> None:
    for several in HEADERS:
        names = sorted({name.decode().lower() for name, _ in several})
        note = f"with the header {names[0]}" if len(names) == 1 else f"with {len(several)} headers from {names[0]} on"
        await stage.ask(stage.ask_for(headers=several, note=note))


async def bodies(stage: Stage) -> None:
    for note, body in BODIES.items():
        if len(body) <= stage.max_body:
            await stage.ask(stage.ask_for(method="POST", body=body, note=note))


async def chunked(stage: Stage) -> None:
    """The gateway sends chunks where the client didn't say how long its body is."""
    what = stage.ask_for(method="POST", body=(EVERY_BYTE * 1024)[: stage.max_body], note="in chunks")

    async def ask() -> None:
        async with stage.connection() as connection:
            await connection.ask(what, chunked=True)
            await _what_follows(stage, connection)

    await stage.watch(ask, str(what))


async def large(stage: Stage) -> None:
    size = min(LARGE_BYTES, stage.max_body)
    await stage.ask(stage.ask_for(method="POST", body=b"x" * size, note=f"with a body of {size} bytes"))


async def largest(stage: Stage) -> None:
    """To the very last byte that a message may have."""
    number = "largest"
    around = len(stage.toru1.framed(number, stage.ask_for(method="POST", body=b"x"))) - 4 - 1
    what = stage.ask_for(
        method="POST", body=b"x" * min(LARGEST_MESSAGE_BYTES - around, stage.max_body), note="as large as may be"
    )
    with suppress(TooLong):  # it has read all of it, and says it again
        await stage.watch(lambda: stage.toru1.ask_as(number, stage.toru1.framed(number, what)), str(what))


async def head(stage: Stage) -> None:
    what = stage.ask_for(method="HEAD")
    if stage.protocol is not Protocol.HTTP:
        await stage.ask(what)
        return

    async def ask() -> bytes:
        async with stage.connection() as connection:
            await connection.ask(what)
            return await _what_follows(stage, connection)

    if await stage.watch(ask, str(what)):
        raise Broken(f"its answer to {what} has one")


async def framing(stage: Stage) -> None:
    """Where the connection is kept, a second answer has to be where the first one ends; else nothing is there."""
    what = stage.ask_for()

    async def ask() -> bytes:
        async with stage.connection() as connection:
            await connection.ask(what)
            return await _what_follows(stage, connection)

    if await stage.watch(ask, str(what)):
        raise Broken(f"behind the end of its answer to {what} came more")


async def _what_follows(stage: Stage, connection: Connection) -> bytes:
    if connection.is_kept:
        try:
            await connection.ask(stage.ask_for(note="on the same connection"))
        except Broken as broken:
            raise Broken(f"the next answer on the same connection can't be read: {broken}") from None
        return b""
    return await connection.receive()


async def at_once(stage: Stage) -> None:
    count = min(AT_ONCE, stage.max_concurrent)
    if stage.protocol is Protocol.TORU_1:
        count = min(count, 5)  # so many wait in the shortest backlog
    several = [stage.ask_for()] * count
    await stage.watch(lambda: stage.way.ask_at_once(several), f"{stage.ask_for()} {count} times at once")


async def slow_client(stage: Stage) -> None:
    """Somebody's body doesn't come; somebody else's request does."""
    if stage.max_concurrent == 1:
        raise Skipped("it takes one request at a time (max_concurrent)")
    slow = stage.ask_for(method="POST", body=EVERY_BYTE[: stage.max_body], note="whose body does not come")
    held = await stage.watch(lambda: stage.way.hold(slow), str(slow))
    try:
        await stage.ask(stage.ask_for(note=f"beside a {slow}"))
        await stage.watch(held.finish, f"the {slow.method} {slow.path} whose body came late")
    finally:
        await held.drop()


async def kept(stage: Stage) -> None:
    """A connection on which nothing is asked at the moment, as the gateway keeps them for a while."""
    if stage.max_concurrent == 1:
        raise Skipped("it takes one request at a time (max_concurrent)")
    async with stage.connection() as connection:
        await stage.watch(lambda: connection.ask(stage.ask_for()), str(stage.ask_for()))
        if not connection.is_kept:
            raise Skipped("it keeps no connections open")
        await stage.ask(stage.ask_for(note="beside a connection that is kept"))
