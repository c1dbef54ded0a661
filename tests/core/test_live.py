"""Events to readers: what waits for them is bounded, and an end comes at once."""

import asyncio

import pytest

from toru.core import live as live_module
from toru.core.live import WAITING_AT_MOST, Event, Happened, Live, Reader, plugin_changed
from toru.domain.errors import TooManyReaders
from toru.domain.ids import PluginId

pytestmark = pytest.mark.req("UI-6")

SOMETHING = Happened(name="plugin", data="{}")


async def all_of(reader: Reader) -> list[Event | None]:
    return [event async for event in reader.events(heartbeat=5)]


def test_every_reader_gets_every_event_in_order() -> None:
    async def scenario() -> None:
        live = Live()
        events = [Happened(name=str(number), data="{}") for number in range(10)]
        with live.reading("ann") as ann, live.reading("bob") as bob:
            assert live.watched
            for event in events:
                live.publish(event)
            for reader in (ann, bob):
                iterator = reader.events(heartbeat=5)
                assert [await anext(iterator) for _ in events] == events
        assert not live.watched

    asyncio.run(scenario())


def test_a_reader_that_lags_is_told_and_let_go_of() -> None:
    async def scenario() -> None:
        live = Live()
        with live.reading("slow") as slow, live.reading("quick") as quick:
            for _ in range(WAITING_AT_MOST):
                live.publish(SOMETHING)
            assert [slow.lagged, quick.lagged] == [False, False]
            iterator = quick.events(heartbeat=5)
            for _ in range(2):
                await anext(iterator)
            live.publish(SOMETHING)
            assert slow.lagged
            assert await all_of(slow) == [], "no history with a hole in it"
            live.publish(SOMETHING)  # and nothing piles up any more
            assert not slow._waiting
            assert not quick.lagged

    asyncio.run(scenario())


def test_silence_is_told_too() -> None:
    async def scenario() -> None:
        with Live().reading("ann") as reader:
            assert await anext(reader.events(heartbeat=0.01)) is None

    asyncio.run(scenario())


def test_one_who_may_not_any_more_is_cut_off_and_nobody_else() -> None:
    async def scenario() -> None:
        live = Live()
        with live.reading("ann") as ann, live.reading("bob") as bob, live.reading("ann", wants_events=False) as file:
            live.publish(SOMETHING)
            live.cut_off("ann")
            assert await all_of(ann) == []
            async with asyncio.timeout(1):
                await file.ended()
            assert await anext(bob.events(heartbeat=5)) == SOMETHING

    asyncio.run(scenario())


def test_a_stop_ends_all_and_whoever_comes_later() -> None:
    async def scenario() -> None:
        live = Live()
        with live.reading("ann") as ann:
            waiting = asyncio.create_task(all_of(ann))
            await asyncio.sleep(0)
            live.close()
            async with asyncio.timeout(1):
                assert await waiting == []
                with live.reading("late") as late:
                    assert await all_of(late) == []

    asyncio.run(scenario())


def test_there_is_room_for_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "READERS_AT_MOST", 2)
    live = Live()
    with live.reading("a"):
        with live.reading("b"), pytest.raises(TooManyReaders), live.reading("c"):
            pass
        with live.reading("c"):
            pass


def test_a_plugin_that_is_gone_is_an_event_too() -> None:
    event = plugin_changed(PluginId("clock"), None)
    assert (event.name, event.data, event.plugin_id) == ("gone", '{"id":"clock"}', "clock")
