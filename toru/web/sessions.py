"""Sessions: the browsers that a user has signed in with, to look at and to end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from toru.core.accounts import Accounts
from toru.domain.errors import Forbidden
from toru.domain.people import Caller, SessionFacts, UserName, Via
from toru.web.auth import Done, Session
from toru.web.caller import AdminCaller, AnyCaller, Person
from toru.web.users import Named


class SessionRow(BaseModel):
    id: int
    user: str
    began_at: datetime
    seen_at: datetime = Field(description="when something was last asked by it")
    expires_at: datetime
    address: str | None = Field(description="where the sign-in came from; null: not known")
    browser: str | None = Field(description="what the browser says it is (`User-Agent`); null: not known")
    current: bool = Field(description="whether it is the one that is asking")

    @classmethod
    def of(cls, facts: SessionFacts, *, current: bool) -> Self:
        return cls(
            id=facts.id,
            user=facts.user,
            began_at=datetime.fromtimestamp(facts.began_at, UTC),
            seen_at=datetime.fromtimestamp(facts.seen_at, UTC),
            expires_at=datetime.fromtimestamp(facts.expires_at, UTC),
            address=facts.address,
            browser=facts.browser,
            current=current,
        )


class Ended(Done):
    ended: int = Field(description="how many sessions there were")


# As large as a database's counter.
SessionId = Annotated[int, Path(ge=1, lt=2**63, description="a session's id")]


def router(accounts: Accounts) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["sessions"])

    async def of(user: UserName, token: str | None) -> list[SessionRow]:
        return [SessionRow.of(facts, current=current) for facts, current in await accounts.sessions(user, token)]

    @routes.get("/sessions")
    async def sessions(caller: AnyCaller, token: Session = None) -> list[SessionRow]:
        """One's own, the last seen first."""
        return await of(_owner(caller), token)

    @routes.delete("/sessions")
    async def end_others(caller: Person, token: Session = None) -> Ended:
        """Sign out everywhere else: all of one's own but the one that is asking."""
        return Ended(ended=await accounts.end_sessions(_owner(caller), but=token))

    @routes.delete("/sessions/{session_id}")
    async def end(caller: AnyCaller, session_id: SessionId) -> Done:
        """Sign out one of one's own. Whatever it reads ends at once."""
        await accounts.end_session(_owner(caller), session_id)
        return Done()

    @routes.get("/users/{name}/sessions")
    async def sessions_of(_caller: AdminCaller, name: Named, token: Session = None) -> list[SessionRow]:
        """Another user's, the last seen first."""
        return await of(name, token)

    @routes.delete("/users/{name}/sessions")
    async def end_all_of(_caller: AdminCaller, name: Named) -> Ended:
        """Sign a user out everywhere. Who may still sign in can do so again."""
        return Ended(ended=await accounts.end_sessions(name))

    @routes.delete("/users/{name}/sessions/{session_id}")
    async def end_of(_caller: AdminCaller, name: Named, session_id: SessionId) -> Done:
        """Sign a user out in one place."""
        await accounts.end_session(name, session_id)
        return Done()

    return routes


def _owner(caller: Caller) -> UserName:
    if caller.via is Via.PEER:
        raise Forbidden(f"{caller.name} is known to the kernel here, and has no sessions")
    return UserName(caller.name)
