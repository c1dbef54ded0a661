"""How much of what happens to a plugin is told to hooks."""

from __future__ import annotations

from dataclasses import dataclass

from toru.domain.events import Event, EventKind
from toru.domain.ids import PluginId
from toru.domain.policy import HooksPolicy

SECONDS_TO_TELL = 86_400.0
"""What is older is no news: it is left out."""


@dataclass(frozen=True, slots=True)
class Ration:
    """So many events may be told at once, at this moment."""

    left: float
    at: float


class Rationing:
    """Lets the first events of a kind through at once, and then one in so many seconds, for each plugin.

    By the events' own clock: it makes no difference when they are told. A crash loop keeps back crashes, and never that
    the plugin is switched off in the end.
    """

    def __init__(self, policy: HooksPolicy) -> None:
        self._policy = policy
        self._rations: dict[tuple[PluginId, EventKind], Ration] = {}
        self._left_out: dict[PluginId, int] = {}

    def admits(self, event: Event, *, now: float) -> bool:
        """Whether hooks are told of this one. If not, it is counted."""
        whose = (event.plugin_id, event.kind)
        before = self._rations.get(whose, Ration(self._policy.burst, event.at))
        regained = max(0.0, event.at - before.at) / self._policy.interval
        left = min(float(self._policy.burst), before.left + regained)
        fits = left >= 1 and now - event.at <= SECONDS_TO_TELL
        self._rations[whose] = Ration(left - 1 if fits else left, event.at)
        if not fits:
            self._left_out[event.plugin_id] = self.left_out(event.plugin_id) + 1
        return fits

    def left_out(self, plugin_id: PluginId) -> int:
        """How many events of the plugin were left out and not yet mentioned."""
        return self._left_out.get(plugin_id, 0)

    def mentioned(self, plugin_id: PluginId) -> None:
        """What was left out is told with an event that was not."""
        self._left_out.pop(plugin_id, None)
