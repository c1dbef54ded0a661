"""Removes what nobody wants to keep: old events, at start and daily, and storage that has expired."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

from toru.core.kv import Kv
from toru.domain.errors import StoreUnavailable
from toru.store import events
from toru.store.engine import Database
from toru.systemd import notify

AT_ONCE = 1000
"""Events of one transaction: others who write wait for it."""

EVENTS_EVERY = 86_400
KV_EVERY = 600
"""What has expired isn't shown in any case; until it is swept up it only takes room."""

RETRY_SECONDS = 60


class Housekeeping:
    def __init__(self, database: Database, kv: Kv, keep_seconds: float) -> None:
        self._database = database
        self._kv = kv
        self._keep_seconds = keep_seconds

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_every(EVENTS_EVERY, self.forget_old_events))
            tasks.create_task(_every(KV_EVERY, self._kv.sweep))

    async def forget_old_events(self) -> int:
        """How many there were."""
        moment = time.time() - self._keep_seconds
        total = 0
        while done := await self._database.write(lambda session: events.forget_before(session, moment, AT_ONCE)):
            total += done
        return total


async def _every(seconds: float, work: Callable[[], Awaitable[int]]) -> NoReturn:
    """Now, and whenever so many seconds have passed."""
    while True:
        try:
            await work()
        except StoreUnavailable as error:
            notify.log(notify.WARNING, f"cleaning up must wait: {error}")
            await asyncio.sleep(RETRY_SECONDS)
        else:
            await asyncio.sleep(seconds)
