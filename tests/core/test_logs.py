"""Which lines are wanted, and who reads a journal for whom: what needs no journal with anything in it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from toru.core import journals as journals_module
from toru.core.journals import Journals
from toru.core.logs import LogQuery
from toru.domain.errors import BadCursor, TooManyReaders
from toru.domain.ids import PluginId
from toru.domain.levels import DEBUG, ERROR, INFO
from toru.systemd.journal import LogLine

pytestmark = pytest.mark.req("API-4", "OBS-1")

NOBODY = PluginId("never-was")


def line(message: str, priority: int = INFO, *, of_systemd: bool = False) -> LogLine:
    return LogLine(
        plugin_id=NOBODY,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        priority=priority,
        message=message,
        of_systemd=of_systemd,
        pid=None if of_systemd else 7,
        invocation_id="",
        cursor="c",
    )


@pytest.mark.parametrize(
    ("query", "wanted", "unwanted"),
    [
        (LogQuery(plugin_id=NOBODY), [line(""), line("x", DEBUG)], []),
        (
            LogQuery(plugin_id=NOBODY, most_verbose=ERROR),
            [line("x", ERROR), line("x", 0)],
            [line("x"), line("x", DEBUG)],
        ),
        # A JSON line is as urgent as it says itself, and systemd's are what they are.
        (
            LogQuery(plugin_id=NOBODY, most_verbose=ERROR),
            [line('{"level": "fatal", "message": "x"}')],
            [line('{"level": "info", "message": "x"}', 0), line('{"level": "fatal"}', of_systemd=True)],
        ),
        (
            LogQuery(plugin_id=NOBODY, text="STRASSE"),
            [line("in der Straße"), line("die strasse")],
            [line("stra"), line("")],
        ),
        (
            LogQuery(plugin_id=NOBODY, text="x", most_verbose=ERROR),
            [line("xyz", ERROR)],
            [line("xyz"), line("abc", ERROR)],
        ),
    ],
    ids=["all", "level", "json", "text", "both"],
)
def test_which_lines_are_wanted(query: LogQuery, wanted: list[LogLine], unwanted: list[LogLine]) -> None:
    assert [it for it in wanted if not query.wants(it)] == []
    assert [it for it in unwanted if query.wants(it)] == []
    assert query.takes_all is (query == LogQuery(plugin_id=NOBODY))


def test_who_never_wrote_has_an_empty_page_and_no_run() -> None:
    async def story() -> None:
        journals = Journals()
        page = await journals.page(LogQuery(plugin_id=NOBODY), 100)
        assert (page.lines, page.next_cursor) == ([], None)
        assert await journals.last_run(NOBODY) is None
        async with journals.onwards(LogQuery(plugin_id=NOBODY), follow=False) as batches:
            assert [batch async for batch in batches] == []
        journals.close()

    asyncio.run(story())


@pytest.mark.parametrize("cursor", ["", "nonsense", "s=x", "\0", "x" * 1000, "ä"])
def test_what_is_no_cursor_is_told_as_such_and_leaves_nothing_open(cursor: str) -> None:
    async def story() -> None:
        journals = Journals()
        query = LogQuery(plugin_id=NOBODY)
        with pytest.raises(BadCursor):
            await journals.page(query, 100, before=cursor)
        with pytest.raises(BadCursor):
            async with journals.onwards(query, follow=True, after=cursor):
                pass
        journals.close()

    before = descriptors()
    asyncio.run(story())
    wait_until_no_more_are_open_than(before)


def test_there_is_room_for_so_many_readers_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals_module, "READERS_AT_MOST", 1)

    async def story() -> None:
        journals = Journals()
        query = LogQuery(plugin_id=NOBODY)
        async with journals.onwards(query, follow=True):
            with pytest.raises(TooManyReaders):
                async with journals.onwards(query, follow=True):
                    pass
        async with journals.onwards(query, follow=True):
            pass
        journals.close()

    asyncio.run(story())


def test_who_follows_waits_and_leaves_nothing_open_when_gone() -> None:
    async def story() -> None:
        journals = Journals()
        async with journals.onwards(LogQuery(plugin_id=NOBODY), follow=True) as batches:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await anext(batches)
        opening = [asyncio.create_task(opened(journals)) for _ in range(20)]
        await asyncio.sleep(0)
        for task in opening:  # as clients that leave while the journal is being opened for them
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        journals.close()

    before = descriptors()
    asyncio.run(story())
    wait_until_no_more_are_open_than(before)


async def opened(journals: Journals) -> AsyncIterator[list[LogLine]]:
    async with journals.onwards(LogQuery(plugin_id=NOBODY), follow=True) as batches:
        return batches


def wait_until_no_more_are_open_than(before: int) -> None:
    """Threads that were let go come to their end in their own time."""
    deadline = time.monotonic() + 30
    while descriptors() > before:
        assert time.monotonic() < deadline
        gc.collect()
        time.sleep(0.01)


def descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
