"""What is kept of events, and for how long."""

from __future__ import annotations

import asyncio
import time

import pytest

from toru.core.housekeeping import AT_ONCE, Housekeeping
from toru.core.kv import Kv
from toru.domain.events import Event, EventKind
from toru.domain.ids import PluginId
from toru.domain.policy import KvPolicy
from toru.store import events as store
from toru.store.engine import Database
from toru.store.events import Place, StoredEvent

pytestmark = pytest.mark.req("OBS-2")

CLOCK = PluginId("clock")


def event(number: int, at: float, kind: EventKind = EventKind.STARTED, plugin_id: PluginId = CLOCK) -> Event:
    return Event(
        plugin_id=plugin_id, kind=kind, at=at, cause=None, details={"number": number}, cursor=f"cursor {number}"
    )


def add(database: Database, *events: Event, host: str = "here") -> list[StoredEvent]:
    with database.writing() as session:
        return store.add(session, host, events, events[-1].cursor, 0)


def numbers(events: list[StoredEvent]) -> list[int]:
    return [event.details["number"] for event in events]


def test_an_event_that_is_known_is_not_told_again(database: Database) -> None:
    assert numbers(add(database, event(1, 1), event(2, 2))) == [1, 2]
    assert numbers(add(database, event(2, 2), event(3, 3))) == [3]
    assert numbers(add(database, event(2, 2), host="there")) == [2]
    with database.reading() as session:
        assert numbers(store.page(session, 100)) == [3, 2, 2, 1]
        assert [store.cursor(session, host) for host in ("here", "there", "nowhere")] == ["cursor 3", "cursor 2", None]


def test_event_and_cursor_are_kept_together_or_not_at_all(database: Database) -> None:
    add(database, event(1, 1))

    def fail() -> None:
        with database.writing() as session:
            store.add(session, "here", [event(2, 2)], "cursor 2", 0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.reading() as session:
        assert store.cursor(session, "here") == "cursor 1"
        assert numbers(store.page(session, 100)) == [1]


def test_pages_and_filters(database: Database) -> None:
    add(database, *(event(number, number // 3, list(EventKind)[number % 3]) for number in range(30)))
    add(database, event(99, 5, plugin_id=PluginId("other")))
    with database.reading() as session:
        everything = store.page(session, 100)
        assert [it.at for it in everything] == sorted((it.at for it in everything), reverse=True)
        seen: list[StoredEvent] = []
        while page := store.page(session, 4, after=Place(seen[-1].at, seen[-1].id) if seen else None):
            seen += page
        assert seen == everything
        assert numbers(store.page(session, 100, plugin_id=PluginId("other"))) == [99]
        kinds = {EventKind.STARTED, EventKind.CRASHED}
        assert {it.kind for it in store.page(session, 100, kinds=kinds)} == kinds
        assert numbers(store.page(session, 100, plugin_id=CLOCK, since=2, until=3)) == [8, 7, 6]


def test_old_events_go_and_young_ones_stay(database: Database) -> None:
    now = time.time()
    old = (event(number, now - 100) for number in range(2 * AT_ONCE + 1))
    add(database, *old)
    add(database, event(-1, now))
    housekeeping = Housekeeping(database, Kv(database, KvPolicy()), keep_seconds=50)
    assert asyncio.run(housekeeping.forget_old_events()) == 2 * AT_ONCE + 1
    with database.reading() as session:
        assert numbers(store.page(session, 100)) == [-1]


def test_cleaning_up_is_done_at_the_start(database: Database) -> None:
    add(database, event(1, 1))

    async def a_moment() -> None:
        work = asyncio.create_task(Housekeeping(database, Kv(database, KvPolicy()), keep_seconds=50).run())
        for _ in range(100):
            await asyncio.sleep(0.02)
            with database.reading() as session:
                if not store.page(session, 1):
                    break
        work.cancel()

    asyncio.run(a_moment())
    with database.reading() as session:
        assert store.page(session, 1) == []


def test_a_kind_that_a_newer_toru_wrote_is_shown_as_other(database: Database) -> None:
    with database.writing() as session:
        row = event(1, 1)
        object.__setattr__(row, "kind", "teleported")
        store.add(session, "here", [row], row.cursor, 0)
    with database.reading() as session:
        assert [it.kind for it in store.page(session, 1)] == [EventKind.OTHER]
