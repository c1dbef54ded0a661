"""The API's side of a client's connection: uvicorn as it is, fed with one message at a time."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from toru.gateway.forwarding import joined
from toru.gateway.heads import HOST, UPGRADE, Head
from toru.web.peer import PeerKnowingProtocol

_NOT_THE_APIS = frozenset({b"host", b"upgrade"})


class ApiSide(PeerKnowingProtocol, ABC):
    """What uvicorn's protocol does by itself when it reads, is done here when it is told to."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.flow = _Flow(transport, self)
        self._fed = False

    # For whoever frames the messages.

    @abstractmethod
    def hold_body(self) -> None:
        """Feed no more of the body, until `release_body`."""

    @abstractmethod
    def release_body(self) -> None:
        """Feed what there is of it, and what comes."""

    @abstractmethod
    def api_answered(self) -> None:
        """The answer has ended."""

    def feed_head(self, head: Head, raw: bytes, *, closes: bool) -> None:
        """A message begins. `closes`: it is the last one of this connection."""
        self._fed = False
        plain = UPGRADE not in head.said and raw.startswith(head.method + b" /")
        self.feed(raw if plain else _plainer(head, raw))
        if closes and not self.transport.is_closing():
            self.cycle.keep_alive = False

    def feed(self, data: bytes) -> None:
        if not self.transport.is_closing():
            HttpToolsProtocol.data_received(self, data)

    def has_been_fed(self) -> bool:
        """Whether uvicorn sees the end of the message where we do."""
        return self._fed

    # uvicorn's own.

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._fed = True

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self.api_answered()

    def timeout_keep_alive_handler(self) -> None:
        """Never called: `Patience` does that."""


class _Flow(FlowControl):
    """uvicorn's own, but for the reading: there is more on the connection than the request that uvicorn sees."""

    def __init__(self, transport: asyncio.Transport, side: ApiSide) -> None:
        super().__init__(transport)
        self._side = side

    def pause_reading(self) -> None:
        self._side.hold_body()

    def resume_reading(self) -> None:
        self._side.release_body()


def _plainer(head: Head, raw: bytes) -> bytes:
    """The same head, with a path for its target, and without a wish to change the protocol: the API grants none."""
    host = head.said[HOST]
    lines = [line for line in raw[:-4].split(b"\r\n")[1:] if line.partition(b":")[0].lower() not in _NOT_THE_APIS]
    first = b"%b %b HTTP/1.%d" % (head.method, head.target, head.minor)
    return joined(first, [b"Host: " + host, *lines] if host else lines)
