"""Events, and how far the journal has been read for them. Each function is part of the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, or_
from sqlmodel import Session, col, select

from toru.domain.events import Event, EventKind
from toru.domain.ids import PluginId
from toru.store.tables import JournalCursor, PluginEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    id: int
    plugin_id: str
    kind: EventKind
    at: float
    cause: str | None
    details: dict[str, Any]
    host: str


@dataclass(frozen=True, slots=True)
class Place:
    """Between two events: newest first, those after it are older."""

    at: float
    id: int


_KINDS = frozenset(EventKind)


def cursor(session: Session, host: str) -> str | None:
    """How far this host's journal has been read."""
    row = session.get(JournalCursor, host)
    return row.cursor if row is not None else None


def add(session: Session, host: str, events: Sequence[Event], cursor: str, now: float) -> list[StoredEvent]:
    """Keeps the events that are new, and how far the journal has been read: both, or neither."""
    cursors = [event.cursor for event in events]
    known = set(
        session.exec(
            select(PluginEvent.cursor).where(PluginEvent.host == host, col(PluginEvent.cursor).in_(cursors))
        ).all()
        if cursors
        else ()
    )
    rows = [
        PluginEvent(
            plugin_id=event.plugin_id,
            kind=event.kind,
            at=event.at,
            cause=event.cause,
            details=json.dumps(event.details),
            host=host,
            cursor=event.cursor,
        )
        for event in events
        if event.cursor not in known
    ]
    session.add_all(rows)
    session.merge(JournalCursor(host=host, cursor=cursor, at=now))
    session.flush()
    return [_stored(row) for row in rows]


def page(  # noqa: PLR0913  a filter each
    session: Session,
    count: int,
    *,
    plugin_id: PluginId | None = None,
    kinds: Collection[EventKind] = (),
    since: float | None = None,
    until: float | None = None,
    after: Place | None = None,
) -> list[StoredEvent]:
    """The newest that pass, or the newest after a place: newest first."""
    at, number = col(PluginEvent.at), col(PluginEvent.id)
    question = select(PluginEvent).order_by(at.desc(), number.desc()).limit(count)
    if plugin_id is not None:
        question = question.where(PluginEvent.plugin_id == plugin_id)
    if kinds:
        question = question.where(col(PluginEvent.kind).in_(sorted(kinds)))
    if since is not None:
        question = question.where(at >= since)
    if until is not None:
        question = question.where(at < until)
    if after is not None:
        question = question.where(or_(at < after.at, (at == after.at) & (number < after.id)))
    return [_stored(row) for row in session.exec(question)]


def forget_before(session: Session, moment: float, at_most: int) -> int:
    """Removes old events, so many at most: what others write must not wait long. How many there were."""
    old = select(PluginEvent.id).where(PluginEvent.at < moment).limit(at_most)
    done = session.execute(delete(PluginEvent).where(col(PluginEvent.id).in_(old)))
    return int(done.rowcount)  # type: ignore[attr-defined]  # a delete's result has it


def _stored(row: PluginEvent) -> StoredEvent:
    assert row.id is not None  # noqa: S101  it comes from the database
    return StoredEvent(
        id=row.id,
        plugin_id=row.plugin_id,
        kind=EventKind(row.kind) if row.kind in _KINDS else EventKind.OTHER,
        at=row.at,
        cause=row.cause,
        details=json.loads(row.details),
        host=row.host,
    )
