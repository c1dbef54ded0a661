"""Memory for what toru/1 has no way to stream. All plugins together have a bound, and each of them a smaller one.

Bodies of requests are counted as they come: while there is no room, clients are not read from. Answers take their room
before they are received, and give it back when their clients have them. To read or write a large message takes a few
times as much for a moment, so that is done for one at a time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Protocol

BODIES_BYTES, ALL_BODIES_BYTES = 32 << 20, 128 << 20
"""Of requests to one plugin, and to all: from so much on, no body goes on growing; but for one, where none is complete
and would make room."""
ANSWERS_BYTES, ALL_ANSWERS_BYTES = 64 << 20, 128 << 20
SMALL_BYTES = 64 << 10
"""Of a message that needs no room: an exchange with an http plugin holds as much."""


class Growing(Protocol):
    """A body that is coming."""

    held: int
    """Bytes of it."""

    def pace(self) -> None:
        """Whether it may grow may have changed."""


class Bodies:
    """Those of one plugin, `within` those of all."""

    def __init__(self, most: int, within: Bodies | None = None) -> None:
        self._most = most
        self._within = within
        self.held = 0
        """Bytes, of bodies that grow and of complete ones."""
        self._growing: deque[Growing] = deque()
        """The oldest first."""
        self._is_full = False
        self._exempt: Growing | None = None

    def lets_grow(self, body: Growing) -> bool:
        if self._within is not None and not self._within.lets_grow(body):
            return False
        return not self._is_full or body is self._exempt

    def began(self, body: Growing) -> None:
        self._growing.append(body)
        if self._within is not None:
            self._within.began(body)
        self._look()
        body.pace()

    def ended(self, body: Growing) -> None:
        """It is complete, or given up."""
        if body in self._growing:
            self._growing.remove(body)
            if self._within is not None:
                self._within.ended(body)
            self._look()

    def hold(self, change: int) -> None:
        """So many more bytes are held, or fewer."""
        if change:
            self.held += change
            if self._within is not None:
                self._within.hold(change)
            self._look()

    def _look(self) -> None:
        before = self._is_full, self._exempt
        self._is_full, self._exempt = self.held > self._most, None
        if self._is_full and self.held <= sum(body.held for body in self._growing):
            self._exempt = self._growing[0]
        if before != (self._is_full, self._exempt):
            for body in list(self._growing):
                body.pace()


class Room:
    """So many bytes, `within` those for all. Who finds too few waits, in the order in which they came."""

    def __init__(self, size: int, within: Room | None = None) -> None:
        self._within = within
        self.free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, count: int) -> None:
        """Returns when they are there. Cancel it when the time is up."""
        await self._take(count)
        if self._within is not None:
            try:
                await self._within.take(count)
            except asyncio.CancelledError:
                self._give_back(count)
                raise

    def give_back(self, count: int) -> None:
        self._give_back(count)
        if self._within is not None:
            self._within.give_back(count)

    async def _take(self, count: int) -> None:
        if not self._waiting and count <= self.free:
            self.free -= count
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            with suppress(ValueError):
                self._waiting.remove((count, turn))
            # It may have been its turn just now; and who is behind it may need less.
            self._give_back(0 if turn.cancelled() else count)
            raise

    def _give_back(self, count: int) -> None:
        self.free += count
        while self._waiting and self._waiting[0][0] <= self.free:
            taken, turn = self._waiting.popleft()
            if not turn.done():
                self.free -= taken
                turn.set_result(None)


class Memory:
    """What all plugins of toru/1 share."""

    def __init__(self, bodies: int = ALL_BODIES_BYTES, answers: int = ALL_ANSWERS_BYTES) -> None:
        self.bodies = Bodies(bodies)
        self.answers = Room(answers)
        self.at_work = asyncio.Lock()
        """Whoever has it reads or writes a large message."""
