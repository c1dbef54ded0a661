"""Signing in and out, and one's own account."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Cookie, Request, Response
from pydantic import BaseModel, Field, SecretStr, WithJsonSchema

from toru.core.accounts import SESSION_SECONDS, Accounts
from toru.core.passwords import LONGEST, RULE, SHORTEST
from toru.domain.errors import Forbidden
from toru.domain.people import Caller, Role, Scope, UserName, Via
from toru.web.caller import COOKIE, AnyCaller, Person, address_of, browser_of
from toru.web.problems import documented
from toru.web.proxies import prefix_of

Password = Annotated[SecretStr, Field(max_length=LONGEST)]
NewPassword = Annotated[
    Password,
    WithJsonSchema(
        {
            "type": "string",
            "format": "password",
            "writeOnly": True,
            "minLength": SHORTEST,
            "maxLength": LONGEST,
            "description": RULE,
        }
    ),
]


# How a caller is known is said in the document's securitySchemes.
Session = Annotated[str | None, Cookie(alias=COOKIE, max_length=256, include_in_schema=False)]


class SignIn(BaseModel):
    name: str = Field(max_length=64)
    password: Password


class PasswordChange(BaseModel):
    old: Password
    new: NewPassword


class Me(BaseModel):
    """Who is asking."""

    name: str
    role: Role
    plugins: list[str] | None = Field(description="the plugins that this caller may see; null: all of them")
    via: Via
    scopes: list[Scope] | None = Field(description="of an API token; null: no limits but the role's")

    @classmethod
    def of(cls, caller: Caller) -> Me:
        assert caller.role is not None  # noqa: S101  a plugin has no way here
        return cls(
            name=caller.name,
            role=caller.role,
            plugins=None if caller.grants is None else sorted(caller.grants),
            via=caller.via,
            scopes=None if caller.scopes is None else sorted(caller.scopes),
        )


class Done(BaseModel):
    success: Literal[True] = True


def router(accounts: Accounts) -> APIRouter:
    routes = APIRouter(prefix="/api/auth", tags=["auth"])

    @routes.post("/login", responses=documented(401, 403, 429))
    async def login(request: Request, response: Response, body: SignIn) -> Me:
        """Sign in: the answer sets the cookie that stands for it for seven days."""
        token, caller = await accounts.sign_in(
            body.name, body.password.get_secret_value(), address_of(request), browser_of(request)
        )
        response.set_cookie(
            COOKIE,
            token,
            max_age=SESSION_SECONDS,
            path=prefix_of(request) or "/",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return Me.of(caller)

    @routes.post("/logout", responses=documented(403))
    async def logout(request: Request, response: Response, token: Session = None) -> Done:
        """Sign out. Whoever wasn't signed in isn't now either."""
        if token is not None:
            await accounts.sign_out(token)
        response.delete_cookie(COOKIE, path=prefix_of(request) or "/", httponly=True, samesite="lax")
        return Done()

    @routes.get("/me")
    async def me(caller: AnyCaller) -> Me:
        """Who is asking."""
        return Me.of(caller)

    @routes.put("/password", responses=documented(429))
    async def password(
        caller: Person,
        request: Request,
        body: PasswordChange,
        token: Session = None,
    ) -> Done:
        """Change one's own password. It ends one's other sessions."""
        if caller.via is not Via.SESSION or token is None:
            raise Forbidden(f"{caller.name} has no password here")
        await accounts.change_own_password(
            UserName(caller.name),
            body.old.get_secret_value(),
            body.new.get_secret_value(),
            address_of(request),
            token=token,
        )
        return Done()

    return routes
