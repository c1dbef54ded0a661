"""What another process serves: the whole connection goes there, and waits here as long as that can't take it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from toru.gateway.refusals import Refusal

if TYPE_CHECKING:
    from toru.gateway.protocol import GatewayProtocol

WAIT_SECONDS = 30.0
"""As long as a core may take to end, and the next one to begin."""
MOST_WAITING = 1024


class Exit(Protocol):
    """To another process."""

    @property
    def is_full(self) -> bool:
        """Whether it can take no connection just now."""

    def hand_on(self, descriptor: int, read: bytes) -> None:
        """Takes a connection, of which this was read. The descriptor is the exit's from now on."""


class Elsewhere:
    """For one plugin, or for everything that is not a worker's own."""

    def __init__(self) -> None:
        self._exit: Exit | None = None
        self._waiting: dict[GatewayProtocol, float] = {}
        """With the moment from which on each waits, the oldest first."""
        self._is_here = False

    @property
    def is_open(self) -> bool:
        return self._exit is not None

    def open(self, way_out: Exit) -> None:
        """From now on there is a process that takes them."""
        self._exit = way_out
        self._go_on()

    def shut(self) -> None:
        """From now on they wait."""
        self._exit = None

    def come(self, client: GatewayProtocol) -> None:
        """A connection whose next request is for another process, and on which nothing else is under way."""
        if self._is_here:
            client.stay_here()  # it set out before that was known
            return
        if len(self._waiting) >= MOST_WAITING:
            _turn_away(client, "too many requests wait for another process of Toru's")
            return
        self._waiting.setdefault(client, client.gateway.now)
        self._go_on()

    def look(self, now: float) -> None:
        """Refuses who has waited too long."""
        self._go_on()
        for client, since in list(self._waiting.items()):
            if client.transport.is_closing():
                del self._waiting[client]
            elif now - since > WAIT_SECONDS:
                del self._waiting[client]
                _turn_away(client, "the process of Toru's that has this does not answer")

    def bring_back(self) -> None:
        """This process has it after all, and from now on."""
        self._is_here = True
        waiting, self._waiting = list(self._waiting), {}
        for client in waiting:
            client.stay_here()

    def _go_on(self) -> None:
        for client in list(self._waiting):
            if self._exit is None or self._exit.is_full:
                return
            if client.transport.is_closing():
                del self._waiting[client]
            elif client.is_all_written():  # else it comes again
                del self._waiting[client]
                _move(client, self._exit)


def _move(client: GatewayProtocol, way_out: Exit) -> None:
    try:
        # It ends here without a word to the client: to the kernel, a connection lasts as long as any descriptor of it.
        copy = os.dup(client.descriptor)
    except OSError as error:
        _turn_away(client, f"this connection can't be handed on: {error.strerror}")
        return
    way_out.hand_on(copy, client.let_go())


def _turn_away(client: GatewayProtocol, why: str) -> None:
    if client.held:
        client.refuse(Refusal(status=503, code="unavailable", detail=why, retry_after=1))
    else:
        client.close()  # it has asked nothing
