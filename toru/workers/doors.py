"""Ways from the core to plugins that others serve: one for each, open while somebody has the plugin."""

from __future__ import annotations

from collections.abc import Mapping

from toru.domain.ids import PluginId
from toru.gateway.elsewhere import Elsewhere, Exit
from toru.gateway.gateway import Gateway
from toru.gateway.routes import name_in
from toru.workers.custody import CORE, Custody


class Doors:
    def __init__(self, gateway: Gateway, custody: Custody) -> None:
        self._gateway = gateway
        self._custody = custody
        self._of: dict[PluginId, Elsewhere] = {}
        self._by_name: dict[bytes, Elsewhere] = {}
        self.shadowed: frozenset[PluginId] = frozenset()
        """Plugins whose id is the route of another one, and leads there."""
        gateway.on_look = self._look

    def lay(self, workers: Mapping[str, Exit]) -> None:
        """As custody has it now, with these workers."""
        if not workers and not self._of:
            return  # there is the core alone
        targets = self._custody.targets
        holders = {plugin_id: self._custody.holder(plugin_id) for plugin_id in targets}
        elsewhere = {plugin_id for plugin_id, holder in holders.items() if holder != CORE}
        for plugin_id in elsewhere:
            door = self._of.setdefault(plugin_id, Elsewhere())
            if (holder := holders[plugin_id]) is None:
                door.shut()
            else:
                door.open(workers[holder])
        no_more = [self._of.pop(plugin_id) for plugin_id in self._of.keys() - elsewhere]
        names = {plugin_id.encode(): plugin_id for plugin_id in targets}
        names |= {target.route[1:].encode(): plugin_id for plugin_id, target in targets.items()}
        self._name({name: self._of[plugin_id] for name, plugin_id in names.items() if plugin_id in self._of})
        shadowed = frozenset(it for it in targets if names[it.encode()] != it)
        if shadowed != self.shadowed:
            self.shadowed = shadowed
            self._gateway.shadow(shadowed)
        for door in no_more:
            door.bring_back()

    def _name(self, by_name: dict[bytes, Elsewhere]) -> None:
        if by_name.keys() != self._by_name.keys():
            self._gateway.reception.forget()
        self._by_name = by_name
        self._gateway.beyond = self._beyond if by_name else None

    def _beyond(self, target: bytes) -> Elsewhere | None:
        name = name_in(target)
        return None if name is None else self._by_name.get(name)

    def _look(self, now: float) -> None:
        for door in list(self._of.values()):
            door.look(now)
