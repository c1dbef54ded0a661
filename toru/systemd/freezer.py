"""Tells when the processes of a unit stand still or go on. systemd sends no signal then (seen on 252); the kernel does.

The file cgroup.events of a cgroup counts as modified when it is frozen or thawed (cgroup-v2.rst, "frozen"). inotify(7)
sees that, with one descriptor for all plugins; Python has no other way to it than the C library.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections.abc import Callable
from pathlib import Path

from toru.domain.ids import PluginId
from toru.systemd import notify

_IN_MODIFY = 0x2
_EVENT = struct.Struct("iIII")
_LARGEST = 64 * 1024

# Where cgroup v2 is mounted: alone, or beside v1.
_MOUNTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))


class FreezerWatch:
    """Calls back with each plugin whose cgroup has changed; from the event loop."""

    def __init__(self, on_change: Callable[[PluginId], None]) -> None:
        self._on_change = on_change
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._inotify = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._inotify < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self._watches: dict[int, PluginId] = {}
        self._followed: dict[PluginId, tuple[str, int]] = {}
        asyncio.get_running_loop().add_reader(self._inotify, self._read)

    def follow(self, plugin_id: PluginId, run: str, control_group: str) -> None:
        """From now on for this run of the plugin, which is in this control group; "" for none."""
        if plugin_id in self._followed:
            known, watch = self._followed[plugin_id]
            if known == run and control_group:
                return
            del self._followed[plugin_id]
            # Gone by itself where the cgroup is; a cgroup that is used again has the same number.
            self._libc.inotify_rm_watch(self._inotify, watch)
            self._watches.pop(watch, None)
        if control_group:
            self._add(plugin_id, run, control_group)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._inotify)
        os.close(self._inotify)

    def _add(self, plugin_id: PluginId, run: str, control_group: str) -> None:
        for mount in _MOUNTS:
            path = os.fsencode(f"{mount}{control_group}/cgroup.events")
            watch = self._libc.inotify_add_watch(self._inotify, path, _IN_MODIFY)
            if watch >= 0:
                self._watches[watch] = plugin_id
                self._followed[plugin_id] = (run, watch)
                return
        # Without cgroup v2 there is no freezer either; and a process may be gone again by now.
        notify.log(notify.DEBUG, f"{plugin_id}: its cgroup can't be watched", TORU_PLUGIN=plugin_id)

    def _read(self) -> None:
        try:
            data = os.read(self._inotify, _LARGEST)
        except BlockingIOError:
            return
        at = 0
        while at < len(data):
            watch, _mask, _cookie, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size + length
            if (plugin_id := self._watches.get(watch)) is not None:
                self._on_change(plugin_id)
