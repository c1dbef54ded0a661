"""Carries out what a person wishes of a plugin, and returns what has become of it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import assert_never

from toru.core.lifecycle import Lifecycle
from toru.core.observer import Observer
from toru.core.overview import PluginView, without_units
from toru.core.plugins import Plugins
from toru.domain.errors import RejectedPlugin, SystemdRefused, UnknownPlugin, WrongState
from toru.domain.ids import PluginId
from toru.domain.state import State
from toru.systemd.bus import Bus


class Wish(StrEnum):
    ENABLE = "enable"
    DISABLE = "disable"
    RESTART = "restart"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    """Whatever gives a plugin that failed another chance, now."""


class Wishing:
    """`bus` is the connection to systemd that is open now, or raises `SystemdRefused`."""

    def __init__(self, plugins: Plugins, observer: Observer, bus: Callable[[], Bus]) -> None:
        self._plugins = plugins
        self._observer = observer
        self._bus = bus

    async def carry_out(self, wish: Wish, plugin_id: PluginId) -> PluginView:
        """Returns when systemd has finished. Whoever is not known is an error before systemd is asked."""
        view = self._plugins.view(plugin_id)
        bus = self._bus()
        try:
            await act(Lifecycle(bus), wish, view)
        finally:
            # Its signals are on their way; but who asked wants to see now what there is to see.
            await self._look_at(bus, plugin_id)
        try:
            return self._plugins.view(plugin_id)
        except (UnknownPlugin, RejectedPlugin):
            return without_units(view)  # its file was gone already, and now its units are

    async def _look_at(self, bus: Bus, plugin_id: PluginId) -> None:
        try:
            await self._observer.look_at(bus, plugin_id)
        except SystemdRefused:
            return  # the observer learns it over the next connection


async def act(lifecycle: Lifecycle, wish: Wish, view: PluginView) -> None:
    """Has systemd do what is wished of the plugin in this view; `WrongState` where that makes no sense of it."""
    match wish:
        case Wish.ENABLE:
            await lifecycle.enable(view.id)
        case Wish.DISABLE:
            await lifecycle.disable(view.id)
        case Wish.RESTART:
            await lifecycle.restart(view.id)
        case Wish.PAUSE:
            if view.status.state is not State.RUNNING:
                raise WrongState(f"{view.id} is {view.status.state}: only what runs can be paused", id=view.id)
            await lifecycle.pause(view.id)
        case Wish.RESUME:
            if view.status.state is not State.PAUSED:
                raise WrongState(f"{view.id} is {view.status.state}, not paused", id=view.id)
            await lifecycle.resume(view.id)
        case Wish.RETRY:
            await _retry(lifecycle, view)
        case _:
            assert_never(wish)


async def _retry(lifecycle: Lifecycle, view: PluginView) -> None:
    if view.status.state is State.BACKING_OFF:
        await lifecycle.restart(view.id)
    elif view.disabled_because is not None or (view.enabled and view.status.state in {State.FAILED, State.STOPPED}):
        await lifecycle.enable(view.id)
    else:
        raise WrongState(f"{view.id} is {view.status.state}: there is nothing to try again", id=view.id)
