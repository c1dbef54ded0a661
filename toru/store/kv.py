"""What plugins keep. Each function is part of the caller's transaction.

A plugin's row in plugin_kv_usage is locked before anything of it is changed, and says what its entries come to: so
writers take turns, plugin by plugin, on a database that has many writers, and no limit needs a count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from toru.domain.ids import PluginId
from toru.store.tables import Table

# Statements on the bare tables, made once: to make one takes longer than SQLite takes to carry it out.
_kv = Table.metadata.tables["plugin_kv"]
_usage = Table.metadata.tables["plugin_kv_usage"]

_here = (_kv.c.plugin_id == bindparam("of_plugin"), _kv.c.key == bindparam("at_key"))
_of_plugin = _kv.c.plugin_id == bindparam("of_plugin")
_holds = or_(_kv.c.expires_at.is_(None), _kv.c.expires_at > bindparam("now"))
_over = _kv.c.expires_at <= bindparam("now")

_GET = select(_kv.c.value).where(*_here, _holds)
_SIZE = select(_kv.c.size_bytes).where(*_here)
_INSERT = insert(_kv)
_UPDATE = update(_kv).where(*_here)
_DELETE = delete(_kv).where(*_here)
_WITH_EXPIRED = select(_kv.c.plugin_id).where(_over).distinct()
_EXPIRED = select(func.count(), func.sum(_kv.c.size_bytes)).where(_of_plugin, _over)
_DELETE_EXPIRED = delete(_kv).where(_of_plugin, _over)
_USAGE = select(_usage.c["keys"], _usage.c.bytes).where(_usage.c.plugin_id == bindparam("of_plugin"))
_LOCK_USAGE = _USAGE.with_for_update()
_INSERT_USAGE = insert(_usage)
_SET_USAGE = update(_usage).where(_usage.c.plugin_id == bindparam("of_plugin"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    key: str
    value: str
    """JSON."""
    expires_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    keys: int
    bytes: int


Check = Callable[[Usage, Usage], None]
"""Raises, if what a plugin uses must not change like this, from the first to the second."""


def get(session: Session, plugin_id: PluginId, key: str, now: float) -> str | None:
    value: str | None = _do(session, _GET, of_plugin=plugin_id, at_key=key, now=now).scalar()
    return value


def put(session: Session, plugin_id: PluginId, entry: Entry, now: float, check: Check) -> None:
    """Keeps the entry in the place of any other of its key."""
    size = len(entry.key.encode()) + len(entry.value.encode())
    usage = _locked_usage(session, plugin_id)
    old = _do(session, _SIZE, of_plugin=plugin_id, at_key=entry.key).scalar()
    after = Usage(keys=usage.keys + (old is None), bytes=usage.bytes + size - (old or 0))
    check(usage, after)
    values = {"value": entry.value, "size_bytes": size, "expires_at": entry.expires_at, "updated_at": now}
    if old is None:
        _do(session, _INSERT, plugin_id=plugin_id, key=entry.key, **values)
    else:
        _do(session, _UPDATE, of_plugin=plugin_id, at_key=entry.key, **values)
    _set_usage(session, plugin_id, usage, after)


def remove(session: Session, plugin_id: PluginId, key: str) -> None:
    usage = _locked_usage(session, plugin_id)
    old = _do(session, _SIZE, of_plugin=plugin_id, at_key=key).scalar()
    if old is not None:
        _do(session, _DELETE, of_plugin=plugin_id, at_key=key)
        _set_usage(session, plugin_id, usage, Usage(keys=usage.keys - 1, bytes=usage.bytes - old))


def page(  # noqa: PLR0913  what a page is
    session: Session, plugin_id: PluginId, *, prefix: str, after: str, count: int, budget_bytes: int, now: float
) -> tuple[list[Entry], bool]:
    """Entries in the order of their keys, as many as the budget allows and one at least; and whether there are more."""
    wanted = [_of_plugin, _holds, _kv.c.key > after, _kv.c.key >= prefix]
    if (beyond := first_beyond(prefix)) is not None:
        wanted.append(_kv.c.key < beyond)
    whose = {"of_plugin": plugin_id, "now": now}
    question = select(_kv.c.key, _kv.c.size_bytes).where(*wanted).order_by(_kv.c.key).limit(count + 1)
    sizes = _do(session, question, **whose).all()
    if not sizes:
        return [], False
    last, total = "", 0
    for number, (key, size) in enumerate(sizes):
        total += size
        if number == count or (number and total > budget_bytes):
            break
        last = key
    columns = select(_kv.c.key, _kv.c.value, _kv.c.expires_at)
    rows = _do(session, columns.where(*wanted, _kv.c.key <= last).order_by(_kv.c.key).limit(count), **whose)
    entries = [Entry(key=key, value=value, expires_at=expires_at) for key, value, expires_at in rows]
    return entries, last != sizes[-1][0]


def usage_of(session: Session, plugin_id: PluginId) -> Usage:
    row = _do(session, _USAGE, of_plugin=plugin_id).first()
    return Usage(keys=0, bytes=0) if row is None else Usage(keys=row[0], bytes=row[1])


def with_expired(session: Session, now: float) -> list[PluginId]:
    """The plugins that have entries which have expired."""
    return [PluginId(plugin_id) for plugin_id in _do(session, _WITH_EXPIRED, now=now).scalars()]


def remove_expired(session: Session, plugin_id: PluginId, now: float) -> int:
    """How many there were."""
    usage = _locked_usage(session, plugin_id)
    count, size = _do(session, _EXPIRED, of_plugin=plugin_id, now=now).one()
    if count:
        _do(session, _DELETE_EXPIRED, of_plugin=plugin_id, now=now)
        _set_usage(session, plugin_id, usage, Usage(keys=usage.keys - count, bytes=usage.bytes - int(size)))
    return int(count)


def first_beyond(prefix: str) -> str | None:
    """The least text that is greater than every text with this prefix; None: there is none."""
    while prefix:
        last = ord(prefix[-1])
        if last < 0x10FFFF:
            # No character lies between D800 and DFFF.
            return prefix[:-1] + chr(0xE000 if last == 0xD7FF else last + 1)
        prefix = prefix[:-1]
    return None


def _do(session: Session, statement: Any, **parameters: object) -> Any:
    # Past the session's own execute, which looks for objects to keep track of: there are none here.
    return session.connection().execute(statement, parameters)


def _locked_usage(session: Session, plugin_id: PluginId) -> Usage:
    if (row := _do(session, _LOCK_USAGE, of_plugin=plugin_id).first()) is None:
        try:
            with session.begin_nested():
                _do(session, _INSERT_USAGE, plugin_id=plugin_id, keys=0, bytes=0)
        except IntegrityError:
            pass  # somebody else was first
        row = _do(session, _LOCK_USAGE, of_plugin=plugin_id).one()
    return Usage(keys=row[0], bytes=row[1])


def _set_usage(session: Session, plugin_id: PluginId, before: Usage, after: Usage) -> None:
    if after != before:
        _do(session, _SET_USAGE, of_plugin=plugin_id, keys=after.keys, bytes=after.bytes)
