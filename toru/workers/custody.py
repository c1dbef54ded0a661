"""Whose plugin is whose: at any time one process has it, or none while it changes hands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Protocol

from toru.domain.ids import PluginId
from toru.gateway.targets import Availability, Target

CORE = "core"
"""Among the names of workers; none of theirs is this one, for they are numbers or the like."""


class Hands(Protocol):
    """What custody wants done."""

    def give(self, name: str, target: Target) -> None:
        """This process has the plugin from now on, as it is now; or it has it, and the plugin has changed."""

    def drop(self, name: str, plugin_id: PluginId) -> None:
        """The plugin is no more."""

    def ask_back(self, name: str, plugin_id: PluginId) -> None:
        """It shall let go of the plugin. `Custody.let_go` says when it has."""


class Custody:
    """Decides, and has it done by `hands`; from `begin` on."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._members: set[str] = {CORE}
        self._targets: dict[PluginId, Target] = {}
        self._holders: dict[PluginId, str] = {}
        self._asked_back: set[PluginId] = set()
        self._given: dict[PluginId, tuple[str, Target]] = {}
        """As last told."""
        self._has_begun = False

    def begin(self) -> None:
        """Everybody and everything is known that was there before."""
        self._has_begun = True
        self._settle_all()

    @property
    def targets(self) -> Mapping[PluginId, Target]:
        """Plugins that have a route."""
        return self._targets

    def holder(self, plugin_id: PluginId) -> str | None:
        """Who serves it. None: nobody for now."""
        return None if plugin_id in self._asked_back else self._holders.get(plugin_id)

    def aim(self, plugin_id: PluginId, target: Target | None) -> None:
        """A plugin as it is from now on; None or OFF: there is no such route."""
        if target is None or target.availability is Availability.OFF:
            self._targets.pop(plugin_id, None)
            self._drop(plugin_id)
            return
        self._targets[plugin_id] = target
        self._settle(plugin_id)

    def joined(self, name: str, has: Iterable[PluginId]) -> None:
        """A worker is there, with these plugins from before."""
        self._members.add(name)
        for plugin_id in has:
            if self._holders.setdefault(plugin_id, name) != name:
                self._hands.drop(name, plugin_id)  # it was away, and somebody else has it since
        self._settle_all()

    def leaves(self, name: str, has: Iterable[PluginId] = ()) -> None:
        """It is to have no plugin any more, but has these still."""
        self._members.discard(name)
        for plugin_id in has:
            if self._holders.setdefault(plugin_id, name) == name:
                self._ask_back(plugin_id)
        self._settle_all()

    def gone(self, name: str) -> None:
        """It is no more, and what it had is nobody's."""
        self._members.discard(name)
        for plugin_id in [it for it, holder in self._holders.items() if holder == name]:
            self.let_go(plugin_id, name)
        self._settle_all()

    def let_go(self, plugin_id: PluginId, name: str) -> None:
        """It has let go of this plugin."""
        if self._holders.get(plugin_id) == name:
            del self._holders[plugin_id]
            self._asked_back.discard(plugin_id)
            self._given.pop(plugin_id, None)
            self._settle(plugin_id)

    def _settle_all(self) -> None:
        for plugin_id in list(self._targets):
            self._settle(plugin_id)
        for plugin_id in self._holders.keys() - self._targets.keys():
            self._settle(plugin_id)

    def _settle(self, plugin_id: PluginId) -> None:
        if plugin_id in self._asked_back or not self._has_begun:
            return
        if (target := self._targets.get(plugin_id)) is None:
            self._drop(plugin_id)
            return
        owner = owner_of(plugin_id, self._members)
        if self._holders.setdefault(plugin_id, owner) != owner:
            self._ask_back(plugin_id)
        elif self._given.get(plugin_id) != (owner, target):
            self._given[plugin_id] = owner, target
            self._hands.give(owner, target)

    def _drop(self, plugin_id: PluginId) -> None:
        self._given.pop(plugin_id, None)
        if (holder := self._holders.get(plugin_id)) is not None:
            self._hands.drop(holder, plugin_id)
            if plugin_id not in self._asked_back:
                del self._holders[plugin_id]

    def _ask_back(self, plugin_id: PluginId) -> None:
        if plugin_id not in self._asked_back:
            self._asked_back.add(plugin_id)
            self._given.pop(plugin_id, None)
            self._hands.ask_back(self._holders[plugin_id], plugin_id)


def owner_of(plugin_id: PluginId, members: Iterable[str]) -> str:
    """Highest random weight: when somebody comes or goes, only what becomes or was his moves."""
    return max(members, key=lambda name: hashlib.blake2b(f"{name}/{plugin_id}".encode(), digest_size=8).digest())
