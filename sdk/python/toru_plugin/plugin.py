"""A plugin: what it says of itself, and what it answers."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from collections.abc import Awaitable, Sequence
from functools import cached_property
from typing import Any, Callable, TypeVar

from toru_plugin.answering import Answering
from toru_plugin.exchange import Exchange
from toru_plugin.files import read_beside
from toru_plugin.host import Host
from toru_plugin.kv import AsyncKv, Kv, kv_for
from toru_plugin.link import Link
from toru_plugin.logs import log
from toru_plugin.metadata import checked
from toru_plugin.request import Request
from toru_plugin.response import Response
from toru_plugin.routing import Router

H = TypeVar("H", bound=Callable[..., Any])

THREADS = 32
"""For plain handlers, unless `max_concurrent` says less. Each counts against the plugin's `tasks`."""


class Plugin:
    """Define it once; `run` is the whole program.

    The keywords are the fields of the metadata (docs/plugins.md). `bundle` names the front end's file beside the
    program: it is served at `/bundle.js`.
    """

    def __init__(  # noqa: PLR0913  (it has these fields)
        self,
        *,
        id: str,  # noqa: A002  (as in the metadata)
        name: str,
        route: str,
        version: str | None = None,
        icon: str | None = None,
        author: str | None = None,
        description: str | None = None,
        homepage: str | None = None,
        protocol: str = "toru/2",
        start: str | None = None,
        idle_timeout: float | None = None,
        watchdog: float | None = None,
        timeout: float | None = None,
        max_body: int | None = None,
        max_concurrent: int | None = None,
        limits: dict[str, Any] | None = None,
        sandbox: str | None = None,
        bundle: str | None = None,
    ) -> None:
        said = {name: value for name, value in locals().items() if name not in {"self", "bundle"}}
        self.metadata = checked(said)
        self.id = id
        self.log = logging.getLogger(id)
        self.host = Host(id)
        self.bundle = bundle
        self._link = Link()
        self._router = Router()
        self._starts: list[Callable[[], Any]] = []
        self._stops: list[Callable[[], Any]] = []
        self._background: list[Callable[[], Awaitable[None]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._answering = Answering(self._router, threads=min(THREADS, max_concurrent or THREADS))
        if bundle is not None:
            self._router.add("GET", "/bundle.js", self._serve_bundle)

    # What it answers.

    def route(self, pattern: str, *methods: str) -> Callable[[H], H]:
        """The handler answers requests for such paths: `/notes/{name}`, `/pages/{number:int}`, `/{rest:path}`.

        It is called with the request and the parameters by name. A coroutine or async generator runs in the loop,
        anything else in a thread. What it returns is the answer: a `Response`, a text, bytes, something to be said as
        JSON, or None.
        """

        def keep(handler: H) -> H:
            for method in methods or ("GET",):
                self._router.add(method, pattern, handler)
            return handler

        return keep

    def get(self, pattern: str) -> Callable[[H], H]:
        return self.route(pattern, "GET")

    def post(self, pattern: str) -> Callable[[H], H]:
        return self.route(pattern, "POST")

    def put(self, pattern: str) -> Callable[[H], H]:
        return self.route(pattern, "PUT")

    def patch(self, pattern: str) -> Callable[[H], H]:
        return self.route(pattern, "PATCH")

    def delete(self, pattern: str) -> Callable[[H], H]:
        return self.route(pattern, "DELETE")

    # What it does besides.

    def on_start(self, work: H) -> H:
        """Called, or awaited, before the first request. If it fails, the plugin has failed to start."""
        self._starts.append(work)
        return work

    def on_stop(self, work: H) -> H:
        """Called, or awaited, after the last request, on a clean end."""
        self._stops.append(work)
        return work

    def background(self, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Runs from start to stop. If it fails, the plugin ends, and systemd starts it again."""
        self._background.append(work)
        return work

    def push(self, name: str, data: object) -> bool:
        """An event for the plugin's open views, from any thread.

        False, where nobody can carry it now: there is no memory, and who comes later asks. ValueError, where Toru would
        drop it: names have 1 to 64 letters, digits and `-._~`, data as JSON 16 384 characters.
        """
        return self._link.push(name, data)

    @cached_property
    def kv(self) -> Kv:
        """The plugin's storage, for plain handlers."""
        return kv_for(self.host)

    @cached_property
    def async_kv(self) -> AsyncKv:
        """The plugin's storage, for async handlers."""
        return AsyncKv(self.kv)

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """The whole program: `--metadata`, `--dev`, or serving until it is told to end. Doesn't return."""
        from toru_plugin.running import run

        run(self, self.metadata, sys.argv[1:] if arguments is None else arguments, host=self.host, link=self._link)

    # As an application.

    async def start(self) -> None:
        for work in self._starts:
            await _done(work)
        self._tasks = [asyncio.get_running_loop().create_task(self._watch(work)) for work in self._background]

    async def __call__(self, exchange: Exchange) -> None:
        await self._answering.answer(exchange)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            for work in self._stops:
                await _done(work)
        finally:
            self._answering.close()

    async def _watch(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception:  # noqa: BLE001  (the top of a task)
            # The top of a task. A plugin that lacks a part of itself is better started again.
            log.exception("%s failed", getattr(work, "__name__", work))
            self._link.fail("a part of it failed")

    async def _serve_bundle(self, request: Request) -> Response:  # noqa: ARG002  (as every handler)
        assert self.bundle is not None  # noqa: S101  (or there is no such route)
        content = await asyncio.to_thread(read_beside, self.bundle)
        return Response(content, content_type="text/javascript; charset=utf-8", headers={"cache-control": "no-cache"})


async def _done(work: Callable[[], Any]) -> None:
    result = work()
    if inspect.isawaitable(result):
        await result
