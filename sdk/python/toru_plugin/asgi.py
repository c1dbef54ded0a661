"""A FastAPI, Starlette or any other ASGI app as a plugin: `asgi.run(app, id=…, name=…, route=…)`.

The app keeps its routes, its lifespan and its streams. WebSockets aren't carried by toru/2: Toru answers them with 501;
an app that needs them runs under an ASGI server with `"protocol": "http"`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, MutableMapping
from typing import Any, Callable, NoReturn
from urllib.parse import unquote_to_bytes

from toru_plugin.exchange import Exchange, Gone
from toru_plugin.headers import Headers
from toru_plugin.logs import log
from toru_plugin.plugin import Plugin

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


class AsgiPlugin(Plugin):
    """Everything that a plugin is, but that the app answers."""

    def __init__(self, app: AsgiApp, **metadata: Any) -> None:
        super().__init__(**metadata)
        self._app = app
        self._lifespan = _Lifespan(app)

    async def start(self) -> None:
        await super().start()
        await self._lifespan.start()

    async def __call__(self, exchange: Exchange) -> None:
        if self.bundle is not None and exchange.target.partition("?")[0] == "/bundle.js":
            await super().__call__(exchange)
            return
        conversation = _Conversation(exchange)
        try:
            await self._app(self._scope(exchange), conversation.receive, conversation.send)
        except Gone:
            log.debug("%s %s: the client has left", exchange.method, exchange.target)
        except Exception:  # noqa: BLE001  (the top of a request)
            # The top of a request: whatever the app does wrong is this request's trouble alone.
            if conversation.is_over:
                log.debug("%s %s: the client has left", exchange.method, exchange.target, exc_info=True)
            else:
                log.exception("%s %s failed", exchange.method, exchange.target)
        if not exchange.has_begun and not conversation.is_over:
            await exchange.answer(500, Headers({"content-type": "text/plain"}), b"the plugin failed; its log says why")
        elif not exchange.has_ended:
            exchange.abort("the app ended before its answer")

    async def stop(self) -> None:
        await self._lifespan.stop()
        await super().stop()

    def _scope(self, exchange: Exchange) -> dict[str, Any]:
        headers = exchange.headers
        raw_path, _, query = exchange.target.partition("?")
        # As ASGI servers do it: the path is the one in the browser, and begins with root_path.
        root_path = headers.get("x-forwarded-prefix") or ""
        raw = root_path.encode("latin-1") + raw_path.encode("latin-1")
        client, host = headers.get("x-forwarded-for"), headers.get("host") or ""
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": exchange.method,
            "scheme": headers.get("x-forwarded-proto") or "http",
            "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
            "raw_path": raw,
            "query_string": query.encode("latin-1"),
            "root_path": root_path,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "client": (client.split(",")[0].strip(), 0) if client else None,
            "server": (host.rpartition(":")[0] or host, None),
            "state": dict(self._lifespan.state),
            "extensions": {},
        }


def run(app: AsgiApp, **metadata: Any) -> NoReturn:
    """The whole program of a plugin that the app is. The keywords are those of `Plugin`."""
    AsgiPlugin(app, **metadata).run()
    raise AssertionError("a program that has run ends")


class _Conversation:
    """What the app receives and sends for one request."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._is_read = False
        self.is_over = False
        """Whether the client has left."""
        self._start: Message | None = None
        self._ended = asyncio.Event()

    async def receive(self) -> Message:
        if self._is_read:
            # Whoever waits for the client to leave is cancelled when it does.
            await self._ended.wait()
            return {"type": "http.disconnect"}
        try:
            part = await self._exchange.receive()
        except Gone:
            self._is_read = self.is_over = True
            self._ended.set()
            return {"type": "http.disconnect"}
        self._is_read = not part
        return {"type": "http.request", "body": part, "more_body": not self._is_read}

    async def send(self, message: Message) -> None:
        try:
            await self._send(message)
        except Gone:  # an OSError, as the specification wants it
            self.is_over = True
            self._ended.set()
            raise

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body" or self._start is None:
            raise RuntimeError(f"an app can't send {message['type']!r} now")
        body, is_last = bytes(message.get("body", b"")), not message.get("more_body", False)
        if not self._exchange.has_begun:
            pairs = [
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in self._start.get("headers", ())
            ]
            self._exchange.begin(self._start["status"], _without_connection(pairs))
        if is_last:
            await self._exchange.end(body)
            self._ended.set()
        else:
            await self._exchange.send(body)


class _Lifespan:
    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self.state: dict[str, Any] = {}
        self._incoming: asyncio.Queue[Message]
        self._said: asyncio.Queue[Message]
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """RuntimeError, where the app says that it can't start. One that knows no lifespan starts all the same."""
        self._incoming, self._said = asyncio.Queue(), asyncio.Queue()
        self._task = asyncio.get_running_loop().create_task(self._run())
        await self._tell("startup")

    async def stop(self) -> None:
        if self._task is not None and not self._task.done():
            await self._tell("shutdown")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._incoming.get, self._said.put)
        except Exception:  # noqa: BLE001  (the top of a task)
            # By the specification an app that knows no lifespan raises.
            log.debug("the app knows no lifespan", exc_info=True)
        await self._said.put({"type": "lifespan.over"})

    async def _tell(self, what: str) -> None:
        await self._incoming.put({"type": f"lifespan.{what}"})
        said = await self._said.get()
        if said["type"] == f"lifespan.{what}.failed":
            raise RuntimeError(f"the app failed at its {what}: {said.get('message', '')}")


def _without_connection(pairs: list[tuple[str, str]]) -> Headers:
    """Neither side of toru/2 speaks of the connection."""
    return Headers((name, value) for name, value in pairs if name.lower() not in {"connection", "transfer-encoding"})
