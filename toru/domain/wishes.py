"""Which plugins the operator wants: the contents of `.metadata/config.json`.

    {"plugins": {"<id>": true|false}, "disabled_because": {"<id>": {…}}}

`plugins` is a contract that other programs rely on. `disabled_because` is Toru's own: why a plugin was switched off
without anybody asking. Unknown keys, at every level, are kept as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toru.domain.ids import PluginId


@dataclass(frozen=True, slots=True)
class Wishes:
    content: Mapping[str, Any]

    @classmethod
    def none(cls) -> Wishes:
        """What holds where there is no file yet."""
        return cls({"plugins": {}})

    @classmethod
    def parse(cls, text: bytes) -> Wishes:
        """The wishes in a file, or ValueError with what is wrong with it."""
        try:
            content = json.loads(text.decode())
        except (ValueError, RecursionError) as mistake:
            raise ValueError(f"it is not JSON ({mistake})") from None
        if not isinstance(content, dict):
            raise ValueError("it is not a JSON object")
        plugins = content.setdefault("plugins", {})
        if not isinstance(plugins, dict):
            raise ValueError('its "plugins" is not an object')
        for plugin_id, wanted in plugins.items():
            if not isinstance(wanted, bool):
                raise ValueError(f'its "plugins" says {wanted!r} for {plugin_id!r}, neither true nor false')
        return cls(content)

    def format(self) -> bytes:
        # A lone surrogate, which UTF-8 can't say, stays the escape it was.
        return json.dumps(self.content, indent=2, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"

    def enabled(self, plugin_id: PluginId, *, auto_enable: bool) -> bool:
        """Whether the plugin is wanted; one that nobody has decided on follows `auto_enable`."""
        wanted: bool = self.content["plugins"].get(plugin_id, auto_enable)
        return wanted

    def names(self, plugin_id: PluginId) -> bool:
        """Whether anybody has decided on this plugin."""
        return plugin_id in self.content["plugins"]

    def why_disabled(self, plugin_id: PluginId) -> Mapping[str, Any] | None:
        """Why Toru switched it off, where it did."""
        because = self._because().get(plugin_id)
        return because if isinstance(because, dict) else None

    def with_enabled(self, plugin_id: PluginId) -> Wishes:
        return self._with(plugin_id, wanted=True, because=None)

    def with_disabled(self, plugin_id: PluginId, because: Mapping[str, Any] | None = None) -> Wishes:
        return self._with(plugin_id, wanted=False, because=because)

    def _with(self, plugin_id: PluginId, *, wanted: bool, because: Mapping[str, Any] | None) -> Wishes:
        content = {**self.content, "plugins": {**self.content["plugins"], str(plugin_id): wanted}}
        reasons = {known: reason for known, reason in self._because().items() if known != plugin_id}
        if because is not None:
            reasons[str(plugin_id)] = dict(because)
        if reasons:
            content["disabled_because"] = reasons
        else:
            content.pop("disabled_because", None)
        return Wishes(content)

    def _because(self) -> Mapping[str, Any]:
        because = self.content.get("disabled_because")
        return because if isinstance(because, dict) else {}
