"""People: signing in and out, who is behind a token, users and API tokens."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from sqlmodel import Session

from toru.core.attempts import Attempts
from toru.core.known import Known, token_hash
from toru.core.passwords import AT_ONCE, Passwords, check_password
from toru.domain.errors import Forbidden, InvalidInput, SignInRefused, StoreUnavailable, UnknownUser
from toru.domain.ids import PluginId
from toru.domain.people import Account, Caller, Role, Scope, SessionFacts, TokenFacts, UserName, Via
from toru.store import accounts as stored
from toru.store import sessions as stored_sessions
from toru.store.engine import Database

SESSION_SECONDS = 7 * 86_400
LONGEST_TOKEN_SECONDS = 10 * 366 * 86_400
TOKENS_PER_USER = 100

FRESH_SECONDS = 5.0
"""How long a user who was disabled on one host may go on at another one that shares its database."""

WRITE_SEEN_SECONDS = 300.0
"""How often it is written down when browsers were last seen: a core that ends forgets as much at most."""

LOOK_AGAIN_SECONDS = 60.0
"""At the latest, whether a token that somebody reads by has expired: clocks are set, and machines sleep."""

TOKEN_PREFIX = "toru_"  # noqa: S105  by which scanners for leaked secrets know one


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to change of a user. None: leave it; for `grants`, see `with_grants`."""

    role: Role | None = None
    disabled: bool | None = None
    password: str | None = None
    with_grants: bool = False
    grants: frozenset[PluginId] | None = None


class Accounts:
    """`on_change` is told the name of each user who may do less than before, or whose session ended."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        *,
        clock: Callable[[], float] = time.time,
        on_change: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._clock = clock
        self._attempts = Attempts(clock)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._known = Known(clock, fresh_for=FRESH_SECONDS if database.is_shared else None)
        self._on_change = on_change
        self._seen_written = 0.0

    # Signing in and out.

    async def sign_in(self, name: str, password: str, address: str, browser: str | None = None) -> tuple[str, Caller]:
        """A new token for a browser, and who is behind it. Unknown user and wrong password look and last the same.

        `browser` is what it says it is.
        """
        known = await self._verified(name, password, address)
        if known is None:
            raise SignInRefused("wrong name or password")
        better = await self._passwords.hash(password) if self._passwords.is_outdated(known.password_hash) else None
        return await self._open_session(UserName(name), better, address, browser)

    async def _verified(self, name: str, password: str, address: str) -> stored.Credentials | None:
        """The credentials, if this is the password behind them and they may be used."""
        self._attempts.check(name, address)
        known = await self._database.read(lambda session: stored.credentials(session, name))
        async with self._turns:
            # Once more: many at once are no way around the limits.
            self._attempts.check(name, address)
            right = await self._passwords.is_right(password, None if known is None else known.password_hash)
            if known is None or not right or known.disabled:
                self._attempts.failed(name, address)
                return None
            self._attempts.succeeded(name, address)
            return known

    async def _open_session(
        self, name: UserName, better_hash: str | None, address: str, browser: str | None
    ) -> tuple[str, Caller]:
        token, now = secrets.token_urlsafe(32), self._clock()

        def work(session: Session) -> Account:
            if better_hash is not None:
                stored.set_password_hash(session, name, better_hash)
            return stored.add_sign_in(
                session,
                name,
                token_hash(token),
                now=now,
                expires_at=now + SESSION_SECONDS,
                address=address,
                browser=browser,
            )

        try:
            account = await self._database.write(work)
        except UnknownUser as error:  # deleted or disabled a moment ago
            raise SignInRefused("wrong name or password") from error
        return token, stored.caller_of(account, via=Via.SESSION)

    async def sign_out(self, token: str) -> None:
        """The token is worth nothing any more, whether or not it was worth something before."""
        hashed = token_hash(token)
        try:
            name = await self._database.write(lambda session: stored.end_sign_in(session, hashed))
        finally:
            self._known.forget(hashed)
        if name is not None:
            self._on_change(name)

    # Sessions.

    async def sessions(self, user: UserName, token: str | None) -> list[tuple[SessionFacts, bool]]:
        """A user's, the last seen first; and of each, whether it is that of this token."""
        now, seen, hashed = self._clock(), self._known.seen_since(self._seen_written), token and token_hash(token)
        rows = await self._database.read(lambda session: stored_sessions.sessions(session, user, seen, now=now))
        return [(facts, of_token == hashed) for facts, of_token in rows]

    async def end_session(self, user: UserName, session_id: int) -> None:
        try:
            await self._database.write(lambda session: stored_sessions.end_session(session, user, session_id))
        finally:
            self._forget(user)

    async def end_sessions(self, user: UserName, *, but: str | None = None) -> int:
        """All of a user's, except that of the token `but`. Returns how many there were."""
        hashed = but and token_hash(but)
        try:
            return await self._database.write(lambda session: stored.end_sign_ins(session, user, but=hashed))
        finally:
            self._forget(user)

    async def keep_seen(self) -> NoReturn:
        """Writes down when browsers were last seen, for ever."""
        while True:
            await asyncio.sleep(WRITE_SEEN_SECONDS)
            with suppress(StoreUnavailable):  # then it is written with what comes
                await self.write_seen()

    async def write_seen(self) -> None:
        now, seen = self._clock(), self._known.seen_since(self._seen_written)
        if seen:
            await self._database.write(lambda session: stored_sessions.write_seen(session, seen))
        self._seen_written = now

    # Who is it?

    def known(self, token: str) -> Caller | None:
        """Who is behind a browser's or an API's token, if that is in memory."""
        return self._known.get(token_hash(token))

    @property
    def changes(self) -> int:
        """Another number whenever `known` may have forgotten somebody. What it said holds for a moment, until then."""
        return self._known.changes

    async def recognise(self, token: str) -> Caller | None:
        """Who is behind a browser's or an API's token. None: nobody, or nobody any more."""
        hashed = token_hash(token)
        while (caller := self.known(token)) is None:
            changes = self.changes
            found = await self.look_up(token)
            if found is None:
                return None
            if changes == self.changes:
                self._known.remember(hashed, found.caller, found.expires_at)
                return found.caller
            # Somebody was signed out or changed meanwhile, perhaps this very one: look again.
        return caller

    async def look_up(self, token: str) -> stored.Recognised | None:
        """The same from the database, whatever is in memory."""
        hashed, now = token_hash(token), self._clock()
        return await self._database.read(lambda session: stored.recognise(session, hashed, now=now))

    async def until_another(self, token: str, caller: Caller) -> None:
        """Returns when this caller is no longer behind this token, or may no longer do the same.

        Who is changed here is known at once to who listens to `on_change`; this is for what comes by itself: a token
        that expires, and what another host changes in a database that they share.
        """
        while await self.recognise(token) == caller:
            left = self._known.seconds_left(token_hash(token))
            await asyncio.sleep(LOOK_AGAIN_SECONDS if left is None else min(left, LOOK_AGAIN_SECONDS))

    # Users.

    async def users(self) -> list[Account]:
        return await self._database.read(stored.accounts)

    async def user(self, name: UserName) -> Account:
        return await self._database.read(lambda session: stored.account(session, name))

    async def create(
        self, name: UserName, password: str, role: Role, grants: Iterable[PluginId] | None = None
    ) -> Account:
        check_password(password, user=name)
        hashed, now = await self._passwords.hash(password), self._clock()
        return await self._database.write(
            lambda session: stored.add_user(session, name=name, role=role, password_hash=hashed, grants=grants, now=now)
        )

    async def change(self, name: UserName, change: Change, *, but: str | None = None) -> Account:
        """Change a user, all of it or nothing. A new password ends all sessions, except that of the token `but`."""
        hashed = None
        if change.password is not None:
            check_password(change.password, user=name)
            hashed = await self._passwords.hash(change.password)

        def work(session: Session) -> Account:
            if change.role is not None:
                stored.set_role(session, name, change.role)
            if change.disabled is not None:
                stored.set_disabled(session, name, disabled=change.disabled)
            if change.with_grants:
                stored.set_grants(session, name, change.grants)
            if hashed is not None:
                stored.set_password_hash(session, name, hashed)
                stored.end_sign_ins(session, name, but=but and token_hash(but))
            session.flush()
            return stored.account(session, name)

        try:
            return await self._database.write(work)
        finally:
            self._forget(name)

    async def change_own_password(self, name: UserName, old: str, new: str, address: str, *, token: str) -> None:
        """With the old one as proof: a browser left open is not enough to take an account over."""
        if await self._verified(name, old, address) is None:
            raise Forbidden("the old password is another one")
        await self.change(name, Change(password=new), but=token)

    async def delete(self, name: UserName) -> None:
        try:
            await self._database.write(lambda session: stored.delete_user(session, name))
        finally:
            self._forget(name)

    # API tokens.

    async def tokens(self, user: UserName) -> list[TokenFacts]:
        return await self._database.read(lambda session: stored.tokens(session, user))

    async def issue_token(
        self, user: UserName, name: str, scopes: frozenset[Scope], expires_at: float | None
    ) -> tuple[str, TokenFacts]:
        """A new API token, which is shown this once, and its facts."""
        now = self._clock()
        if not scopes:
            raise InvalidInput("a token without a scope is good for nothing", field="scopes")
        if expires_at is not None and not now < expires_at <= now + LONGEST_TOKEN_SECONDS:
            raise InvalidInput("a token expires in the future, and within ten years", field="expires_at")
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)

        def work(session: Session) -> TokenFacts:
            if stored.token_count(session, user) >= TOKENS_PER_USER:
                raise InvalidInput(f"{user} has {TOKENS_PER_USER} tokens already: delete one first", field="name")
            return stored.add_token(
                session,
                user,
                name=name,
                token_hash=token_hash(token),
                scopes=scopes,
                now=now,
                expires_at=expires_at,
            )

        return token, await self._database.write(work)

    async def revoke_token(self, user: UserName, token_id: int) -> None:
        try:
            await self._database.write(lambda session: stored.delete_token(session, user, token_id))
        finally:
            self._forget(user)

    def _forget(self, name: str) -> None:
        self._known.forget_user(name)
        self._on_change(name)
