"""Puts rows of the earlier system into the core's database. What is here already stays as it is.

Done as the core's user (see core_side), so that the database's files are the core's, whoever made them first.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import argon2
from argon2.exceptions import InvalidHash
from sqlmodel import Session, select

from toru.core.kv import KEY_BYTES
from toru.domain.errors import InvalidId, InvalidInput
from toru.domain.events import EventKind
from toru.domain.ids import PluginId
from toru.domain.people import Role, UserName
from toru.moving.roots import sqlite_file
from toru.store import accounts, kv
from toru.store.engine import Database
from toru.store.kv import Entry, Usage
from toru.store.tables import PluginEvent, User

AT_ONCE = 500
"""Rows of one transaction: the core's own writes wait for it."""

TAKEN, HERE, LEFT = "taken", "here", "left"

Row = dict[str, Any]
"""What became of something: what, name, outcome, count, reason."""


class Left(Exception):
    """It can't be taken, and this is why."""


class _Rehearsed(Exception):
    """Nothing is to be kept."""


def take(  # noqa: PLR0913  (it is told as JSON)
    *,
    url: str,
    users: Sequence[Sequence[Any]],
    entries: Sequence[Sequence[Any]],
    events: Sequence[Sequence[Any]],
    limits: dict[str, int],
    keep_seconds: float,
    host: str,
    dry_run: bool,
) -> list[Row]:
    """What became of each user, of each plugin's entries and of its events."""
    with tempfile.TemporaryDirectory() as folder:
        file = sqlite_file(url)
        is_new = file is not None and not file.exists()
        database = Database(f"sqlite:///{folder}/toru.db" if dry_run and is_new else url)
        try:
            if dry_run and not is_new:
                database.join()
            else:
                database.migrate()
            taking = _Taking(database, dry_run=dry_run)
            taking.all_of(users, _take_user)
            taking.all_of(entries, lambda session, row: _take_entry(session, row, limits))
            oldest = time.time() - keep_seconds
            taking.all_of(events, lambda session, row: _take_event(session, row, host, oldest))
            return taking.rows()
        finally:
            database.close()


class _Taking:
    def __init__(self, database: Database, *, dry_run: bool) -> None:
        self._database = database
        self._dry_run = dry_run
        self._found: Counter[tuple[str, str, str, str | None]] = Counter()

    def rows(self) -> list[Row]:
        return [
            {"what": what, "name": name, "outcome": outcome, "count": count, "reason": reason}
            for (what, name, outcome, reason), count in self._found.items()
        ]

    def all_of(self, rows: Iterable[Sequence[Any]], take: Callable[[Session, Sequence[Any]], tuple[str, ...]]) -> None:
        """Some at a time; in a rehearsal all at once, so that the later ones find the earlier ones."""
        left = iter(rows)
        while batch := list(islice(left, None if self._dry_run else AT_ONCE)):
            try:
                with self._database.writing() as session:
                    for row in batch:
                        self._one(session, row, take)
                    if self._dry_run:
                        raise _Rehearsed
            except _Rehearsed:
                pass

    def _one(
        self, session: Session, row: Sequence[Any], take: Callable[[Session, Sequence[Any]], tuple[str, ...]]
    ) -> None:
        try:
            with session.begin_nested():
                what, name, outcome, *reason = take(session, row)
        except Left as left:
            what, name, why = left.args
            outcome, reason = LEFT, [why]
        self._found[what, name, outcome, reason[0] if reason else None] += 1


def _take_user(session: Session, row: Sequence[Any]) -> tuple[str, ...]:
    _number, told, password_hash, _display_name, role, is_active, created_at = row
    what, called = "user", _shown(told)
    try:
        name = UserName(told.lower() if isinstance(told, str) else "")
    except InvalidInput as mistake:
        raise Left(what, called, f"{mistake}: toru user add lets them in under another") from mistake
    if role != Role.CLIENT:  # who may do more here is decided here
        raise Left(what, called, f"the role was {_shown(role)}: toru user add lets them in")
    if session.exec(select(User).where(User.name == name)).first() is not None:
        return what, called, HERE
    try:
        argon2.extract_parameters(password_hash)
    except (InvalidHash, AttributeError) as mistake:
        raise Left(what, called, "its password was not kept as Argon2 does: toru user add") from mistake
    accounts.add_user(
        session,
        name=name,
        role=Role.CLIENT,
        password_hash=password_hash,
        grants=None,
        now=_moment(created_at) or time.time(),
    )
    if not is_active:
        session.exec(select(User).where(User.name == name)).one().disabled = True
        session.flush()
    return (what, called, TAKEN) if name == told else (what, called, TAKEN, f"is called {name} here")


def _take_entry(session: Session, row: Sequence[Any], limits: dict[str, int]) -> tuple[str, ...]:
    whose, key, value = row
    what = "storage"
    plugin_id = _plugin(what, whose)
    if not isinstance(key, str) or not key or "\0" in key or len(key.encode()) > KEY_BYTES:
        raise Left(what, plugin_id, f"key {_shown(key)}: a key is a text of 1 to {KEY_BYTES} bytes")
    if not isinstance(value, str | None):
        raise Left(what, plugin_id, f"key {_shown(key)}: its value is no text")
    # What was a text for the plugin, is a text in JSON.
    text = json.dumps(value, ensure_ascii=False)
    if len(text.encode()) > limits["value_bytes"]:
        raise Left(what, plugin_id, f"key {_shown(key)}: its value is larger than the settings allow (kv.value)")
    now = time.time()
    there = kv.get(session, plugin_id, key, now)
    if there is not None:
        if there != text:
            raise Left(what, plugin_id, f"key {_shown(key)}: it is here, with another value")
        return what, plugin_id, HERE

    def check(_before: Usage, after: Usage) -> None:
        if after.keys > limits["keys"] or after.bytes > limits["total_bytes"]:
            raise Left(what, plugin_id, f"key {_shown(key)}: the plugin would keep more than the settings allow (kv)")

    kv.put(session, plugin_id, Entry(key=key, value=text, expires_at=None), now, check)
    return what, plugin_id, TAKEN


def _take_event(session: Session, row: Sequence[Any], host: str, oldest: float) -> tuple[str, ...]:
    _number, whose, kind, timestamp, details = row
    what = "event"
    plugin_id = _plugin(what, whose)
    at = _moment(timestamp)
    if at is None:
        raise Left(what, plugin_id, "it has no time")
    if at < oldest:
        raise Left(what, plugin_id, "it is older than events are kept (events.keep_days)")
    # What it is known by from now on: the same at each import.
    cursor = f"earlier:{hashlib.sha256(json.dumps(row).encode()).hexdigest()}"
    if session.exec(select(PluginEvent.id).where(PluginEvent.host == host, PluginEvent.cursor == cursor)).first():
        return what, plugin_id, HERE
    said = _details(details)
    cause = next((said[name] for name in ("reason", "error", "message") if isinstance(said.get(name), str)), None)
    session.add(
        PluginEvent(
            plugin_id=plugin_id,
            kind=kind if kind in set(EventKind) else EventKind.OTHER,
            at=at,
            cause=cause,
            details=json.dumps(said if kind in set(EventKind) else {"event_type": str(kind), **said}),
            host=host,
            cursor=cursor,
        )
    )
    return what, plugin_id, TAKEN


def _plugin(what: str, whose: Any) -> PluginId:
    try:
        return PluginId(whose if isinstance(whose, str) else "")
    except InvalidId as mistake:
        raise Left(what, _shown(whose), str(mistake)) from mistake


def _details(text: Any) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        said = json.loads(text)
    except (TypeError, ValueError):
        said = str(text)
    return said if isinstance(said, dict) else {"message": said}


def _moment(text: Any) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _shown(value: Any) -> str:
    return value[:80] if isinstance(value, str) else repr(value)[:80]
