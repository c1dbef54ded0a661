"""Who is behind a token, in memory: a request is authorised without a database once its token is known."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from toru.domain.people import Caller, Via

MOST = 10_000
"""Who was seen longest ago is forgotten first, and asked for in the database the next time."""


@dataclass(slots=True)
class _Entry:
    caller: Caller
    expires_at: float | None
    fresh_until: float | None
    seen_at: float


class Known:
    """`fresh_for`: where others change the database too, so many seconds pass before it is asked again."""

    def __init__(self, clock: Callable[[], float], *, fresh_for: float | None = None) -> None:
        self._clock = clock
        self._fresh_for = fresh_for
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._of_user: dict[str, set[str]] = {}
        self.changes = 0
        """Counts what was forgotten. What was read before a change must not be remembered after it."""

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, token_hash: str) -> Caller | None:
        entry = self._entries.get(token_hash)
        if entry is None:
            return None
        now = self._clock()
        if _is_over(entry.expires_at, now) or _is_over(entry.fresh_until, now):
            self.forget(token_hash)
            return None
        self._entries.move_to_end(token_hash)
        entry.seen_at = now
        return entry.caller

    def seen_since(self, moment: float) -> dict[str, float]:
        """The browsers that asked for something since then, and when last."""
        return {
            token_hash: entry.seen_at
            for token_hash, entry in self._entries.items()
            if entry.caller.via is Via.SESSION and entry.seen_at >= moment
        }

    def seconds_left(self, token_hash: str) -> float | None:
        """For how long this will be known without another look; None: there is no end to it."""
        entry = self._entries.get(token_hash)
        if entry is None:
            return 0.0
        ends = [end for end in (entry.expires_at, entry.fresh_until) if end is not None]
        return max(0.0, min(ends) - self._clock()) if ends else None

    def remember(self, token_hash: str, caller: Caller, expires_at: float | None) -> None:
        now = self._clock()
        fresh_until = None if self._fresh_for is None else now + self._fresh_for
        self._entries[token_hash] = _Entry(caller, expires_at, fresh_until, seen_at=now)
        self._entries.move_to_end(token_hash)
        self._of_user.setdefault(caller.name, set()).add(token_hash)
        if len(self._entries) > MOST:
            self._drop(next(iter(self._entries)))

    def forget(self, token_hash: str) -> None:
        self.changes += 1
        if token_hash in self._entries:
            self._drop(token_hash)

    def forget_user(self, name: str) -> None:
        self.changes += 1
        for token_hash in list(self._of_user.get(name, ())):
            self._drop(token_hash)

    def forget_all(self) -> None:
        self.changes += 1
        self._entries.clear()
        self._of_user.clear()

    def _drop(self, token_hash: str) -> None:
        caller = self._entries.pop(token_hash).caller
        tokens = self._of_user[caller.name]
        tokens.discard(token_hash)
        if not tokens:
            del self._of_user[caller.name]


def _is_over(end: float | None, now: float) -> bool:
    return end is not None and end <= now


def token_hash(token: str) -> str:
    """What is kept of a token. It is random and long, so that nobody can guess it back from its hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
