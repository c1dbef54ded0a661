"""A plugin's runs, as far back as the journal remembers: how long each lasted, and how it ended. For admins."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from toru.core import rows
from toru.core.journals import Journals
from toru.core.logs import LogQuery
from toru.core.plugins import Plugins
from toru.core.why import LINES_OF_A_RUN
from toru.domain.errors import RejectedPlugin, UnknownPlugin, UnknownRun
from toru.domain.ids import PluginId
from toru.web.answers import json_answer
from toru.web.caller import AdminCaller
from toru.web.logs import LogRow
from toru.web.parameters import IdInPath

InvocationInPath = Annotated[
    str, Path(pattern="^[0-9a-f]{32}$", description="An invocation id, as systemd gives them.")
]


class AnyRunRow(BaseModel):
    """One life of a plugin's process. What is null isn't known, or not yet."""

    invocation_id: str
    running: bool = Field(description="it goes on")
    result: str | None = Field(description="null: it goes on, or its end was seen by nobody, as when power fails")
    exit_code: int | None
    signal: str | None
    reason: str | None = Field(description="why it did not end well")
    on_request: bool = Field(description="somebody wanted it to end")
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None

    model_config = ConfigDict(extra="forbid")


class RunsAnswer(BaseModel):
    """Newest first. `next`: for `after`, while there may be older ones."""

    runs: list[AnyRunRow]
    next: str | None

    model_config = ConfigDict(extra="forbid")


class RunAnswer(BaseModel):
    """A run, and its own last lines, oldest first."""

    run: AnyRunRow
    logs: list[LogRow]

    model_config = ConfigDict(extra="forbid")


class WantedRuns(BaseModel):
    after: str | None = Field(default=None, max_length=1000, description="`next` of the page before.")
    page_size: int = Field(default=20, ge=1, le=100)


def router(plugins: Plugins, journals: Journals) -> APIRouter:
    routes = APIRouter(prefix="/api/plugins/{plugin_id}/runs", tags=["plugins"])

    @routes.get("", response_model=RunsAnswer)
    async def list_runs(
        plugin_id: IdInPath,
        caller: AdminCaller,  # noqa: ARG001  (only admins get here)
        wanted: Annotated[WantedRuns, Query()],
    ) -> Any:
        """Every run that the journal remembers, the one that goes on included."""
        found = await journals.runs(plugin_id, wanted.page_size, wanted.after)
        # The runs of a plugin that is gone are still there; who was never there has none.
        if not found.runs:
            plugins.view(plugin_id)  # an error for one that nobody knows
        return json_answer(rows.runs_document(found, _current_run(plugins, plugin_id)))

    @routes.get("/{invocation_id}", response_model=RunAnswer)
    async def read_run(
        plugin_id: IdInPath,
        invocation_id: InvocationInPath,
        caller: AdminCaller,  # noqa: ARG001  (the same)
    ) -> Any:
        """How one run came to its end, with its own last lines."""
        run = await journals.run(plugin_id, invocation_id)
        if run is None:
            raise UnknownRun(f"the journal remembers no such run of {plugin_id}", id=plugin_id, run=invocation_id)
        query = LogQuery(plugin_id=plugin_id, invocation_id=invocation_id)
        lines = (await journals.page(query, LINES_OF_A_RUN)).lines
        return json_answer(rows.run_document(run, lines, _current_run(plugins, plugin_id)))

    return routes


def _current_run(plugins: Plugins, plugin_id: PluginId) -> str | None:
    try:
        return plugins.view(plugin_id).current_run
    except (UnknownPlugin, RejectedPlugin):
        return None
