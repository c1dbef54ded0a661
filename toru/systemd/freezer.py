"""Tells when the processes of a unit stand still or go on. systemd sends no signal then (seen on 252); the kernel does.

The file cgroup.events of a cgroup counts as modified when it is frozen or thawed (cgroup-v2.rst, "frozen"). inotify(7)
sees that, with one descriptor for all plugins.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from toru.domain.ids import PluginId
from toru.systemd import notify
from toru.systemd.inotify import MODIFIED, Inotify

# Where cgroup v2 is mounted: alone, or beside v1.
_MOUNTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))


class FreezerWatch:
    """Calls back with each plugin whose cgroup has changed; from the event loop."""

    def __init__(self, on_change: Callable[[PluginId], None]) -> None:
        self._on_change = on_change
        self._inotify = Inotify(self._read)
        self._watches: dict[int, PluginId] = {}
        self._followed: dict[PluginId, tuple[str, int]] = {}

    def follow(self, plugin_id: PluginId, run: str, control_group: str) -> None:
        """From now on for this run of the plugin, which is in this control group; "" for none."""
        if plugin_id in self._followed:
            known, watch = self._followed[plugin_id]
            if known == run and control_group:
                return
            del self._followed[plugin_id]
            # Gone by itself where the cgroup is; a cgroup that is used again has the same number.
            self._inotify.forget(watch)
            self._watches.pop(watch, None)
        if control_group:
            self._add(plugin_id, run, control_group)

    def close(self) -> None:
        self._inotify.close()

    def _add(self, plugin_id: PluginId, run: str, control_group: str) -> None:
        for mount in _MOUNTS:
            watch = self._inotify.watch(f"{mount}{control_group}/cgroup.events", MODIFIED)
            if watch is not None:
                self._watches[watch] = plugin_id
                self._followed[plugin_id] = (run, watch)
                return
        # Without cgroup v2 there is no freezer either; and a process may be gone again by now.
        notify.log(notify.DEBUG, f"{plugin_id}: its cgroup can't be watched", TORU_PLUGIN=plugin_id)

    def _read(self) -> None:
        for watch, _ in self._inotify.read():
            if (plugin_id := self._watches.get(watch)) is not None:
                self._on_change(plugin_id)
