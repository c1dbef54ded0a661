"""Which files of the plugins directory are plugins, and why the others are not.

`toru-admin scan` writes it, everybody else reads it (`/run/toru/catalogue.json`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from toru.domain.errors import InvalidId, InvalidManifest, RejectedPlugin, UnknownPlugin
from toru.domain.ids import PluginId
from toru.domain.manifest import Manifest, manifest_as_said, manifest_from

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An accepted file."""

    manifest: Manifest
    path: Path

    @property
    def id(self) -> PluginId:
        return self.manifest.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A file that is no plugin, and why. `id` where it got so far as to say one."""

    file: str
    reason: str
    id: PluginId | None = None


@dataclass(frozen=True)
class Catalogue:
    plugins: tuple[Plugin, ...] = ()
    rejected: tuple[Rejection, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[PluginId, Plugin]:
        return {plugin.id: plugin for plugin in self.plugins}

    def plugin(self, plugin_id: PluginId) -> Plugin:
        """The accepted plugin of this id, or an error that says what stands in its way."""
        if (plugin := self.by_id.get(plugin_id)) is not None:
            return plugin
        for rejection in self.rejected:
            if rejection.id == plugin_id:
                raise RejectedPlugin(f"{rejection.file} was rejected: {rejection.reason}", id=plugin_id)
        raise UnknownPlugin(f"there is no plugin {plugin_id}", id=plugin_id)

    def format(self) -> bytes:
        content = {
            "format": FORMAT,
            "plugins": [{"path": str(plugin.path), **manifest_as_said(plugin.manifest)} for plugin in self.plugins],
            "rejected": [
                {"file": rejection.file, "reason": rejection.reason, "id": rejection.id} for rejection in self.rejected
            ],
        }
        return json.dumps(content, indent=1, ensure_ascii=False).encode(errors="backslashreplace")

    @classmethod
    def parse(cls, text: bytes) -> Catalogue:
        """What `format` wrote. ValueError for anything else, such as a catalogue of another version of Toru."""
        try:
            content: Any = json.loads(text)
            if content["format"] != FORMAT:
                raise ValueError(f"a catalogue of format {content['format']!r}, not {FORMAT}")
            return cls(
                plugins=tuple(
                    Plugin(manifest=manifest_from(row), path=Path(row["path"])) for row in content["plugins"]
                ),
                rejected=tuple(
                    Rejection(file=row["file"], reason=row["reason"], id=row["id"] and PluginId(row["id"]))
                    for row in content["rejected"]
                ),
            )
        except (KeyError, TypeError, AttributeError, RecursionError, InvalidId, InvalidManifest) as mistake:
            raise ValueError(f"not a catalogue ({mistake!r})") from mistake


def catalogue_of(accepted: Iterable[Plugin], rejected: Iterable[Rejection], before: Catalogue) -> Catalogue:
    """One plugin for an id and for a route.

    Where two files claim the same, the one that had it before keeps it, so that neither a newcomer nor a plugin that
    changes its route can push a serving one aside; among equals the first by file name.
    """
    had = {plugin.path: plugin.manifest for plugin in before.plugins}

    def kept(plugin: Plugin) -> int:
        earlier = had.get(plugin.path)
        return 0 if earlier is None else (plugin.id == earlier.id) + (plugin.manifest.route == earlier.route)

    owners: dict[str, Plugin] = {}
    plugins: list[Plugin] = []
    rejections = list(rejected)
    for plugin in sorted(accepted, key=lambda it: (-kept(it), it.path)):
        claims = {"id": str(plugin.id), "route": plugin.manifest.route}
        taken = [f"{kind} {claim}" for kind, claim in claims.items() if f"{kind} {claim}" in owners]
        if taken:
            owner = owners[taken[0]].path.name
            reason = f"{' and '.join(taken)} already belong{'s' if len(taken) == 1 else ''} to {owner}"
            rejections.append(Rejection(file=plugin.path.name, reason=reason, id=plugin.id))
            continue
        owners.update({f"{kind} {claim}": plugin for kind, claim in claims.items()})
        plugins.append(plugin)
    return Catalogue(
        plugins=tuple(sorted(plugins, key=lambda it: it.id)),
        rejected=tuple(sorted(rejections, key=lambda it: it.file)),
    )
