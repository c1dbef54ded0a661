"""Plugins that speak HTTP/1.1: connections that are kept, and one request at a time on each."""

from __future__ import annotations

import asyncio
from collections import deque

from toru.gateway.bell import Bell
from toru.gateway.exchange import Exchange
from toru.gateway.http1.connection import IDEMPOTENT, READ_AT_ONCE, Connection
from toru.gateway.targets import Availability, Target
from toru.gateway.visit import Visit

IDLE_SECONDS = 4.0
"""How long a connection is kept that nobody uses. Many servers keep theirs for 5 seconds: ours goes before."""


class Http1:
    """The way to one plugin."""

    def __init__(self, target: Target) -> None:
        self._bell = Bell(target)
        self._idle: deque[Connection] = deque()
        self._keeps = True
        self._tidying: asyncio.TimerHandle | None = None

    def begin(self, exchange: Exchange) -> Connection:
        assert isinstance(exchange, Visit)  # noqa: S101  (there is no other kind; this one can hand on whole answers)
        if self._idle:
            request = exchange.request
            body = request.body
            if request.method in IDEMPOTENT and body is not None and len(body) <= READ_AT_ONCE:
                connection = self._idle.pop()
                connection.send(exchange)
                return connection
            # What might not be sent twice takes a connection that nobody is about to close, not a kept one.
            self._idle.popleft().close()
        return self._connect(exchange, tries=1)

    def again(self, visit: Visit, tries: int) -> None:
        """Once more, with a request that no one has read."""
        connection = visit.carrier = self._connect(visit, tries)
        if visit.client.full:
            connection.pause()

    def _connect(self, visit: Visit, tries: int) -> Connection:
        connection = Connection(self, tries)
        connection.open(visit, self._bell)
        return connection

    def see(self, target: Target) -> None:
        self._bell.see(target)
        if target.availability not in {Availability.RUNNING, Availability.PAUSED}:
            self._close_idle()  # they are a former process's

    def close(self) -> None:
        self._keeps = False
        self._close_idle()

    # The connections' side.

    def keep(self, connection: Connection) -> None:
        """One that is free."""
        if not self._keeps:
            connection.close()
            return
        self._idle.append(connection)
        if self._tidying is None:
            self._tidying = connection.loop.call_later(IDLE_SECONDS, self._tidy)

    def forget(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)

    def _tidy(self) -> None:
        self._tidying = None
        if not self._idle:
            return
        loop = self._idle[0].loop
        # The one that was used last is used next, so those at the other end have been idle for longest.
        while self._idle and loop.time() - self._idle[0].idle_since >= IDLE_SECONDS:
            self._idle.popleft().close()
        if self._idle:
            self._tidying = loop.call_at(self._idle[0].idle_since + IDLE_SECONDS, self._tidy)

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()
