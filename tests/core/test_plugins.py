"""Plugins as they are now, from real files: what is told to whom, and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from toru.core.overview import PluginView
from toru.core.pacing import Pacing
from toru.core.plugins import Figures, Plugins
from toru.domain import places
from toru.domain.catalogue import Catalogue, Plugin, Rejection
from toru.domain.errors import RejectedPlugin, UnknownPlugin
from toru.domain.ids import PluginId
from toru.domain.manifest import manifest_from
from toru.domain.policy import Policy
from toru.domain.state import ActiveState, ServiceFacts, SocketFacts, State, UnitFacts

pytestmark = pytest.mark.req("SUP-5", "UI-6")

CLOCK, WEB = PluginId("clock"), PluginId("web")
BAD = Rejection(file="bad.binary", reason="it said nothing")
LISTENING = SocketFacts(active=ActiveState.ACTIVE)
RUNNING = UnitFacts(socket=LISTENING, service=ServiceFacts(active=ActiveState.ACTIVE, sub="running", main_pid=7))


class Place:
    """Files as toru-admin writes them, and a core that reads them."""

    def __init__(self, directory: Path) -> None:
        self.plugins_dir = directory / "plugins"
        self.wishes = places.wishes_file(self.plugins_dir)
        self.wishes.parent.mkdir(parents=True)
        self.told: list[tuple[str, PluginView | None]] = []
        self.rejected: list[tuple[Rejection, ...]] = []

    def plugins(self) -> Plugins:
        async def act(_plugin_id: PluginId) -> None:
            raise AssertionError

        return Plugins(
            Policy(plugins_dir=self.plugins_dir),
            Pacing(Policy().restart, 257, restart=act, forget_failures=act),
            on_view=lambda plugin_id, view: self.told.append((plugin_id, view)),
            on_rejected=self.rejected.append,
        )

    def catalogue(self, *ids: str, rejected: Sequence[Rejection] = ()) -> None:
        manifests = [manifest_from({"id": it, "name": it, "route": f"/{it}"}) for it in ids]
        plugins = tuple(Plugin(manifest=it, path=self.plugins_dir / f"{it.id}.binary") for it in manifests)
        self.put(places.CATALOGUE, Catalogue(plugins=plugins, rejected=tuple(rejected)).format())

    def wish(self, **enabled: bool) -> None:
        self.put(self.wishes, json.dumps({"plugins": enabled}).encode())

    def put(self, path: Path, content: bytes) -> None:
        new = path.with_suffix(".new")
        new.write_bytes(content)
        new.rename(path)

    def told_of(self) -> list[tuple[str, bool | None]]:
        """Whom somebody was told of since the last time, and whether that is enabled; None: it is gone."""
        told = [(plugin_id, None if view is None else view.enabled) for plugin_id, view in self.told]
        self.told.clear()
        return told


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(places, "CATALOGUE", tmp_path / "catalogue.json")
    return Place(tmp_path)


def test_what_there_is_at_the_start_is_no_news(place: Place) -> None:
    place.catalogue("clock", rejected=[BAD])
    plugins = place.plugins()
    assert [view.id for view in plugins.overview().plugins] == [CLOCK]
    assert [rejection.file for rejection in plugins.overview().rejected] == ["bad.binary"]
    assert (place.told_of(), place.rejected) == ([], [])


def test_without_any_file_there_is_nothing(place: Place) -> None:
    assert place.plugins().overview().plugins == ()


def test_what_changes_in_the_files_is_told_once(place: Place) -> None:
    place.catalogue("clock")
    plugins = place.plugins()
    place.wish(clock=False)
    assert plugins.view(CLOCK).enabled is False
    assert place.told_of() == [("clock", False)]
    plugins.overview()
    place.wish(clock=False)
    plugins.overview()
    assert place.told_of() == [], "the file is another one, and says the same"
    place.catalogue("clock", "web", rejected=[BAD])
    assert [view.id for view in plugins.overview().plugins] == [CLOCK, WEB]
    assert place.told_of() == [("web", True)]
    assert [[it.file for it in rejected] for rejected in place.rejected] == [["bad.binary"]]
    place.catalogue("web", rejected=[BAD])
    plugins.overview()
    assert place.told_of() == [("clock", None)]
    assert len(place.rejected) == 1


def test_a_spoiled_wish_switches_nobody(place: Place) -> None:
    place.catalogue("clock")
    place.wish(clock=False)
    plugins = place.plugins()
    place.wishes.write_text('{"plugins": ')
    place.put(places.last_good_wishes_file(place.plugins_dir), b'{"plugins": {"clock": false}}')
    assert plugins.view(CLOCK).enabled is False, "the last good copy counts"
    places.last_good_wishes_file(place.plugins_dir).write_text("also spoiled")
    assert plugins.view(CLOCK).enabled is False, "nothing is up, and nobody can say"
    plugins.see(CLOCK, RUNNING)
    assert plugins.view(CLOCK).enabled is True, "what is up stays up"


def test_what_systemd_says_is_told_and_what_a_plugin_uses_is_not(place: Place) -> None:
    place.catalogue("clock")
    plugins = place.plugins()
    plugins.see(CLOCK, RUNNING)
    assert [view and view.status.state for _, view in place.told] == [State.RUNNING]
    place.told_of()
    plugins.see(CLOCK, RUNNING)
    plugins.note_figures({CLOCK: Figures(memory_bytes=1 << 20, tasks=2, cpu_seconds=0.5)})
    assert place.told_of() == []
    service = plugins.view(CLOCK).facts.service
    assert service is not None
    assert (service.memory_bytes, service.tasks, service.cpu_seconds) == (1 << 20, 2, 0.5)
    assert list(plugins.running()) == [CLOCK]
    plugins.see(CLOCK, UnitFacts())
    assert list(plugins.running()) == []


def test_a_plugin_whose_file_is_gone_is_there_as_long_as_its_units(place: Place) -> None:
    place.catalogue("clock")
    plugins = place.plugins()
    plugins.see(CLOCK, RUNNING)
    place.catalogue()
    assert plugins.view(CLOCK).manifest is None
    assert [view.id for view in plugins.overview().plugins] == [CLOCK]
    plugins.see(CLOCK, UnitFacts())
    assert plugins.overview().plugins == ()
    with pytest.raises(UnknownPlugin):
        plugins.view(CLOCK)


def test_who_asks_for_a_rejected_plugin_is_told_why(place: Place) -> None:
    place.catalogue(rejected=[Rejection(file="c.binary", reason="it said nothing", id=CLOCK)])
    with pytest.raises(RejectedPlugin, match="it said nothing"):
        place.plugins().view(CLOCK)


# Without anybody asking.


def watching(
    place: Place, story: Callable[[Callable[[], Coroutine[Any, Any, None]]], Coroutine[Any, Any, None]]
) -> None:
    """Runs the story beside a core that watches the files. The story gets what waits until somebody was told."""

    async def run() -> None:
        plugins = place.plugins()
        task = asyncio.create_task(plugins.watch_files())
        await asyncio.sleep(0)

        async def news() -> None:
            async with asyncio.timeout(10):
                while not place.told:  # noqa: ASYNC110  (what tells has no ear for the test)
                    await asyncio.sleep(0.01)

        try:
            await story(news)
        finally:
            task.cancel()

    asyncio.run(run())


@pytest.mark.req("LIFE-3", "LIFE-5")
def test_a_wish_that_is_written_by_hand_is_noticed_by_itself(place: Place) -> None:
    place.catalogue("clock")
    place.wish(clock=True)

    async def story(news: Callable[[], Coroutine[Any, Any, None]]) -> None:
        place.wish(clock=False)  # as careful people and editors do
        await news()
        assert place.told_of() == [("clock", False)]
        with place.wishes.open("w") as file:  # as `echo … > config.json` does
            file.write('{"plugins": {"cl')
            file.flush()
            await asyncio.sleep(0.1)
            assert place.told_of() == [], "what is half written is no news"
            file.write('ock": true}}')
        await news()
        assert place.told_of() == [("clock", True)]
        place.wishes.unlink()
        place.catalogue("clock", "web")
        await news()
        assert ("web", True) in place.told_of()

    watching(place, story)


@pytest.mark.req("LIFE-3")
def test_a_directory_that_comes_later_is_noticed_too(place: Place) -> None:
    place.catalogue("clock")
    place.wishes.parent.rmdir()

    async def story(news: Callable[[], Coroutine[Any, Any, None]]) -> None:
        for _ in range(2):
            place.wishes.parent.mkdir()
            place.wish(clock=False)
            await news()
            assert place.told_of() == [("clock", False)]
            place.wishes.unlink()
            place.wishes.parent.rmdir()
            await news()
            assert place.told_of() == [("clock", True)]

    watching(place, story)
