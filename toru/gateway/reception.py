"""Receives requests to plugins: who is asking, for which plugin, and may they? Then the plugin's lane has them.

What was decided holds for every request with the same head, byte for byte, for a moment: as long as no plugin and no
user changes, and half a second at most (`forget`). Who polls asks the same again and again. Most other requests of a
client differ in the first line alone: what their header fields say, and who is behind them, is remembered as well.
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
from toru.gateway.exchange import Request
from toru.gateway.forwarding import Origin
from toru.gateway.heads import EXPECT, BadHead, Fields, Head, read_request_line
from toru.gateway.lane import Lane
from toru.gateway.refusals import Refusal
from toru.gateway.routes import PREFIX, BadPath, Routes
from toru.gateway.visit import Visit
from toru.web.caller import SAFE

if TYPE_CHECKING:
    from toru.gateway.protocol import GatewayProtocol

_SAFE = frozenset(method.encode() for method in SAFE)
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

MOST_REMEMBERED = 1024
LONGEST_REMEMBERED = 4096
"""Bytes of a head."""


class Visitor(NamedTuple):
    """Whoever sends these header fields."""

    fields: Fields
    caller: Caller
    lines: bytes
    """What plugins are told: of the fields, and who is asking. Each line with its end."""


class Ticket(NamedTuple):
    """A request that was let in, but for its body."""

    head: Head
    visitor: Visitor
    lane: Lane
    path: bytes
    """For the plugin."""
    prefix: bytes
    """What was before it, as the client wrote it: by the plugin's route, or by its id."""
    lines: bytes
    """What the plugin is told, from the first line on, but for what is new with each request."""
    upgrade: bytes | None


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
        """By the bytes of a request without a body: the first one of each visitor."""
        self._visitors: dict[bytes, Visitor] = {}
        """By what of these is behind the first line."""
        self._changes = accounts.changes
        # Two cores, or one after a restart, don't give the same id twice.
        prefix = secrets.token_hex(6).encode()
        self._numbers = (b"%b-%x" % (prefix, number) for number in itertools.count(1))

    def forget(self) -> None:
        """Every head is looked at anew."""
        self._tickets.clear()
        self._visitors.clear()
        self._changes = self._accounts.changes

    async def settled(self) -> None:
        """Returns when it is decided on everybody who has come so far."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def ticket(self, raw: bytes) -> Ticket | None:
        """For a request without a body that is like one a moment ago; None: it is for `receive`."""
        if self._changes != self._accounts.changes:
            self.forget()
        if (known := self._tickets.get(raw)) is not None:
            return known
        line, _, rest = raw.partition(b"\r\n")
        if (visitor := self._visitors.get(rest)) is None:
            return None
        try:
            method, target, minor = read_request_line(line)
        except BadHead:
            return None
        if minor == 0 or not target.startswith(PREFIX):
            return None
        ticket = self._check(Head(method, target, minor, visitor.fields), visitor)
        return ticket if isinstance(ticket, Ticket) else None

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
            visitor = _visitor(head, verdict)
            ticket = self._check(head, visitor)
            if isinstance(ticket, Ticket):
                self._remember(ticket, raw)
            self._go_on(client, ticket, body, now)
        elif isinstance(verdict, Refused):
            self._turn_away(client, verdict)
        else:
            task = asyncio.get_running_loop().create_task(self._receive_in_time(client, head, body, verdict, now))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _remember(self, ticket: Ticket, raw: bytes) -> None:
        head = ticket.head
        # An absolute form says more than the fields do.
        if head.has_body or head.close or len(raw) > LONGEST_REMEMBERED or not raw.startswith(head.method + b" /"):
            return
        if len(self._visitors) >= MOST_REMEMBERED:
            self.forget()
        # This head, and what all others of this visitor have in common. To keep each of these would cost more time
        # than it saves, unless nearly all of them come again within half a second.
        self._tickets[raw] = ticket
        self._visitors[raw.partition(b"\r\n")[2]] = ticket.visitor

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
            self._go_on(client, self._check(head, _visitor(head, verdict)), body, began)

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
        fields, number = ticket.visitor.fields, next(self._numbers)
        origin = client.origin.lines(fields.said)
        head = b"".join((ticket.lines, origin, ticket.prefix, b"\r\nX-Toru-Request-Id: ", number, b"\r\n"))
        length = None if fields.chunked else fields.length
        expects_continue = body != b"" and fields.said.get(EXPECT, b"").lower() == b"100-continue"
        request = Request(ticket.head.method, ticket.path, head, number, length, body, expects_continue, ticket.upgrade)
        visit = client.visit = Visit(client, ticket, request, began)
        ticket.lane.enter(visit)

    def _check(self, head: Head, visitor: Visitor) -> Ticket | Turned:
        method, fields = head.method, head.fields
        # With a body it is none: a plugin that doesn't change the protocol would read that as its next request.
        may_change = fields.upgrade == b"websocket" and method == b"GET" and not head.has_body
        upgrade = fields.upgrade if may_change else None
        if (method not in _SAFE or upgrade) and is_cross_site(head):
            detail = "a page of another site must not change anything here"
            return Turned(Refusal(status=403, code="cross-site", detail=detail))
        try:
            lane, path, prefix = self._routes.place(head.target)
        except BadPath as bad:
            return Turned(Refusal(status=400, code="bad-path", detail=str(bad)))
        if lane is None or not visitor.caller.may_see(lane.target.plugin):
            return Turned(refusals.unknown(_route_of(prefix)))
        if method in {b"CONNECT", b"TRACE"}:
            detail = f"{method.decode()} is for the gateway alone, and it doesn't do that"
            headers = {"Allow": _METHODS}
            return Turned(Refusal(status=405, code="method-not-allowed", detail=detail, headers=headers), lane)
        if fields.length > lane.target.max_body:
            return Turned(refusals.too_large(lane.target.max_body), lane)
        about = (method, b" ", path, b" HTTP/1.1\r\n", visitor.lines)
        return Ticket(head, visitor, lane, path, prefix, b"".join(about), upgrade)


class Turned(NamedTuple):
    """A request that goes no further."""

    refusal: Refusal
    lane: Lane | None = None


def _visitor(head: Head, admitted: Admitted) -> Visitor:
    return Visitor(head.fields, admitted.caller, b"\r\n".join((*head.lines, admitted.lines)))


def _route_of(prefix: bytes) -> str:
    return "/" + prefix.rpartition(b"/")[2].decode("latin-1")
