"""Users, for admins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, status
from pydantic import BaseModel, Field, SecretStr, WithJsonSchema

from toru.core.accounts import Accounts, Change
from toru.domain.errors import InvalidId, InvalidInput, UnknownUser
from toru.domain.ids import PluginId
from toru.domain.people import Account, Role, UserName
from toru.web.auth import Done, NewPassword
from toru.web.caller import AdminCaller
from toru.web.parameters import ID
from toru.web.problems import documented

# What the document says here is checked further in, where whatever makes a user or a plugin's id checks it.
Name = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": "^[a-z0-9][a-z0-9._@-]{0,63}$", "examples": ["ann"]})
]
PluginIds = Annotated[list[Annotated[str, WithJsonSchema(ID)]], Field(max_length=10_000)]


class NewUser(BaseModel):
    name: Name
    role: Role = Role.CLIENT
    password: NewPassword
    plugins: PluginIds | None = Field(default=None, description="the plugins this user may see; null: all of them")


class UserChange(BaseModel):
    """What is left out stays as it is."""

    role: Role | None = None
    disabled: bool | None = None
    password: NewPassword | None = None
    plugins: PluginIds | None = Field(default=None, description="null: all of them")


class User(BaseModel):
    name: str
    role: Role
    disabled: bool
    plugins: list[str] | None = Field(description="the plugins this user may see; null: all of them")
    created_at: datetime

    @classmethod
    def of(cls, account: Account) -> User:
        return cls(
            name=account.name,
            role=account.role,
            disabled=account.disabled,
            plugins=None if account.grants is None else sorted(account.grants),
            created_at=datetime.fromtimestamp(account.created_at, UTC),
        )


def named(name: Annotated[str, Path(description="a user's name")]) -> UserName:
    """What can't be a name is nobody's."""
    try:
        return UserName(name)
    except InvalidInput as error:
        raise UnknownUser(f"there is no user {name[:80]!r}", name=name[:80]) from error


Named = Annotated[UserName, Depends(named)]


def router(accounts: Accounts) -> APIRouter:
    routes = APIRouter(prefix="/api/users", tags=["users"])

    @routes.get("")
    async def users(_caller: AdminCaller) -> list[User]:
        """All of them, by name."""
        return [User.of(account) for account in await accounts.users()]

    @routes.post("", status_code=status.HTTP_201_CREATED, responses=documented(409))
    async def create(_caller: AdminCaller, body: NewUser) -> User:
        """Let somebody in."""
        password = body.password.get_secret_value()
        return User.of(await accounts.create(UserName(body.name), password, body.role, _ids(body.plugins)))

    @routes.get("/{name}")
    async def user(_caller: AdminCaller, name: Named) -> User:
        return User.of(await accounts.user(name))

    @routes.patch("/{name}", responses=documented(409))
    async def change(_caller: AdminCaller, name: Named, body: UserChange) -> User:
        """Change somebody. A user who is disabled, or whose password is another one, is signed out at once."""
        change = Change(
            role=body.role,
            disabled=body.disabled,
            password=_secret(body.password),
            with_grants="plugins" in body.model_fields_set,
            grants=_ids(body.plugins),
        )
        return User.of(await accounts.change(name, change))

    @routes.delete("/{name}", responses=documented(409))
    async def delete(_caller: AdminCaller, name: Named) -> Done:
        """Remove somebody, with sessions, API tokens and grants."""
        await accounts.delete(name)
        return Done()

    return routes


def _ids(texts: list[str] | None) -> frozenset[PluginId] | None:
    try:
        return None if texts is None else frozenset(PluginId(text) for text in texts)
    except InvalidId as error:
        raise InvalidInput(str(error), field="plugins") from error


def _secret(password: SecretStr | None) -> str | None:
    return None if password is None else password.get_secret_value()
