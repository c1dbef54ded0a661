"""From an exchange to a handler, and from what it returns to an answer."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

from toru_plugin.errors import Refusal
from toru_plugin.exchange import Exchange, Gone
from toru_plugin.headers import Headers
from toru_plugin.logs import log
from toru_plugin.request import PlainRequest, Request
from toru_plugin.response import Response, bytes_of, response_of, said_as_json
from toru_plugin.routing import Handler, MethodNotAllowed, Router

Answerer = Callable[[Handler, dict[str, Any], Exchange], Any]


class Answering:
    """Answers each exchange by the router's handlers: coroutines in the loop, plain functions in threads."""

    def __init__(self, router: Router, *, threads: int) -> None:
        self._router = router
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="handler")
        self._kinds: dict[Handler, Answerer] = {}

    async def answer(self, exchange: Exchange) -> None:
        try:
            handler, parameters = self._router.find(exchange.method, exchange.target.partition("?")[0])
            await self._kind_of(handler)(handler, parameters, exchange)
        except Gone:
            log.debug("%s %s: the client has left", exchange.method, exchange.target)
        except Refusal as refusal:
            await self._refuse(exchange, refusal)
        except Exception:  # noqa: BLE001  (the top of a request)
            # The top of a request: whatever a handler does wrong is this request's trouble alone.
            log.exception("%s %s failed", exchange.method, exchange.target)
            await self._refuse(exchange, Refusal(500, "the plugin failed; its log says why"))

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    def _kind_of(self, handler: Handler) -> Answerer:
        kind = self._kinds.get(handler)
        if kind is None:
            kind = self._kinds[handler] = self._look_at(handler)
        return kind

    def _look_at(self, handler: Handler) -> Answerer:
        function = handler
        while isinstance(function, functools.partial):
            function = function.func
        if not inspect.isroutine(function):
            function = type(function).__call__
        if inspect.iscoroutinefunction(function):
            return self._awaited
        if inspect.isasyncgenfunction(function):
            return self._iterated
        return self._in_thread

    async def _awaited(self, handler: Handler, parameters: dict[str, Any], exchange: Exchange) -> None:
        await self._respond(exchange, response_of(await handler(Request(exchange), **parameters)))

    async def _iterated(self, handler: Handler, parameters: dict[str, Any], exchange: Exchange) -> None:
        await self._respond(exchange, Response(handler(Request(exchange), **parameters)))

    async def _in_thread(self, handler: Handler, parameters: dict[str, Any], exchange: Exchange) -> None:
        request = PlainRequest(exchange, asyncio.get_running_loop())
        response = response_of(await self._run(functools.partial(handler, request, **parameters)))
        await self._respond(exchange, response)

    async def _respond(self, exchange: Exchange, response: Response) -> None:
        if response.parts is None:
            await exchange.answer(response.status, response.headers, response.content)
            return
        if isinstance(response.parts, AsyncIterator):
            await self._send_parts(exchange, response, response.parts)
        else:
            await self._send_parts(exchange, response, self._from_thread(response.parts))

    async def _send_parts(self, exchange: Exchange, response: Response, parts: AsyncIterator[Any]) -> None:
        try:
            exchange.begin(response.status, response.headers)
            if exchange.has_ended:
                return  # there is nobody to read them
            async for part in parts:
                await exchange.send(bytes_of(part))
            await exchange.end()
        finally:
            # Whoever makes the parts hears at once that nobody wants more.
            aclose = getattr(parts, "aclose", None)
            if aclose is not None:
                await aclose()

    async def _from_thread(self, parts: Iterator[Any]) -> AsyncIterator[Any]:
        nothing = object()
        step: asyncio.Future[Any] | None = None
        try:
            while True:
                step = asyncio.ensure_future(self._run(functools.partial(next, parts, nothing)))
                part = await asyncio.shield(step)
                if part is nothing:
                    return
                yield part
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                if step is not None and not step.done():
                    # A generator that runs can't be closed: after this step of it.
                    step.add_done_callback(lambda _: self._threads.submit(close))
                else:
                    self._threads.submit(close)

    async def _run(self, work: Callable[[], Any]) -> Any:
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, functools.partial(context.run, work))

    async def _refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        if exchange.has_begun:
            exchange.abort(refusal.detail)
            return
        headers = Headers({"content-type": "application/problem+json"})
        if isinstance(refusal, MethodNotAllowed):
            headers["allow"] = refusal.allow
        try:
            await exchange.answer(refusal.status, headers, said_as_json(refusal.problem()))
        except Gone:
            log.debug("%s %s: the client has left", exchange.method, exchange.target)
