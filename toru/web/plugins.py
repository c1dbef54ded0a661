"""Plugins: what there is, how it does, and what people wish of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from toru.core import rows
from toru.core.overview import PluginView
from toru.core.plugins import Plugins
from toru.core.traffic import AllTraffic
from toru.core.wishing import Wish, Wishing
from toru.domain.errors import UnknownPlugin
from toru.domain.ids import PluginId
from toru.domain.manifest import Activation, Protocol, Sandbox, Start
from toru.domain.state import Health, State
from toru.web import problems
from toru.web.answers import json_answer
from toru.web.caller import AdminCaller, AnyCaller, Caller
from toru.web.parameters import IdInPath


class LimitsRow(BaseModel):
    memory_bytes: int | None
    tasks: int | None
    cpu_percent: int | None


class PluginRow(BaseModel):
    """A plugin. null: not known, or none."""

    id: str
    name: str
    version: str | None
    author: str | None
    icon: str | None
    route: str | None
    enabled: bool
    running: bool
    health: Health
    pid: int | None
    socket_path: str
    state: State
    reason: str | None
    retry_in_seconds: float | None
    restarts: int
    last_end: str | None
    description: str | None
    homepage: str | None
    protocol: Protocol | None
    activation: Activation | None
    start: Start | None
    private_socket_path: str | None
    sandbox: Sandbox
    sandbox_asked: Sandbox | None
    limits: LimitsRow
    memory_bytes: int | None
    tasks: int | None
    cpu_seconds: float | None
    requests: int | None
    request_errors: int | None
    requests_in_flight: int | None
    unit: str
    socket_unit: str
    path: str | None
    changed_at: float | None
    invocation_id: str | None
    disabled_because: dict[str, Any] | None

    model_config = ConfigDict(extra="forbid")


class WishAnswer(PluginRow):
    """What has become of a wish: the plugin as it is now."""

    success: bool


class RejectionRow(BaseModel):
    """A file that is no plugin, and why."""

    file: str
    reason: str
    id: str | None

    model_config = ConfigDict(extra="forbid")


def router(plugins: Plugins, wishing: Wishing, traffic: AllTraffic) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["plugins"])

    def row(view: PluginView) -> dict[str, Any]:
        return rows.plugin_row(view, now=time.time(), traffic=traffic.of(view.id))

    @routes.get("/plugins", response_model=list[PluginRow])
    async def list_plugins(caller: AnyCaller) -> Any:
        """Every plugin that the caller may see."""
        return json_answer([row(view) for view in plugins.overview().plugins if caller.may_see(view.id)])

    @routes.get("/rejected", response_model=list[RejectionRow])
    async def list_rejected(caller: AdminCaller) -> Any:  # noqa: ARG001  (only admins get here)
        """Every file of the plugins directory that is no plugin, and why."""
        return json_answer([rows.rejection_row(rejection) for rejection in plugins.overview().rejected])

    @routes.get("/plugins/{plugin_id}", response_model=PluginRow)
    async def get_plugin(plugin_id: IdInPath, caller: AnyCaller) -> Any:
        """One plugin."""
        check_may_see(caller, plugin_id)
        return json_answer(row(plugins.view(plugin_id)))

    _add_wishes(routes, wishing, row)
    return routes


def check_may_see(caller: Caller, plugin_id: PluginId) -> None:
    """For those to whom a plugin was not granted it does not exist."""
    if not caller.may_see(plugin_id):
        raise UnknownPlugin(f"there is no plugin {plugin_id}", id=plugin_id)


def _add_wishes(routes: APIRouter, wishing: Wishing, row: Callable[[PluginView], dict[str, Any]]) -> None:
    async def carried_out(wish: Wish, plugin_id: PluginId) -> Any:
        view = await wishing.carry_out(wish, plugin_id)
        return json_answer({"success": True, **row(view)})

    @routes.post("/plugins/{plugin_id}/enable", response_model=WishAnswer, responses=problems.documented(409, 502))
    async def enable(plugin_id: IdInPath, caller: AdminCaller) -> Any:  # noqa: ARG001  (only admins get here)
        """Switch a plugin on, now and at every boot. Answers when its socket listens, or says why it does not."""
        return await carried_out(Wish.ENABLE, plugin_id)

    @routes.post("/plugins/{plugin_id}/disable", response_model=WishAnswer, responses=problems.documented(409, 502))
    async def disable(plugin_id: IdInPath, caller: AdminCaller) -> Any:  # noqa: ARG001  (the same)
        """Switch a plugin off, until somebody enables it. Answers when nothing of it runs any more."""
        return await carried_out(Wish.DISABLE, plugin_id)

    @routes.post("/plugins/{plugin_id}/restart", response_model=WishAnswer, responses=problems.documented(409, 502))
    async def restart(plugin_id: IdInPath, caller: AdminCaller) -> Any:  # noqa: ARG001  (the same)
        """Give a plugin a fresh process and a clean slate. Requests wait meanwhile; none is lost."""
        return await carried_out(Wish.RESTART, plugin_id)

    @routes.post("/plugins/{plugin_id}/pause", response_model=WishAnswer, responses=problems.documented(409, 502))
    async def pause(plugin_id: IdInPath, caller: AdminCaller) -> Any:  # noqa: ARG001  (the same)
        """Let every process of a plugin stand still where it is. Requests wait."""
        return await carried_out(Wish.PAUSE, plugin_id)

    @routes.post("/plugins/{plugin_id}/resume", response_model=WishAnswer, responses=problems.documented(409, 502))
    async def resume(plugin_id: IdInPath, caller: AdminCaller) -> Any:  # noqa: ARG001  (the same)
        """Let a paused plugin go on where it stood."""
        return await carried_out(Wish.RESUME, plugin_id)

    @routes.post("/plugins/{plugin_id}/retry", response_model=WishAnswer, responses=problems.documented(409, 502))
    async def retry(plugin_id: IdInPath, caller: AdminCaller) -> Any:  # noqa: ARG001  (the same)
        """Try again now: enable what was disabled by its failures, restart what waits for its next try."""
        return await carried_out(Wish.RETRY, plugin_id)
