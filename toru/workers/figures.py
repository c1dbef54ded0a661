"""What a worker has counted since it last told: the core adds it up, so that nothing is lost when plugins move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toru.core.traffic import AllTraffic, Traffic
from toru.domain.ids import PluginId

_LISTS = ("by_class", "histogram")
_NUMBERS = ("abandoned", "seconds", "bytes_in", "bytes_out", "cold_starts", "cold_seconds", "in_flight")

IN_FLIGHT = -1
"""Where it stands; it is the only one that sinks."""


def added(traffic: Traffic, more: Sequence[float]) -> None:
    """Adds what was told of one plugin."""
    numbers = iter(more)
    for name in _LISTS:
        counts = getattr(traffic, name)
        for place in range(len(counts)):
            counts[place] += next(numbers)
    for name in _NUMBERS:
        setattr(traffic, name, getattr(traffic, name) + next(numbers))


class Untold:
    def __init__(self, traffic: AllTraffic) -> None:
        self._traffic = traffic
        self._told: dict[PluginId, tuple[float, ...]] = {}

    def tell(self) -> dict[PluginId, list[float]]:
        """Of each plugin of which anything has changed. From now on it counts as told."""
        news = {}
        for plugin_id, traffic in self._traffic.all().items():
            now = tuple(_numbers(traffic))
            before = self._told.get(plugin_id, (0,) * len(now))
            if now != before:
                self._told[plugin_id] = now
                news[plugin_id] = [one - other for one, other in zip(now, before, strict=True)]
        return news

    def new_listener(self) -> None:
        """Who is told from now on has not heard of what is in flight."""
        self._told = {plugin_id: (*told[:IN_FLIGHT], 0) for plugin_id, told in self._told.items()}


def _numbers(traffic: Traffic) -> Iterator[float]:
    for name in _LISTS:
        yield from getattr(traffic, name)
    for name in _NUMBERS:
        yield getattr(traffic, name)
