"""1 kB in Python, by the SDK or by uvicorn alone, started as systemd does it: `python -m tests.bench.kilobyte KIND`."""

from __future__ import annotations

import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toru_plugin import PlainRequest, Request, Response

KILOBYTE = b"x" * 1000
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"1000")]
METADATA: dict[str, Any] = {"id": "kilobyte", "name": "Kilobyte", "route": "/kilobyte"}

Message = MutableMapping[str, Any]


async def app(
    scope: Message, _receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] != "http":
        raise ValueError(scope["type"])
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": KILOBYTE})


def by_async_handler() -> None:
    from toru_plugin import Plugin, Response  # noqa: PLC0415  (here and below: the others do without)

    plugin = Plugin(**METADATA)

    @plugin.get("/kilobyte")
    async def answer(_request: Request) -> Response:
        return Response(KILOBYTE, content_type="text/plain")

    plugin.run()


def by_plain_handler() -> None:
    from toru_plugin import Plugin, Response  # noqa: PLC0415

    plugin = Plugin(**METADATA)

    @plugin.get("/kilobyte")
    def answer(_request: PlainRequest) -> Response:
        return Response(KILOBYTE, content_type="text/plain")

    plugin.run()


def by_asgi_adapter() -> None:
    from toru_plugin import asgi  # noqa: PLC0415

    asgi.run(app, **METADATA)


def by_uvicorn(loop: str, http: str) -> None:
    import sdnotify  # noqa: PLC0415
    import uvicorn  # noqa: PLC0415

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            sdnotify.SystemdNotifier().notify("READY=1")

    config = uvicorn.Config(app, fd=3, loop=loop, http=http, lifespan="off", log_level="error", access_log=False)
    Server(config).run()


KINDS: dict[str, Callable[[], None]] = {
    "async": by_async_handler,
    "plain": by_plain_handler,
    "asgi": by_asgi_adapter,
    "uvloop": partial(by_uvicorn, "uvloop", "httptools"),
    "asyncio": partial(by_uvicorn, "asyncio", "h11"),
}

if __name__ == "__main__":
    KINDS[sys.argv.pop()]()  # the arguments that are left are the plugin's own: none
