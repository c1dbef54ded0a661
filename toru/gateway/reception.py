"""Receives requests to plugins: who is asking, for which plugin, and may they? Then the plugin's lane has them.

What was decided holds for every request with the same head, byte for byte, for a moment: as long as no plugin and no
user changes, and half a second at most (`forget`). Who polls, and who is in a hurry, asks the same again and again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from toru.core.accounts import Accounts
from toru.domain.errors import StoreUnavailable
from toru.domain.people import Caller
from toru.gateway import refusals
from toru.gateway.admission import Admission, Admitted, Refused, Shown, is_cross_site
from toru.gateway.exchange import Request, Template
from toru.gateway.forwarding import Origin
from toru.gateway.heads import EXPECT, HOST, Head
from toru.gateway.lane import Lane
from toru.gateway.refusals import Refusal
from toru.gateway.routes import BadPath, Place, Routes
from toru.gateway.visit import Visit
from toru.web.caller import SAFE

if TYPE_CHECKING:
    from toru.gateway.protocol import GatewayProtocol

_SAFE = frozenset(method.encode() for method in SAFE)
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

MOST_TICKETS = 2048
LONGEST_REMEMBERED = 4096
"""Bytes of a head."""


class Ticket(NamedTuple):
    """A request that was let in, but for its body."""

    head: Head
    lane: Lane
    caller: Caller
    template: Template
    prefix: bytes
    """As the client wrote it: by the plugin's route, or by its id."""
    host: bytes


class Reception:
    def __init__(
        self, accounts: Accounts, admission: Admission, routes: Routes, trusted_proxies: Sequence[str]
    ) -> None:
        self._accounts = accounts
        self._admission = admission
        self._routes = routes
        self._trusted = [ipaddress.ip_network(network) for network in trusted_proxies]
        self._tasks: set[asyncio.Task[None]] = set()
        self._tickets: dict[bytes, Ticket] = {}
        """By the bytes of the request."""
        self._changes = accounts.changes
        # Two cores, or one after a restart, don't give the same id twice.
        prefix = secrets.token_hex(6).encode()
        self._numbers = (b"%b-%x" % (prefix, number) for number in itertools.count(1))

    def forget(self) -> None:
        """Every head is looked at anew."""
        self._tickets.clear()
        self._changes = self._accounts.changes

    async def settled(self) -> None:
        """Returns when it is decided on everybody who has come so far."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def ticket(self, raw: bytes) -> Ticket | None:
        """What was decided a moment ago for these very bytes, if they are a request: a head, without a body."""
        if self._changes != self._accounts.changes:
            self.forget()
        return self._tickets.get(raw)

    def origin_of(self, client: tuple[str, int] | None) -> Origin:
        """What plugins are told of where a connection's requests come from; None: api.sock."""
        address = None if client is None else client[0]
        return Origin(address, trusted=address is not None and self._is_trusted(address))

    def _is_trusted(self, text: str) -> bool:
        if not self._trusted:
            return False
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._trusted)

    def receive(self, client: GatewayProtocol, head: Head, raw: bytes, body: bytes | None) -> None:
        """Takes a request in, whose body is here (else it comes later)."""
        now = time.monotonic()
        verdict = self._admission.at_once(head, client.peer, now)
        if isinstance(verdict, Admitted):
            ticket = self._check(head, verdict)
            if isinstance(ticket, Ticket) and not head.has_body and len(raw) <= LONGEST_REMEMBERED:
                if len(self._tickets) >= MOST_TICKETS:
                    self._tickets.clear()
                self._tickets[raw] = ticket
            self._go_on(client, ticket, body, now)
        elif isinstance(verdict, Refused):
            self._turn_away(client, verdict)
        else:
            task = asyncio.get_running_loop().create_task(self._receive_in_time(client, head, body, verdict, now))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _receive_in_time(
        self, client: GatewayProtocol, head: Head, body: bytes | None, shown: Shown, began: float
    ) -> None:
        verdict: Admitted | Refused
        try:
            verdict = await self._admission.in_time(head, shown)
        except StoreUnavailable as error:
            verdict = Refused(503, error.code, str(error))
        if client.head is not head or not client.busy:
            return  # it has gone, or taken too long
        if isinstance(verdict, Refused):
            self._turn_away(client, verdict)
        else:
            self._go_on(client, self._check(head, verdict), body, began)

    def _turn_away(self, client: GatewayProtocol, refused: Refused) -> None:
        headers = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else {}
        client.refuse(Refusal(status=refused.status, code=refused.code, detail=refused.detail, headers=headers))

    def _go_on(self, client: GatewayProtocol, ticket: Ticket | Turned, body: bytes | None, began: float) -> None:
        if isinstance(ticket, Ticket):
            self.let_in(client, ticket, body, began)
        else:
            client.refuse(ticket.refusal, None if ticket.lane is None else ticket.lane.target)

    def let_in(self, client: GatewayProtocol, ticket: Ticket, body: bytes | None, began: float) -> None:
        """To the plugin's lane."""
        origin = client.origin.lines(ticket.head.said)
        request = Request(ticket.template, origin, next(self._numbers), body)
        visit = client.visit = Visit(client, ticket, request, began)
        ticket.lane.enter(visit)

    def _check(self, head: Head, admitted: Admitted) -> Ticket | Turned:
        # With a body it is none: a plugin that doesn't change the protocol would read that as its next request.
        may_change = head.upgrade == b"websocket" and head.method == b"GET" and not head.has_body
        upgrade = head.upgrade if may_change else None
        if (head.method not in _SAFE or upgrade) and is_cross_site(head):
            detail = "a page of another site must not change anything here"
            return Turned(Refusal(status=403, code="cross-site", detail=detail))
        try:
            place = self._routes.place(head.target)
        except BadPath as bad:
            return Turned(Refusal(status=400, code="bad-path", detail=str(bad)))
        lane = place.lane
        if lane is None or not admitted.caller.may_see(lane.target.plugin):
            return Turned(refusals.unknown(_route_of(place)))
        if head.method in {b"CONNECT", b"TRACE"}:
            detail = f"{head.method.decode()} is for the gateway alone, and it doesn't do that"
            headers = {"Allow": _METHODS}
            return Turned(Refusal(status=405, code="method-not-allowed", detail=detail, headers=headers), lane)
        if head.length > lane.target.max_body:
            return Turned(refusals.too_large(lane.target.max_body), lane)
        template = Template(
            method=head.method,
            path=place.path,
            lines=(*head.lines, *admitted.lines, b"X-Forwarded-Prefix: " + place.prefix),
            length=None if head.chunked else head.length,
            expects_continue=head.has_body and head.said.get(EXPECT, b"").lower() == b"100-continue",
            upgrade=upgrade,
        )
        return Ticket(head, lane, admitted.caller, template, place.prefix, head.said[HOST])


class Turned(NamedTuple):
    """A request that goes no further."""

    refusal: Refusal
    lane: Lane | None = None


def _route_of(place: Place) -> str:
    return "/" + place.prefix.rpartition(b"/")[2].decode("latin-1")
