"""Why a plugin is as it is: its last run, how that ended, and what it wrote last. For admins."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from toru.core import rows
from toru.core.journals import Journals
from toru.core.logs import LogQuery
from toru.core.plugins import Plugins
from toru.core.why import LINES_OF_A_RUN
from toru.domain.state import Health, State
from toru.web.answers import json_answer
from toru.web.caller import AdminCaller
from toru.web.logs import LogRow
from toru.web.parameters import IdInPath


class RunRow(BaseModel):
    """One life of a plugin's process that has ended. `seconds` is null where the journal doesn't go back so far."""

    invocation_id: str
    result: str
    exit_code: int | None
    signal: str | None
    reason: str | None
    started_at: datetime | None
    ended_at: datetime
    seconds: float | None
    on_request: bool

    model_config = ConfigDict(extra="forbid")


class WhyAnswer(BaseModel):
    id: str
    state: State
    health: Health
    enabled: bool
    reason: str | None
    retry_in_seconds: float | None
    restarts: int
    disabled_because: dict[str, Any] | None
    last_run: RunRow | None
    logs: list[LogRow]

    model_config = ConfigDict(extra="forbid")


def router(plugins: Plugins, journals: Journals) -> APIRouter:
    routes = APIRouter(prefix="/api/plugins", tags=["plugins"])

    @routes.get("/{plugin_id}/why", response_model=WhyAnswer)
    async def why(plugin_id: IdInPath, caller: AdminCaller) -> Any:  # noqa: ARG001  (only admins get here)
        """How the last run that ended came to its end, with its own last lines, oldest first."""
        view = plugins.view(plugin_id)
        run = await journals.last_run(plugin_id)
        lines = []
        if run is not None:
            query = LogQuery(plugin_id=plugin_id, invocation_id=run.invocation_id)
            lines = (await journals.page(query, LINES_OF_A_RUN)).lines
        return json_answer(rows.why_document(view, run, lines, now=time.time()))

    return routes
