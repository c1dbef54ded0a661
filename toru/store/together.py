"""Changes that wait for each other's commit are committed together.

Most of what a small change costs is to wait until it is on disk, and SQLite has one writer. So whatever comes while a
transaction is being written shares the next one: with many writers a commit is one wait for all of them. Each change
has a savepoint of its own, so that one that is refused takes no other with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from sqlmodel import Session

from toru.domain.errors import ToruError
from toru.store.engine import Database

T = TypeVar("T")

AT_ONCE = 64
"""Changes of one transaction: others who write wait for it."""


class Together:
    """For one event loop. Its task is there while somebody waits for it, and no longer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[tuple[Callable[[Session], Any], asyncio.Future[Any]]] = deque()
        self._work: asyncio.Task[None] | None = None

    async def write(self, change: Callable[[Session], T]) -> T:
        """What `change` returns, once it is on disk, or the ToruError that it raises."""
        if self._database.is_shared:
            # Many writers at once, who would hold each other's locks up: there every change is by itself.
            return await self._database.write(change)
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, done))
        if self._work is None:
            self._work = asyncio.create_task(self._commit())
        return await done

    async def _commit(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                try:
                    outcomes = await self._database.write(lambda session: [_tried(session, it) for it, _ in batch])  # noqa: B023
                except Exception as error:  # noqa: BLE001  told to everybody whose change it was
                    outcomes = [error] * len(batch)
                for (_, done), outcome in zip(batch, outcomes, strict=True):
                    if done.cancelled():
                        continue
                    if isinstance(outcome, Exception):
                        done.set_exception(outcome)
                    else:
                        done.set_result(outcome)
        finally:
            self._work = None


def _tried(session: Session, change: Callable[[Session], Any]) -> Any:
    try:
        with session.begin_nested():
            return change(session)
    except ToruError as refusal:
        return refusal
