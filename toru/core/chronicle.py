"""Writes down what happens to plugins: from the journal into the database, every event once.

The journal is read from where it was last left, and the event and that place are written in one transaction. So what
happens while the core is down is told when it is back, and nothing is told twice, whenever the core is killed.

Where no place is known, at the first start, it begins as far back as events are kept: units may have come up, and
crashed, before the core did. Where the place is gone, because the journal was vacuumed, it goes on with the oldest
entry that is left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn, Self, TypeVar

from sqlalchemy.exc import IntegrityError

from toru.domain.errors import StoreUnavailable
from toru.domain.events import NO_RUN, Event, Record, Run, tell
from toru.domain.ids import PluginId
from toru.store import events as store
from toru.store.engine import Database
from toru.store.events import StoredEvent
from toru.systemd import notify
from toru.systemd.records import Records, before, machine_id

T = TypeVar("T")

OnEvents = Callable[[Sequence[StoredEvent]], None]

BATCH = 500
"""Entries that are looked at in one go, and so the events of one transaction."""

CONTEXT = 1000
"""Entries before the place it was left at, from which to learn in what state each run was then."""

SAVE_AFTER = 1000
"""Entries without an event, after which the place is written down all the same. Reading them again would do no harm."""

RETRY_SECONDS = (1, 2, 5, 10, 30)

LOOK_AGAIN_SECONDS = 60
"""The journal says when there is something new. If ever it should not, nothing is late for longer."""


class Chronicle:
    def __init__(self, database: Database, keep_seconds: float, on_events: OnEvents = lambda _events: None) -> None:
        self._database = database
        self._keep_seconds = keep_seconds
        self._on_events = on_events
        self._host = machine_id()
        self._failures = 0

    async def run(self) -> None:
        """For ever, whatever the database and the journal do."""
        while True:
            try:
                await self._follow()
            except (StoreUnavailable, IntegrityError, OSError) as error:
                # IntegrityError: another core of this host was faster. What it wrote is where we go on.
                if not self._failures:
                    notify.log(notify.ERROR, f"events can't be written down now, and wait in the journal: {error}")
                await asyncio.sleep(RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)])
                self._failures += 1

    async def _follow(self) -> NoReturn:
        place = await self._database.read(lambda session: store.cursor(session, self._host))
        # One thread: the journal's reader is for one at a time, also when this task is cancelled meanwhile.
        with _OneThread() as thread:
            runs: dict[PluginId, Run] = {}
            for record in await thread.do(lambda: before(place, CONTEXT)) if place else ():
                _take(runs, record)
            records = await thread.do(lambda: Records(place, time.time() - self._keep_seconds))
            try:
                # Before the first look: what is written from here on, this descriptor tells.
                descriptor = await thread.do(records.fileno)
                unsaved = 0
                while True:
                    found, cursor, seen = await thread.do(lambda: records.read(BATCH))
                    events = [event for record in found if (event := _take(runs, record)) is not None]
                    unsaved += seen
                    if cursor is not None and (events or unsaved >= SAVE_AFTER):
                        await self._keep(events, cursor)
                        unsaved = 0
                    if seen < BATCH:
                        await _readable(descriptor, LOOK_AGAIN_SECONDS)
            finally:
                thread.last(records.close)

    async def _keep(self, events: Sequence[Event], cursor: str) -> None:
        stored = await self._database.write(lambda session: store.add(session, self._host, events, cursor, time.time()))
        if self._failures:
            notify.log(notify.NOTICE, "events are written down again")
            self._failures = 0
        if stored:
            self._on_events(stored)


def _take(runs: dict[PluginId, Run], record: Record) -> Event | None:
    runs[record.plugin_id], event = tell(runs.get(record.plugin_id, NO_RUN), record)
    return event


class _OneThread:
    """Does things one after the other, and off the event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="chronicle")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._pool.shutdown(wait=False)

    async def do(self, what: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, what)

    def last(self, what: Callable[[], object]) -> None:
        """When everything before it is done; nobody waits for it."""
        self._pool.submit(what)


async def _readable(descriptor: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        async with asyncio.timeout(seconds):
            await readable.wait()
    except TimeoutError:
        pass
    finally:
        loop.remove_reader(descriptor)
