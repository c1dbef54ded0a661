"""What happens, to everybody who watches, as it happens."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from toru.core import rows
from toru.core.host import HostFigures
from toru.core.overview import PluginView
from toru.core.traffic import Traffic
from toru.domain.catalogue import Rejection
from toru.domain.errors import TooManyReaders
from toru.domain.ids import PluginId
from toru.store.events import StoredEvent

WAITING_AT_MOST = 1000
"""Events that a reader may lag behind. Beyond, it is told to come again and read everything anew."""
READERS_AT_MOST = 500
READERS_OF_ONE = 100
"""Of one caller, so that nobody takes all the room there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that happened, ready to be sent: it is put into text once, however many watch."""

    name: str
    data: str
    plugin_id: PluginId | None = None
    """Whom it is about, where it is about one plugin: for those who may see that."""
    for_admins: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What plugins use that run or were asked. Every reader gets the part that it may see."""

    at: float
    plugins: Mapping[PluginId, Mapping[str, Any]]


Event = Happened | Measured


def plugin_changed(plugin_id: PluginId, view: PluginView | None, traffic: Traffic | None = None) -> Happened:
    """A plugin as it is now; or that there is none of this id any more."""
    if view is None:
        return Happened(name="gone", data=_json({"id": plugin_id}), plugin_id=plugin_id)
    row = rows.plugin_row(view, now=time.time(), traffic=traffic)
    return Happened(name="plugin", data=_json(row), plugin_id=plugin_id)


def rejected_changed(rejected: Sequence[Rejection]) -> Happened:
    """All files that are no plugins."""
    return Happened(name="rejected", data=_json([rows.rejection_row(it) for it in rejected]), for_admins=True)


def event_recorded(event: StoredEvent) -> Happened:
    """Something that happened to a plugin, once it is written down."""
    return Happened(name="event", data=_json(rows.event_row(event)), for_admins=True)


def host_measured(figures: HostFigures) -> Happened:
    """How the host does."""
    return Happened(name="host", data=_json(asdict(figures)), for_admins=True)


def plugin_pushed(plugin_id: PluginId, name: str, data: str, dropped: int) -> Happened:
    """What a plugin has to say to its open views. `data` is JSON; so many before it were dropped."""
    text = f'{{"id":{_json(plugin_id)},"name":{_json(name)},"data":{data},"dropped":{dropped}}}'
    return Happened(name="push", data=text, plugin_id=plugin_id)


def _json(content: object) -> str:
    return json.dumps(content, separators=(",", ":"))


class Reader:
    """Somebody who watches. Events wait here until they are fetched."""

    def __init__(self, name: str, *, wants_events: bool) -> None:
        self.name = name
        self.wants_events = wants_events
        self._waiting: deque[Event] = deque()
        self._something = asyncio.Event()
        self._end = asyncio.Event()
        self.lagged = False

    def put(self, event: Event) -> None:
        if self._end.is_set() or not self.wants_events:
            return
        if len(self._waiting) >= WAITING_AT_MOST:
            # A history with holes would be a wrong picture: better none, and a new beginning.
            self.lagged = True
            self._waiting.clear()
            self.end()
            return
        self._waiting.append(event)
        self._something.set()

    @property
    def has_ended(self) -> bool:
        return self._end.is_set()

    def end(self) -> None:
        self._end.set()
        self._something.set()

    async def ended(self) -> None:
        """Returns when this reader is to read no more."""
        await self._end.wait()

    async def events(self, heartbeat: float) -> AsyncIterator[Event | None]:
        """Every event; None after so many seconds without one. Ends when the reader is let go of."""
        while True:
            while self._waiting and not self._end.is_set():
                yield self._waiting.popleft()
            if self._end.is_set():
                return
            self._something.clear()
            try:
                async with asyncio.timeout(heartbeat):
                    await self._something.wait()
            except TimeoutError:
                yield None


class Live:
    """Hands every event to every reader. All of it happens on the event loop."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()
        self._closed = False

    @property
    def watched(self) -> bool:
        """Whether anybody wants events."""
        return any(reader.wants_events for reader in self._readers)

    def publish(self, event: Event) -> None:
        for reader in self._readers:
            reader.put(event)

    @contextmanager
    def reading(self, name: str, *, wants_events: bool = True) -> Iterator[Reader]:
        """A reader, for as long as the block lasts. `TooManyReaders`, where there are that many.

        One that wants no events reads something else, and is here only to be told when to end.
        """
        if len(self._readers) >= READERS_AT_MOST:
            raise TooManyReaders(f"{READERS_AT_MOST} readers watch already: try again when some have left")
        if sum(reader.name == name for reader in self._readers) >= READERS_OF_ONE:
            raise TooManyReaders(f"{name} has {READERS_OF_ONE} readers already: try again when some have left")
        reader = Reader(name, wants_events=wants_events)
        if self._closed:
            reader.end()
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def cut_off(self, name: str) -> None:
        """Ends what this caller watches, such as one who may not any more. Who still may comes again at once."""
        for reader in self._readers:
            if reader.name == name:
                reader.end()

    def close(self) -> None:
        """Ends every reader, now and from now on, so that a stop needn't wait for any."""
        self._closed = True
        for reader in self._readers:
            reader.end()
