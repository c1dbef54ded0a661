"""Whether who was let in may stay: a WebSocket or a stream may last for days, and a session ends before.

Whenever somebody may have been signed out, disabled or changed, and once in a while for what ends by itself, everybody
who is being answered is asked again who he is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from toru.core.accounts import LOOK_AGAIN_SECONDS, Accounts
from toru.domain.errors import StoreUnavailable
from toru.domain.people import Caller
from toru.gateway.admission import shown_by
from toru.gateway.refusals import Refusal
from toru.web.caller import Callers

if TYPE_CHECKING:
    from toru.gateway.protocol import GatewayProtocol
    from toru.gateway.visit import Visit


class Vigil:
    def __init__(self, accounts: Accounts, callers: Callers) -> None:
        self._accounts = accounts
        self._callers = callers
        self._changes = accounts.changes
        self._again_at = 0.0
        self._asking: asyncio.Task[None] | None = None

    def look(self, clients: Iterable[GatewayProtocol], now: float) -> None:
        """Ends the visits of those who may not, or no longer do, what they might when they came."""
        if self._asking is not None or (self._accounts.changes == self._changes and now < self._again_at):
            return
        self._changes, self._again_at = self._accounts.changes, now + LOOK_AGAIN_SECONDS
        visits = [(client, client.visit) for client in clients if client.visit is not None]
        if visits:
            self._asking = asyncio.get_running_loop().create_task(self._ask_again(visits))

    async def _ask_again(self, visits: list[tuple[GatewayProtocol, Visit]]) -> None:
        try:
            for client, visit in visits:
                if client.visit is visit and await self._who(client, visit) != visit.caller and client.visit is visit:
                    visit.give_up(Refusal(status=401, code="unauthenticated", detail="sign in first"))
        finally:
            self._asking = None

    async def _who(self, client: GatewayProtocol, visit: Visit) -> Caller | None:
        shown = shown_by(visit.ticket.head, client.peer)
        try:
            return await self._callers.who(shown.bearer, shown.cookie, shown.peer)
        except StoreUnavailable:
            return None  # as at the door
