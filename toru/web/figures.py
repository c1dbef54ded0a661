"""What plugins used over the last hour; what they use now comes by the live stream."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from toru.core.history import History
from toru.core.plugins import Plugins
from toru.web.answers import json_answer
from toru.web.caller import AnyCaller
from toru.web.parameters import IdInPath
from toru.web.plugins import check_may_see


class FiguresAnswer(BaseModel):
    """Columns of the same length, oldest first. null: not measured at that time, or not at all on this host."""

    at: list[float] = Field(description="seconds since 1970")
    memory_bytes: list[float | None]
    tasks: list[float | None]
    cpu_percent: list[float | None] = Field(description="of one processor, since the time before")

    model_config = ConfigDict(extra="forbid")


def router(plugins: Plugins, history: History) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["figures"])

    @routes.get("/figures", response_model=FiguresAnswer)
    async def total_figures(caller: AnyCaller) -> Any:
        """All plugins together that the caller may see."""
        seen = [view.id for view in plugins.overview().plugins if caller.may_see(view.id)]
        return json_answer(asdict(history.total(seen)))

    @routes.get("/plugins/{plugin_id}/figures", response_model=FiguresAnswer)
    async def plugin_figures(plugin_id: IdInPath, caller: AnyCaller) -> Any:
        """One plugin."""
        check_may_see(caller, plugin_id)
        plugins.view(plugin_id)  # an error for one that nobody knows
        return json_answer(asdict(history.course(plugin_id)))

    return routes
