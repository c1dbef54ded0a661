"""One plugin's lane through the gateway: who is with the plugin, and who waits for a turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from toru.core.traffic import Traffic
from toru.gateway import refusals
from toru.gateway.exchange import Way
from toru.gateway.targets import Availability, Target

if TYPE_CHECKING:
    from toru.gateway.visit import Visit

MakeWay = Callable[[Target], Way]

_KNOCK = frozenset({Availability.RUNNING, Availability.ASLEEP, Availability.COMING, Availability.PAUSED})

RETRY_WHEN_BUSY = 1.0
"""Seconds after which a client may come again that found too many waiting."""


class Turns:
    """Those who wait. Callers take turns, so that one with many requests doesn't keep the others out."""

    def __init__(self) -> None:
        self._of: dict[str, deque[Visit]] = {}
        """By the caller's name; the first one's turn is next."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Visit]:
        for visits in self._of.values():
            yield from visits

    def put(self, visit: Visit) -> None:
        self._of.setdefault(visit.caller.name, deque()).append(visit)
        self._count += 1

    def next(self) -> Visit:
        """Whose turn it is."""
        name = next(iter(self._of))
        visits = self._of.pop(name)
        visit = visits.popleft()
        if visits:
            self._of[name] = visits  # behind all others
        self._count -= 1
        return visit

    def one_too_many(self, newcomer: Visit) -> Visit | None:
        """Who is to make room for this one: the last of whoever has most, if even then that is no fewer."""
        most = max(self._of.values(), key=len)
        own = self._of.get(newcomer.caller.name, ())
        return most[-1] if len(most) > len(own) + 1 else None

    def remove(self, visit: Visit) -> None:
        name = visit.caller.name
        visits = self._of[name]
        visits.remove(visit)
        if not visits:
            del self._of[name]
        self._count -= 1


class Lane:
    def __init__(self, target: Target, make_way: MakeWay, traffic: Traffic, *, max_waiting: int) -> None:
        self._make_way = make_way
        self._max_waiting = max_waiting
        self._waiting = Turns()
        self._with_plugin = 0
        self._when_empty: Callable[[], None] | None = None
        self.traffic = traffic
        self.target = target
        self.way = make_way(target)
        self._open = target.availability in _KNOCK
        self._goes_on = False

    def see(self, target: Target, make_way: MakeWay) -> None:
        """The plugin as it is from now on."""
        before, self.target = self.target, target
        self._open = target.availability in _KNOCK
        if _where(before) != _where(target):
            self.way.close()
            self.way = make_way(target)
        else:
            self.way.see(target)
        if not self._open:
            for visit in list(self._waiting):
                visit.fail(refusals.for_now(target))
        self._go_on()

    def close(self) -> None:
        """The plugin is gone. What it has begun to answer comes to its end."""
        self._open = False
        for visit in list(self._waiting):
            visit.fail(refusals.unknown(self.target.route))
        self.way.close()

    def empty(self, when_empty: Callable[[], None]) -> None:
        """Calls this once nobody is here any more. That nobody comes in until then is the caller's affair."""
        self._when_empty = when_empty
        self._look_whether_empty()

    def enter(self, visit: Visit) -> None:
        """To the plugin, or in the queue, or away."""
        target = self.target
        if not self._open:
            visit.fail(refusals.for_now(target))
        elif self._with_plugin < target.max_concurrent and not self._waiting:
            self._with_plugin += 1
            visit.begin(self.way, target)
        else:
            self._queue(visit)

    def _queue(self, visit: Visit) -> None:
        if len(self._waiting) >= self._max_waiting:
            surplus = self._waiting.one_too_many(visit) or visit
            surplus.fail(refusals.unavailable("has too many requests to answer already", RETRY_WHEN_BUSY))
            if surplus is visit:
                return
        visit.wait()
        self._waiting.put(visit)

    def left(self) -> None:
        """A visit that had begun is over."""
        self._with_plugin -= 1
        if self._waiting:
            self._go_on()
        elif self._when_empty is not None:
            self._look_whether_empty()

    def waits_no_more(self, visit: Visit) -> None:
        self._waiting.remove(visit)
        self._look_whether_empty()

    def _look_whether_empty(self) -> None:
        if self._when_empty is not None and not self._with_plugin and not self._waiting:
            when_empty, self._when_empty = self._when_empty, None
            when_empty()

    def _go_on(self) -> None:
        if self._goes_on:
            return  # a visit that ended as it began: the loop sees to its place
        self._goes_on = True
        try:
            while self._waiting and self._open and self._with_plugin < self.target.max_concurrent:
                self._with_plugin += 1
                self._waiting.next().begin(self.way, self.target)
        finally:
            self._goes_on = False


def _where(target: Target) -> tuple[object, ...]:
    return target.protocol, target.socket_path, target.bell_path
