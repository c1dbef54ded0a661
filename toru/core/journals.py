"""Log lines for whoever asks, without keeping the event loop waiting: the journal is read in a few threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from toru.core.logs import LogQuery, Page, read_page, take_onwards
from toru.core.why import Run, RunPage, last_run, read_run, read_runs
from toru.domain.errors import TooManyReaders
from toru.domain.ids import PluginId
from toru.systemd.journal import LogLine, PluginJournal

Answer = TypeVar("Answer")

THREADS = 4
READERS_AT_MOST = 64
"""That follow a log or download one. Each keeps the journal's files mapped."""
BATCH = 200
"""Lines that are looked at in one go, and the most of one reader that is in memory."""


class Journals:
    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="journal")
        self._readers = 0

    async def page(self, query: LogQuery, count: int, *, before: str | None = None, skip: int = 0) -> Page:
        """As `read_page`."""
        return await _in(self._pool, lambda: read_page(query, count, before=before, skip=skip))

    async def last_run(self, plugin_id: PluginId, invocation_id: str | None = None) -> Run | None:
        """As `last_run`."""
        return await _in(self._pool, lambda: last_run(plugin_id, invocation_id))

    async def runs(self, plugin_id: PluginId, count: int, before: str | None = None) -> RunPage:
        """As `read_runs`."""
        return await _in(self._pool, lambda: read_runs(plugin_id, count, before))

    async def run(self, plugin_id: PluginId, invocation_id: str) -> Run | None:
        """As `read_run`."""
        return await _in(self._pool, lambda: read_run(plugin_id, invocation_id))

    @asynccontextmanager
    async def onwards(
        self, query: LogQuery, *, follow: bool, after: str | None = None
    ) -> AsyncIterator[AsyncIterator[list[LogLine]]]:
        """All wanted lines, oldest first, some at a time: from a cursor on, from `since`, or else from the oldest on.

        With `follow` it goes on with whatever is written, and begins now, where nothing else is said; else it ends with
        the journal. `TooManyReaders`, when that many are at it already.
        """
        if self._readers >= READERS_AT_MOST:
            raise TooManyReaders(f"{READERS_AT_MOST} readers follow logs already: try again when some have left")
        self._readers += 1
        reader = _Reader(self._pool, query)
        try:
            await reader.open(after, follow=follow)
            yield reader.batches(follow=follow)
        finally:
            self._readers -= 1
            reader.close()

    def close(self) -> None:
        """Lets go of the threads when what they are at is done."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Reader:
    """Goes through a plugin's journal. What it does happens in threads, but never in two at once."""

    def __init__(self, pool: ThreadPoolExecutor, query: LogQuery) -> None:
        self._pool = pool
        self._query = query
        self._entries: PluginJournal | None = None
        self._at_work = threading.Lock()
        self._closed = False

    async def open(self, after: str | None, *, follow: bool) -> None:
        def work() -> None:
            with self._at_work:
                if self._closed:
                    return
                entries = self._entries = self._query.opened()
                if follow:
                    entries.fileno()  # before the first look: what is written from here on, this descriptor tells
                if after is not None:
                    entries.seek_after(after)
                elif self._query.since is not None:
                    entries.seek_time(self._query.since)
                elif follow:
                    entries.seek_now()
                else:
                    entries.seek_start()

        await _in(self._pool, work)

    async def batches(self, *, follow: bool) -> AsyncIterator[list[LogLine]]:
        while True:
            lines, more = await _in(self._pool, self._take)
            if lines:
                yield lines
            if not more:
                if not follow or self._entries is None:
                    return
                await _readable(self._entries.fileno())
                await _in(self._pool, self._process)

    def close(self) -> None:
        def work() -> None:
            with self._at_work:
                self._closed = True
                if self._entries is not None:
                    self._entries.close()

        # A thread may still be reading for it, after its caller has been cancelled.
        try:
            self._pool.submit(work)
        except RuntimeError:  # the pool is shut down already: nobody reads any more
            work()

    def _take(self) -> tuple[list[LogLine], bool]:
        with self._at_work:
            if self._closed or self._entries is None:
                return [], False
            return take_onwards(self._query, self._entries, BATCH)

    def _process(self) -> None:
        with self._at_work:
            if not self._closed and self._entries is not None:
                self._entries.process()


async def _in(pool: ThreadPoolExecutor, work: Callable[[], Answer]) -> Answer:
    return await asyncio.get_running_loop().run_in_executor(pool, work)


async def _readable(descriptor: int) -> None:
    """Returns when there is something to read."""
    loop = asyncio.get_running_loop()
    something = asyncio.Event()
    loop.add_reader(descriptor, something.set)
    try:
        await something.wait()
    finally:
        loop.remove_reader(descriptor)
