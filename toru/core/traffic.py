"""How many requests went to each plugin, and how they went: counted as they happen, since the core started."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from types import MappingProxyType

from toru.domain.ids import PluginId

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Of the histogram, in seconds."""


class Traffic:
    """One plugin's requests. Whoever counts writes to it: a call for each would cost more than the counting."""

    __slots__ = (
        "abandoned", "by_class", "bytes_in", "bytes_out", "cold_seconds", "cold_starts", "histogram", "in_flight",
        "seconds",
    )  # fmt: skip

    def __init__(self) -> None:
        self.by_class = [0] * 6
        """Answers that have begun, by the first digit of their status: the plugin's own and those in its place."""
        self.abandoned = 0
        """The client left before there was an answer."""
        self.histogram = [0] * (len(BOUNDS) + 1)
        """From the request to the beginning of its answer; not cumulated."""
        self.seconds = 0.0
        """The sum of the same."""
        self.bytes_in = 0
        """Of bodies, to the plugin."""
        self.bytes_out = 0
        """Of answers, to the client."""
        self.in_flight = 0
        self.cold_starts = 0
        """Requests that found the plugin asleep and were answered by it."""
        self.cold_seconds = 0.0
        """How long these waited, together."""

    @property
    def requests(self) -> int:
        return sum(self.by_class) + self.abandoned

    @property
    def errors(self) -> int:
        """Answers that say 5xx, the plugin's own and those in its place."""
        return self.by_class[5]

    def answered(self, status: int, seconds: float) -> None:
        self.by_class[status // 100] += 1
        self.histogram[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class AllTraffic:
    """Of every plugin that there was a request for."""

    def __init__(self) -> None:
        self._of: dict[PluginId, Traffic] = {}

    def of(self, plugin_id: PluginId) -> Traffic:
        return self._of.setdefault(plugin_id, Traffic())

    def all(self) -> Mapping[PluginId, Traffic]:
        return MappingProxyType(self._of)
