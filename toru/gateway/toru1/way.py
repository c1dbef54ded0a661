"""The way to a plugin of toru/1: one message, one answer, one connection, and one of them at a time.

A request waits for the plugin only when its body is there: who uploads slowly holds up nobody else. While the plugin
sleeps or restarts, the requests wait in the order in which they were complete.
"""

from __future__ import annotations

import asyncio

from toru.domain import frames
from toru.gateway import refusals
from toru.gateway.bell import Bell
from toru.gateway.exchange import Exchange
from toru.gateway.targets import Target
from toru.gateway.toru1.carrier import Carrier, too_large
from toru.gateway.toru1.room import ANSWERS_BYTES, BODIES_BYTES, Bodies, Memory, Room


class Toru1:
    """The one at whose door requests wait. `memory` is what all plugins share."""

    def __init__(self, target: Target, memory: Memory | None = None) -> None:
        self.bell = Bell(target)
        self.turn = asyncio.Lock()
        """Whoever has it may connect. It goes round in the order in which it was asked for."""
        memory = memory or Memory()
        self.bodies = Bodies(BODIES_BYTES, memory.bodies)
        self.answers = Room(ANSWERS_BYTES, memory.answers)
        self.at_work = memory.at_work
        self._tasks: set[asyncio.Task[None]] = set()

    def see(self, target: Target) -> None:
        self.bell.see(target)

    def begin(self, exchange: Exchange) -> Carrier:
        carrier = Carrier(self, exchange)
        request = exchange.request
        if request.upgrade is not None:
            exchange.fail(refusals.not_supported("WebSockets"))
        elif request.length is not None and request.length > frames.LARGEST_MESSAGE_BYTES:
            exchange.fail(too_large())
        elif request.body is not None:
            carrier.go(request.body)
        else:
            self.bodies.began(carrier)
            exchange.invite_body()
        return carrier

    def close(self) -> None:
        """Nothing is kept that could be closed: what is under way comes to its end, and its connection with it."""

    def spawn(self, carrier: Carrier) -> asyncio.Task[None]:
        """For a carrier whose request is complete."""
        task = asyncio.get_running_loop().create_task(carrier.run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
