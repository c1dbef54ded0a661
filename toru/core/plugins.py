"""All plugins as they are now, in memory: no question about them has to wait for systemd or the disk.

Facts come from the observer, and catalogue and wishes from their files, which are read again when they have changed.
The kernel says when they have, whoever changed them; and every question looks as well (a few stat(2), which is all that
a question costs), so that nobody is told what was true a moment ago.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toru.core.overview import Overview, PluginView, read_catalogue, read_wishes, view_of
from toru.core.pacing import Pacing
from toru.domain import places
from toru.domain.catalogue import Catalogue, Rejection
from toru.domain.ids import PluginId
from toru.domain.policy import Policy
from toru.domain.state import NO_UNITS, State, UnitFacts
from toru.domain.wishes import Wishes
from toru.systemd import notify
from toru.systemd.inotify import changes

Identity = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a plugin uses. None: not measured on this host."""

    memory_bytes: int | None
    tasks: int | None
    cpu_seconds: float | None


class Plugins:
    """The overview, kept true; for the event loop alone. `on_view` and `on_rejected` are told of every change."""

    def __init__(
        self,
        policy: Policy,
        pacing: Pacing,
        *,
        on_view: Callable[[PluginId, PluginView | None], None],
        on_rejected: Callable[[tuple[Rejection, ...]], None],
    ) -> None:
        self._policy = policy
        self._pacing = pacing
        self._on_view = on_view
        self._on_rejected = on_rejected
        self._files = (
            places.CATALOGUE,
            places.wishes_file(policy.plugins_dir),
            places.last_good_wishes_file(policy.plugins_dir),
        )
        self._read: tuple[Identity | None, ...] | None = None
        self._catalogue = Catalogue()
        self._wishes: Wishes | None = None
        self._facts: dict[PluginId, UnitFacts] = {}
        self._figures: dict[PluginId, Figures] = {}
        self._views: dict[PluginId, PluginView] = {}
        self._overview: Overview | None = None
        self.look_at_files()

    def overview(self) -> Overview:
        """Every plugin and every rejected file."""
        self.look_at_files()
        if self._overview is None:
            strays = sorted(self._views.keys() - self._catalogue.by_id.keys())
            self._overview = Overview(
                plugins=tuple(self._views[plugin_id] for plugin_id in [*self._catalogue.by_id, *strays]),
                rejected=self._catalogue.rejected,
            )
        return self._overview

    def view(self, plugin_id: PluginId) -> PluginView:
        """The plugin of this id, or `UnknownPlugin` or `RejectedPlugin`, with what stands in its way."""
        self.look_at_files()
        if (view := self._views.get(plugin_id)) is not None:
            return view
        return self.overview().plugin(plugin_id)

    def see(self, plugin_id: PluginId, facts: UnitFacts) -> None:
        """Takes note of what systemd says of a plugin."""
        if facts == NO_UNITS:
            self._facts.pop(plugin_id, None)
        else:
            self._facts[plugin_id] = facts
        self._figures.pop(plugin_id, None)  # what systemd said with them is newer
        self.look_at_files()
        self._look_at(plugin_id, told=True)

    def note_figures(self, figures: Mapping[PluginId, Figures]) -> None:
        """Takes note of what plugins use now. That is no change anybody is told of."""
        self._figures = dict(figures)
        for plugin_id in figures:
            self._look_at(plugin_id, told=False)

    def look_at_files(self) -> None:
        """Reads catalogue and wishes again, if they have changed."""
        now = tuple(_identity(file) for file in self._files)
        if now == self._read:
            return
        at_first = self._read is None
        # As they were before they were read: what changes meanwhile is found at the next look.
        self._read = now
        before, self._catalogue = self._catalogue, read_catalogue()
        self._wishes = read_wishes(self._policy)
        for plugin_id in self._views.keys() | self._catalogue.by_id.keys():
            self._look_at(plugin_id, told=not at_first)
        if self._catalogue.rejected != before.rejected and not at_first:
            self._on_rejected(self._catalogue.rejected)
        self._overview = None

    async def watch_files(self) -> None:
        """For ever: whoever writes the files, everybody who watches is told of it."""
        directories = {file.parent for file in self._files} | {self._policy.plugins_dir}
        try:
            async for _ in changes(sorted(directories)):
                self.look_at_files()
        except OSError as error:
            notify.log(notify.WARNING, f"what is written to {self._files[1]} by hand is seen late: {error}")

    def running(self) -> Iterable[PluginId]:
        """Those that have a process, and so figures."""
        busy = {State.RUNNING, State.PAUSED, State.STARTING, State.STOPPING}
        return [plugin_id for plugin_id, view in self._views.items() if view.status.state in busy]

    def _look_at(self, plugin_id: PluginId, *, told: bool) -> None:
        before, now = self._views.get(plugin_id), self._view(plugin_id)
        if before == now:
            return
        self._overview = None
        if now is None:
            del self._views[plugin_id]
        else:
            self._views[plugin_id] = now
        if told and (before is None or now is None or _without_figures(before) != _without_figures(now)):
            self._on_view(plugin_id, now)

    def _view(self, plugin_id: PluginId) -> PluginView | None:
        facts = self._facts.get(plugin_id, NO_UNITS)
        if facts == NO_UNITS and plugin_id not in self._catalogue.by_id:
            return None
        if facts.service is not None:
            service = facts.service
            if (figures := self._figures.get(plugin_id)) is not None:
                service = replace(
                    service, memory_bytes=figures.memory_bytes, tasks=figures.tasks, cpu_seconds=figures.cpu_seconds
                )
            # Before 254 the core restarts too, earlier than systemd would, and systemd counts only its own restarts.
            service = replace(service, restarts=service.restarts + self._pacing.restarts(plugin_id))
            facts = replace(facts, service=service)
        view = view_of(plugin_id, self._catalogue, self._wishes, self._policy, facts)
        next_try = self._pacing.next_try_at(plugin_id)
        if view.status.state is State.BACKING_OFF and next_try is not None:
            view = replace(view, status=replace(view.status, retry_at=next_try))
        return view


def _without_figures(view: PluginView) -> PluginView:
    """As far as a change of it is news. What a plugin uses changes all the time, and is told otherwise."""
    if view.facts.service is None:
        return view
    service = replace(view.facts.service, memory_bytes=None, tasks=None, cpu_seconds=None)
    return replace(view, facts=replace(view.facts, service=service))


def _identity(file: Path) -> Identity | None:
    """What changes whenever the file does; None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
