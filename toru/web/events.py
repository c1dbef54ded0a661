"""What happened to plugins, newest first. For admins."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from toru.core import rows
from toru.core.plugins import Plugins
from toru.domain.events import EventKind
from toru.domain.ids import PluginId
from toru.store import events as store
from toru.store.engine import Database
from toru.store.events import Place, StoredEvent
from toru.web.answers import json_answer
from toru.web.caller import AdminCaller
from toru.web.parameters import IdInPath, Moment

_PLACE = r"^-?[0-9]{1,17}\.[0-9]{6}-[0-9]{1,18}$"


class EventRow(BaseModel):
    """Something that happened to a plugin."""

    id: int
    plugin_id: str
    event_type: EventKind
    timestamp: str
    """RFC 3339, in UTC."""
    cause: str | None
    details: dict[str, Any]
    host: str
    """The machine id of where it happened."""

    model_config = ConfigDict(extra="forbid")


class EventPage(BaseModel):
    events: list[EventRow]
    next: str | None
    """For `after`, to go on with what is older; null: this is all."""

    model_config = ConfigDict(extra="forbid")


class EventFilter(BaseModel):
    kind: list[EventKind] = Field(default=[], max_length=20, description="Only of these kinds.")
    since: Moment | None = Field(default=None, description="What happened then or later.")
    until: Moment | None = Field(default=None, description="What happened earlier.")
    after: str | None = Field(default=None, pattern=_PLACE, description="`next` of the page before.")
    page_size: int = Field(default=50, ge=1, le=500)


def router(database: Database, plugins: Plugins) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["events"])

    async def page(asked: EventFilter, plugin_id: PluginId | None = None) -> Any:
        place = _place(asked.after)
        found = await database.read(
            lambda session: store.page(
                session,
                asked.page_size + 1,
                plugin_id=plugin_id,
                kinds=asked.kind,
                since=None if asked.since is None else asked.since.timestamp(),
                until=None if asked.until is None else asked.until.timestamp(),
                after=place,
            )
        )
        if plugin_id is not None and not found:
            plugins.view(plugin_id)  # an id that nobody ever knew is an error
        shown = found[: asked.page_size]
        more = len(found) > len(shown)
        return json_answer(
            {"events": [rows.event_row(event) for event in shown], "next": _named(shown[-1]) if more else None}
        )

    @routes.get("/events", response_model=EventPage)
    async def list_events(
        caller: AdminCaller,  # noqa: ARG001  (only admins get here)
        asked: Annotated[EventFilter, Query()],
    ) -> Any:
        """What happened to all plugins, newest first."""
        return await page(asked)

    @routes.get("/plugins/{plugin_id}/events", response_model=EventPage)
    async def list_events_of_plugin(
        plugin_id: IdInPath,
        caller: AdminCaller,  # noqa: ARG001  (the same)
        asked: Annotated[EventFilter, Query()],
    ) -> Any:
        """What happened to one plugin; also to one that is gone, as long as its events are kept."""
        return await page(asked, plugin_id)

    return routes


def _named(event: StoredEvent) -> str:
    return f"{event.at:.6f}-{event.id}"


def _place(text: str | None) -> Place | None:
    if text is None:
        return None
    at, _, number = text.rpartition("-")
    return Place(at=float(at), id=int(number))
