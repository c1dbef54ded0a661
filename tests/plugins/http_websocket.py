#!/usr/bin/python3
"""A WebSocket server by the library `websockets`. The path says what it does: it gives back what comes, or otherwise."""

import asyncio
import json
import socket
import sys
from collections import Counter
from http import HTTPStatus

METADATA = {}

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)

sys.path.insert(0, "/usr/local/lib/toru-tests")
from websockets.asyncio.server import serve  # noqa: E402
from websockets.exceptions import ConnectionClosed  # noqa: E402

LARGEST = 64 << 20
ENDED = Counter()


async def attend(connection):
    what, _, argument = connection.request.path.strip("/").partition("/")
    try:
        await globals()[f"do_{what or 'echo'}"](connection, argument)
    except ConnectionClosed:
        pass
    ENDED[connection.close_code] += 1


async def do_echo(connection, _):
    async for message in connection:
        await connection.send(message)


async def do_close(connection, argument):
    """Closes first, with this code."""
    await connection.close(int(argument), "as you wish")


async def do_fragments(connection, argument):
    async for message in connection:
        size = int(argument)
        await connection.send(message[at : at + size] for at in range(0, len(message), size))


async def do_push(connection, argument):
    """So many messages of 1 KiB, as fast as they are taken."""
    for _ in range(int(argument)):
        await connection.send(b"x" * 1024)


async def do_ping(connection, argument):
    pong = await connection.ping(argument)
    await pong
    await connection.send("pong")


async def do_drop(connection, _):
    """Goes without a word."""
    connection.transport.abort()


async def do_headers(connection, _):
    await connection.send(json.dumps([[name.lower(), value] for name, value in connection.request.headers.raw_items()]))


async def do_count(connection, _):
    """How many are here, and how many have gone with which code since the last time somebody asked."""
    await connection.send(json.dumps({"here": len(connection.server.connections), "ended": ENDED}))
    ENDED.clear()


def first(connection, request):
    """What isn't to be a WebSocket."""
    if request.path == "/refused":
        return connection.respond(HTTPStatus.FORBIDDEN, "not you\n")


def choose(connection, offered):
    return next((name for name in offered if name in {"chat", "superchat"}), None)


async def main():
    listener = socket.socket(fileno=3)
    options = {
        "max_size": LARGEST,
        "ping_interval": None,
        "process_request": first,
        "close_timeout": 20,
        "select_subprotocol": choose,
    }
    async with serve(attend, sock=listener, server_header=None, **options) as server:
        await server.serve_forever()


asyncio.run(main())
