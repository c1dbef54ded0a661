"""API tokens: each user's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, status
from pydantic import AwareDatetime, BaseModel, Field

from toru.core.accounts import Accounts
from toru.domain.errors import Forbidden
from toru.domain.people import Caller, Scope, TokenFacts, UserName, Via
from toru.web.auth import Done
from toru.web.caller import AdminCaller, AdminPerson, AnyCaller, Person
from toru.web.problems import documented
from toru.web.users import Named


class NewToken(BaseModel):
    name: str = Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["backup"])
    scopes: set[Scope] = Field(min_length=1, description="what it is good for, within what its user may")
    expires_at: AwareDatetime | None = Field(default=None, description="null: never")


class Token(BaseModel):
    id: int
    name: str
    user: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, facts: TokenFacts, **more: Any) -> Self:
        return cls(
            id=facts.id,
            name=facts.name,
            user=facts.user,
            scopes=sorted(facts.scopes),
            created_at=datetime.fromtimestamp(facts.created_at, UTC),
            expires_at=None if facts.expires_at is None else datetime.fromtimestamp(facts.expires_at, UTC),
            **more,
        )


class IssuedToken(Token):
    token: str = Field(description="shown this once: Toru keeps only its hash")


# As large as a database's counter.
TokenId = Annotated[int, Path(ge=1, lt=2**63, description="a token's id")]


def router(accounts: Accounts) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["tokens"])

    @routes.get("/tokens")
    async def tokens(caller: AnyCaller) -> list[Token]:
        """One's own, by name."""
        return [Token.of(facts) for facts in await accounts.tokens(_owner(caller))]

    async def issued(owner: UserName, wanted: NewToken) -> IssuedToken:
        expires_at = None if wanted.expires_at is None else wanted.expires_at.timestamp()
        token, facts = await accounts.issue_token(owner, wanted.name, frozenset(wanted.scopes), expires_at)
        return IssuedToken.of(facts, token=token)

    @routes.post("/tokens", status_code=status.HTTP_201_CREATED, responses=documented(409))
    async def issue(caller: Person, body: NewToken) -> IssuedToken:
        """A new one for oneself. A token can't make others."""
        return await issued(_owner(caller), body)

    @routes.delete("/tokens/{token_id}")
    async def revoke(caller: AnyCaller, token_id: TokenId) -> Done:
        """It is worth nothing from now on."""
        await accounts.revoke_token(_owner(caller), token_id)
        return Done()

    @routes.get("/users/{name}/tokens")
    async def tokens_of(_caller: AdminCaller, name: Named) -> list[Token]:
        """Another user's, by name."""
        return [Token.of(facts) for facts in await accounts.tokens(name)]

    @routes.post("/users/{name}/tokens", status_code=status.HTTP_201_CREATED, responses=documented(409))
    async def issue_for(_caller: AdminPerson, name: Named, body: NewToken) -> IssuedToken:
        """A new one for another user, such as a program's. A token can't make others."""
        return await issued(name, body)

    @routes.delete("/users/{name}/tokens/{token_id}")
    async def revoke_of(_caller: AdminCaller, name: Named, token_id: TokenId) -> Done:
        """It is worth nothing from now on."""
        await accounts.revoke_token(name, token_id)
        return Done()

    return routes


def _owner(caller: Caller) -> UserName:
    if caller.via is Via.PEER:
        raise Forbidden(f"{caller.name} needs no token here, and has no account that one could belong to")
    return UserName(caller.name)
