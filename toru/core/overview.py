"""Every plugin with its manifest, the operator's wish and systemd's facts, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from toru.domain import places
from toru.domain.catalogue import Catalogue, Rejection
from toru.domain.errors import RejectedPlugin, UnknownPlugin
from toru.domain.ids import PluginId
from toru.domain.manifest import Manifest, Sandbox
from toru.domain.policy import Policy
from toru.domain.quantities import Limits
from toru.domain.state import NO_UNITS, Status, UnitFacts, status_of
from toru.domain.wishes import Wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginView:
    """All there is to know of a plugin."""

    id: PluginId
    manifest: Manifest | None
    """None: its units are loaded, but its file is gone or was rejected."""
    path: str | None
    enabled: bool
    status: Status
    facts: UnitFacts
    limits: Limits
    sandbox: Sandbox
    disabled_because: Mapping[str, Any] | None

    @property
    def current_run(self) -> str | None:
        """The invocation id of the run that has a process now."""
        service = self.facts.service
        return service.invocation_id if service is not None and service.main_pid else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    plugins: tuple[PluginView, ...]
    rejected: tuple[Rejection, ...]

    def plugin(self, plugin_id: PluginId) -> PluginView:
        """The plugin of this id, or an error that says what stands in its way."""
        for view in self.plugins:
            if view.id == plugin_id:
                return view
        for rejection in self.rejected:
            if rejection.id == plugin_id:
                raise RejectedPlugin(f"{rejection.file} was rejected: {rejection.reason}", id=plugin_id)
        raise UnknownPlugin(f"there is no plugin {plugin_id}", id=plugin_id)


def overview_of(
    catalogue: Catalogue, wishes: Wishes | None, policy: Policy, facts: Mapping[PluginId, UnitFacts]
) -> Overview:
    """One row for each accepted plugin, and for each whose units are loaded though its file is gone."""
    strays = sorted(facts.keys() - catalogue.by_id.keys())
    ids = [*catalogue.by_id, *strays]
    return Overview(
        plugins=tuple(
            view_of(plugin_id, catalogue, wishes, policy, facts.get(plugin_id, NO_UNITS)) for plugin_id in ids
        ),
        rejected=catalogue.rejected,
    )


def view_of(
    plugin_id: PluginId, catalogue: Catalogue, wishes: Wishes | None, policy: Policy, facts: UnitFacts
) -> PluginView:
    """One plugin. Ask only for one that is in the catalogue or has units."""
    plugin = catalogue.by_id.get(plugin_id)
    if wishes is None:
        enabled = facts != NO_UNITS  # nobody can say, so nothing is switched: what is up stays up
    else:
        # Units without a file were made for somebody who wanted them.
        enabled = wishes.enabled(plugin_id, auto_enable=policy.auto_enable or plugin is None)
    return PluginView(
        id=plugin_id,
        manifest=plugin.manifest if plugin else None,
        path=str(plugin.path) if plugin else None,
        enabled=enabled,
        status=status_of(facts, enabled=enabled),
        facts=facts,
        limits=policy.limits_for(plugin.manifest) if plugin else Limits(),
        sandbox=policy.sandbox_for(plugin.manifest) if plugin else Sandbox.DEFAULT,
        disabled_because=wishes.why_disabled(plugin_id) if wishes else None,
    )


def without_units(view: PluginView) -> PluginView:
    """The same plugin, disabled and without its units: what is left to say of one whose file is gone, too."""
    return replace(view, enabled=False, facts=NO_UNITS, status=status_of(NO_UNITS, enabled=False))


def read_catalogue() -> Catalogue:
    """What the last scan found; nothing where none has run since boot."""
    try:
        return Catalogue.parse(places.CATALOGUE.read_bytes())
    except (OSError, ValueError):
        return Catalogue()


def read_wishes(policy: Policy) -> Wishes | None:
    """What the operator wants; in the place of a corrupt file its last good copy, as toru-admin does; else None."""
    try:
        return Wishes.parse(places.wishes_file(policy.plugins_dir).read_bytes())
    except FileNotFoundError:
        return Wishes.none()
    except (OSError, ValueError):
        try:
            return Wishes.parse(places.last_good_wishes_file(policy.plugins_dir).read_bytes())
        except (OSError, ValueError):
            return None
