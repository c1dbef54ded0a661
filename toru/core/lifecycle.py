"""Carries the operator's wishes to systemd, and says how it went.

A wish is the start of a unit (toru-enable@ID.service) that runs toru-admin as root; polkit decides who may. Nothing is
returned before systemd has finished.
"""

from __future__ import annotations

from contextlib import suppress

from toru.domain.errors import NotEnabled, SystemdRefused, ToruError
from toru.domain.ids import PluginId
from toru.domain.state import last_end
from toru.systemd import wire
from toru.systemd.bus import Bus
from toru.systemd.observe import read_plugin

WISH_WITHIN = 90.0
"""The units end by themselves long before (TimeoutStartSec=60); this is for a systemd that does not answer."""


class WishFailed(ToruError):
    """systemd tried, and this is what went wrong."""

    code = "wish-failed"


class Lifecycle:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def enable(self, plugin_id: PluginId) -> None:
        """On, now and at every boot. Returns when the plugin's socket listens; `WishFailed` says why it does not."""
        await self._wish(plugin_id.enable_unit)

    async def disable(self, plugin_id: PluginId) -> None:
        """Off, until somebody enables it. Returns when nothing of the plugin runs any more."""
        await self._wish(plugin_id.disable_unit)

    async def restart(self, plugin_id: PluginId) -> None:
        """A fresh process with a clean slate. The socket goes on listening, so that no request is lost."""
        try:
            # Without it, restarts on request would count as failures (StartLimitBurst=).
            await self._bus.manage("ResetFailedUnit", "s", plugin_id.service)
            result = await self._bus.job("RestartUnit", plugin_id.service, WISH_WITHIN)
            if result == "frozen":  # 252 restarts what is paused; newer versions (seen on 257) refuse to
                await self.resume(plugin_id)
                result = await self._bus.job("RestartUnit", plugin_id.service, WISH_WITHIN)
        except SystemdRefused as refusal:
            if refusal.facts.get("error_name") == f"{wire.SERVICE}.NoSuchUnit":
                raise NotEnabled(f"{plugin_id} is not running: enable it first", id=plugin_id) from refusal
            raise
        if result != "done":
            service = (await read_plugin(self._bus, plugin_id)).service
            end = last_end(service) if service is not None else None
            raise WishFailed(f"{plugin_id} did not restart: {end or f'the job ended as {result}'}", id=plugin_id)

    async def pause(self, plugin_id: PluginId) -> None:
        """Every process of the plugin stands still where it is. Requests wait."""
        await self._wish(plugin_id.pause_unit)

    async def resume(self, plugin_id: PluginId) -> None:
        """A paused plugin goes on where it stood."""
        await self._wish(plugin_id.resume_unit)

    async def _wish(self, unit: str) -> None:
        result = await self._bus.job("StartUnit", unit, WISH_WITHIN)
        if result == "done":
            return
        said = await self._bus.unit_property(unit, wire.interface_of(unit), "StatusText")
        with suppress(SystemdRefused):  # for root it need not stay among the host's failed units; others may not
            await self._bus.manage("ResetFailedUnit", "s", unit)
        raise WishFailed(said or f"{unit} ended as {result}; see journalctl -u {unit}")
