"""Browsers that people signed in with. Each function is part of the caller's transaction.

A row is a `SignIn`, because a `Session` is SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import update
from sqlmodel import Session, col, select

from toru.domain.errors import UnknownSession
from toru.domain.people import SessionFacts, UserName
from toru.store.accounts import find_user
from toru.store.tables import SignIn


def sessions(
    session: Session, name: UserName, seen_since: Mapping[str, float], *, now: float
) -> list[tuple[SessionFacts, str]]:
    """A user's sessions and the hashes of their tokens, the last seen first. `seen_since`: what isn't written yet."""
    user = find_user(session, name)
    rows = session.exec(select(SignIn).where(SignIn.user_id == user.id, SignIn.expires_at > now))
    found = [(_facts(row, name), row.token_hash) for row in rows]
    current = [
        (replace(facts, seen_at=max(facts.seen_at, seen_since.get(token_hash, 0.0))), token_hash)
        for facts, token_hash in found
    ]
    return sorted(current, key=lambda it: (-it[0].seen_at, -it[0].id))


def write_seen(session: Session, seen: Mapping[str, float]) -> None:
    """When these were last seen, by the hashes of their tokens."""
    for token_hash, at in seen.items():
        session.exec(
            update(SignIn).where(col(SignIn.token_hash) == token_hash, col(SignIn.seen_at) < at).values(seen_at=at)
        )


def end_session(session: Session, name: UserName, session_id: int) -> None:
    user = find_user(session, name)
    row = session.exec(select(SignIn).where(SignIn.id == session_id, SignIn.user_id == user.id)).first()
    if row is None:
        raise UnknownSession(f"{name} has no session {session_id}", id=session_id)
    session.delete(row)


def _facts(row: SignIn, user: UserName) -> SessionFacts:
    assert row.id is not None  # noqa: S101  it has been written
    return SessionFacts(
        id=row.id,
        user=user,
        began_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        address=row.address,
        browser=row.browser,
    )
