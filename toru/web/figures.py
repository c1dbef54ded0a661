"""What plugins did over the last hour, and how their host does; what they use now comes by the live stream."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from toru.core.history import History
from toru.core.host import Host
from toru.core.plugins import Plugins
from toru.domain.people import Role
from toru.web.answers import json_answer
from toru.web.caller import AdminCaller, AnyCaller
from toru.web.parameters import IdInPath
from toru.web.plugins import check_may_see


class FiguresAnswer(BaseModel):
    """Columns of the same length, oldest first. null: not measured at that time, or not at all on this host."""

    at: list[float] = Field(description="seconds since 1970")
    memory_bytes: list[float | None]
    tasks: list[float | None]
    cpu_percent: list[float | None] = Field(description="of one processor, since the time before")
    requests_per_second: list[float | None] = Field(description="answered or given up, since the time before")
    errors_per_second: list[float | None] = Field(description="those answered with 5xx")
    restarts: list[float | None] = Field(description="how many, since the time before")

    model_config = ConfigDict(extra="forbid")


class DiskRow(BaseModel):
    """A file system on which plugins have something."""

    paths: list[str]
    total_bytes: int
    available_bytes: int

    model_config = ConfigDict(extra="forbid")


class EnvelopeRow(BaseModel):
    """What all plugins use together: systemd's figures of toru-plugins.slice."""

    memory_bytes: int | None
    tasks: int | None
    cpu_seconds: float | None
    cpu_percent: float | None = Field(description="of one processor")

    model_config = ConfigDict(extra="forbid")


class HostAnswer(BaseModel):
    """The host as it was seen last. null: it doesn't say."""

    at: float = Field(description="seconds since 1970")
    hostname: str
    system: str
    uptime_seconds: float
    processors: int
    cpu_percent: float | None = Field(description="of all processors together")
    load: list[float] | None = Field(description="over 1, 5 and 15 minutes")
    memory_total_bytes: int | None
    memory_available_bytes: int | None
    disks: list[DiskRow]
    plugins: EnvelopeRow

    model_config = ConfigDict(extra="forbid")


def router(plugins: Plugins, history: History, host: Host) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["figures"])

    @routes.get("/figures", response_model=FiguresAnswer)
    async def total_figures(caller: AnyCaller) -> Any:
        """All plugins together that the caller may see."""
        everything = caller.role is Role.ADMIN or caller.grants is None
        return json_answer(asdict(history.total(None if everything else caller.grants)))

    @routes.get("/plugins/{plugin_id}/figures", response_model=FiguresAnswer)
    async def plugin_figures(plugin_id: IdInPath, caller: AnyCaller) -> Any:
        """One plugin."""
        check_may_see(caller, plugin_id)
        plugins.view(plugin_id)  # an error for one that nobody knows
        return json_answer(asdict(history.course(plugin_id)))

    @routes.get("/host", response_model=HostAnswer)
    async def host_figures(caller: AdminCaller) -> Any:  # noqa: ARG001  (only admins get here)
        """The host, and what all plugins use together."""
        return json_answer(asdict(host.figures))

    return routes
