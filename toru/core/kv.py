"""What plugins keep: what may be kept, and for how long."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from toru.domain.errors import InvalidInput, TooLarge
from toru.domain.ids import PluginId
from toru.domain.policy import KvPolicy
from toru.store import kv as store
from toru.store.engine import Database
from toru.store.kv import Entry, Usage
from toru.store.together import Together

KEY_BYTES = 512
"""A PostgreSQL index has room for 2.7 KB; people's keys are short."""

MOST_SECONDS = 10 * 366 * 86_400
"""To live. What should stay for longer has no end."""

PAGE_BYTES = 1 << 20
"""A page of the listing has no more than this, or a single entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    entries: Sequence[Entry]
    next: str | None
    """The key to go on after, if there is more."""


class Kv:
    """One namespace a plugin. Values are JSON, as text: what was set is what is got, byte for byte."""

    def __init__(self, database: Database, policy: KvPolicy, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._together = Together(database)
        self._policy = policy
        self._clock = clock

    async def get(self, plugin_id: PluginId, key: object) -> str | None:
        name = _key(key)
        return await self._database.read(lambda session: store.get(session, plugin_id, name, self._clock()))

    async def set(self, plugin_id: PluginId, key: object, value: object, ttl: object = None) -> str:
        """What is kept now. `ttl`: for so many seconds; None: until it is deleted."""
        name, text, seconds = _key(key), _json(value), _ttl(ttl)
        if (size := len(text.encode())) > self._policy.value_bytes:
            raise TooLarge(
                f"the value has {size} bytes of JSON, and {self._policy.value_bytes} are the most",
                bytes=size,
                limit=self._policy.value_bytes,
            )
        now = self._clock()
        entry = Entry(key=name, value=text, expires_at=None if seconds is None else now + seconds)
        try:
            await self._put(plugin_id, entry, now)
        except TooLarge:
            # What has expired takes room until it is swept up.
            if not await self._together.write(partial(store.remove_expired, plugin_id=plugin_id, now=now)):
                raise
            await self._put(plugin_id, entry, now)
        return text

    async def delete(self, plugin_id: PluginId, key: object) -> None:
        """No error if there was none."""
        name = _key(key)
        await self._together.write(lambda session: store.remove(session, plugin_id, name))

    async def page(self, plugin_id: PluginId, *, prefix: str, after: str, count: int) -> Page:
        """Entries in the order of their keys."""
        first, last = _text(prefix, "prefix"), _text(after, "after")
        entries, more = await self._database.read(
            lambda session: store.page(
                session,
                plugin_id,
                prefix=first,
                after=last,
                count=count,
                budget_bytes=PAGE_BYTES,
                now=self._clock(),
            )
        )
        return Page(entries=entries, next=entries[-1].key if more else None)

    async def sweep(self) -> int:
        """Removes what has expired. How many there were."""
        now = self._clock()
        swept = 0
        for plugin_id in await self._database.read(lambda session: store.with_expired(session, now)):
            swept += await self._together.write(partial(store.remove_expired, plugin_id=plugin_id, now=now))
        return swept

    async def _put(self, plugin_id: PluginId, entry: Entry, now: float) -> None:
        await self._together.write(lambda session: store.put(session, plugin_id, entry, now, self._check))

    def _check(self, before: Usage, after: Usage) -> None:
        # Whoever is beyond a limit that was lowered may still make it less.
        if after.keys > max(self._policy.keys, before.keys):
            raise TooLarge(f"{self._policy.keys} keys are the most that a plugin may have", limit=self._policy.keys)
        if after.bytes > max(self._policy.total_bytes, before.bytes):
            limit = self._policy.total_bytes
            raise TooLarge(f"{limit} bytes are the most that a plugin may keep", bytes=after.bytes, limit=limit)


def parse(body: bytes) -> dict[str, Any]:
    """The object that a request says, or `InvalidInput`."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as mistake:
        raise InvalidInput(f"the body is not JSON: {str(mistake)[:200]}") from mistake
    if not isinstance(content, dict):
        raise InvalidInput("the body is not a JSON object")
    return content


def _json(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError) as mistake:
        raise InvalidInput(f"value: {mistake}", field="value") from mistake
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a character, which UTF-8 can't say, stays the escape it was.
        text = json.dumps(value, separators=(",", ":"))
    return text


def _key(key: object) -> str:
    if not isinstance(key, str) or key == "":
        raise InvalidInput("key: must be a text that is not empty", field="key")
    size = len(_text(key, "key").encode())
    if size > KEY_BYTES:
        raise TooLarge(f"the key has {size} bytes, and {KEY_BYTES} are the most", bytes=size, limit=KEY_BYTES)
    return key


def _text(text: str, field: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as mistake:
        raise InvalidInput(f"{field}: has half a character in it", field=field) from mistake
    if "\0" in text:
        raise InvalidInput(f"{field}: has a NUL in it", field=field)
    return text


def _ttl(ttl: object) -> float | None:
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0 < ttl <= MOST_SECONDS:
        raise InvalidInput(f"ttl: must be a number of seconds, over 0 and up to {MOST_SECONDS}", field="ttl")
    return float(ttl)
