"""Who is behind a request, and may they: what a route asks for as a parameter.

AnyCaller       any person or API token
AdminCaller     an admin
AdminPerson     an admin who is a Person
PluginOrPerson  the same as AnyCaller, or a plugin; for storage, which plugins and people use
Person          signed in with a password, or known to the kernel: no API token
MaybeCaller     nobody is no error
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection

from toru.core.accounts import Accounts
from toru.core.known import token_hash
from toru.domain import places
from toru.domain.errors import Forbidden, InvalidId, Unauthenticated
from toru.domain.ids import PluginId
from toru.domain.people import Caller, Role, Scope, Via
from toru.web.peer import Peer

__all__ = ["AdminCaller", "AdminPerson", "AnyCaller", "Caller", "MaybeCaller", "Person", "PluginOrPerson", "Role"]

COOKIE = "session_id"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class PluginTokens:
    """The plugins' own tokens, as toru-admin wrote them."""

    def __init__(self, directory: Path = places.TOKENS) -> None:
        self._directory = directory
        self._ids: dict[str, PluginId] = {}
        self._as_of = -1

    def plugin_of(self, token: str) -> PluginId | None:
        try:
            changed = self._directory.stat().st_mtime_ns
            if changed != self._as_of:
                self._ids, self._as_of = dict(self._read()), changed
            plugin_id = self._ids.get(token_hash(token))
            if plugin_id is None:
                return None
            # Its file counts: a directory's time may stand still for a moment.
            written = (self._directory / plugin_id).read_bytes()
        except OSError:
            return None
        return plugin_id if hmac.compare_digest(written, token.encode("utf-8", "surrogatepass")) else None

    def _read(self) -> list[tuple[str, PluginId]]:
        found = []
        for entry in os.scandir(self._directory):
            try:
                found.append((token_hash(Path(entry).read_text(encoding="ascii")), PluginId(entry.name)))
            except (InvalidId, OSError, ValueError):
                continue  # half written, or not ours
        return found


class Callers:
    def __init__(self, accounts: Accounts, plugin_tokens: PluginTokens) -> None:
        self._accounts = accounts
        self._plugin_tokens = plugin_tokens

    async def behind(self, connection: HTTPConnection) -> Caller | None:
        """Whoever it is."""
        return await self.who(bearer_token(connection.headers), connection.cookies.get(COOKIE), peer_behind(connection))

    async def who(self, bearer: str | None, cookie: str | None, peer: Peer | None) -> Caller | None:
        """Whoever shows this. What is shown counts: a token that is worth nothing is nobody's, whoever brings it."""
        if (caller := self.known(bearer, cookie)) is not None:
            return caller
        if bearer is not None:
            if (plugin_id := self._plugin_tokens.plugin_of(bearer)) is not None:
                return Caller(name=plugin_id, role=None, plugin=plugin_id, via=Via.PLUGIN)
            caller = await self._accounts.recognise(bearer)
            return caller if caller is not None and caller.via is Via.TOKEN else None
        if cookie is not None:
            caller = await self._accounts.recognise(cookie)
            return caller if caller is not None and caller.via is Via.SESSION else None
        if peer is not None and peer.is_admin:
            return Caller(name=peer.name, role=Role.ADMIN, via=Via.PEER)
        return None

    def known(self, bearer: str | None, cookie: str | None) -> Caller | None:
        """The same, as far as it is in memory."""
        if bearer is not None:
            caller = self._accounts.known(bearer)
            return caller if caller is not None and caller.via is Via.TOKEN else None
        if cookie is not None:
            caller = self._accounts.known(cookie)
            return caller if caller is not None and caller.via is Via.SESSION else None
        return None

    async def until_another(self, connection: HTTPConnection, caller: Caller) -> None:
        """Returns when what this connection shows stands for this caller no longer."""
        token = connection.cookies.get(COOKIE) if caller.via is Via.SESSION else bearer_token(connection.headers)
        if caller.via not in (Via.SESSION, Via.TOKEN) or token is None:
            await asyncio.Event().wait()  # who has connected to api.sock stays who it is
        else:
            await self._accounts.until_another(token, caller)


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token in `Authorization: Bearer …`; "" where there is something else."""
    header = headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def peer_behind(connection: HTTPConnection) -> Peer | None:
    peer = connection.scope.get("state", {}).get("peer")
    return peer if isinstance(peer, Peer) else None


def address_of(connection: HTTPConnection) -> str:
    """Where a request comes from, for counting."""
    if connection.client is not None:
        return connection.client.host
    peer = peer_behind(connection)
    return f"uid {peer.uid}" if peer is not None else "unknown"


def browser_of(connection: HTTPConnection) -> str | None:
    """What a browser says it is: for people to tell theirs apart, and proof of nothing."""
    said = connection.headers.get("user-agent", "")
    return "".join(letter for letter in said if letter.isprintable())[:255] or None


# The routes' side. The schemes are for the OpenAPI document, and read nothing.

_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="What POST /api/auth/login sets.")
_bearer = HTTPBearer(auto_error=False, description="An API token, or a plugin's own token.")


async def maybe_caller(request: Request) -> Caller | None:
    callers: Callers = request.app.state.callers
    return await callers.behind(request)


def _caller(allowed: Callable[[Caller, Request], str | None]) -> Callable[..., Awaitable[Caller]]:
    async def dependency(
        request: Request,
        caller: Annotated[Caller | None, Depends(maybe_caller)],
        _cookie: Annotated[str | None, Depends(_cookie)] = None,
        _bearer: Annotated[object, Depends(_bearer)] = None,
    ) -> Caller:
        if caller is None:
            raise Unauthenticated("sign in first")
        if (refusal := allowed(caller, request)) is not None:
            raise Forbidden(refusal)
        return caller

    return dependency


def _any(caller: Caller, request: Request) -> str | None:
    if caller.plugin is not None:
        return "a plugin's token is good for its own storage, and for nothing else"
    needed = Scope.READ if request.method in SAFE else Scope.MANAGE
    return None if caller.has_scope(needed) else f"this token lacks the scope {needed}"


def _admin(caller: Caller, request: Request) -> str | None:
    if caller.plugin is None and caller.role is not Role.ADMIN:
        return "only an admin may do this"
    return _any(caller, request)


def _person(caller: Caller, request: Request) -> str | None:
    return "an API token is not enough for this: sign in" if caller.via is Via.TOKEN else _any(caller, request)


def _admin_person(caller: Caller, request: Request) -> str | None:
    return _admin(caller, request) or _person(caller, request)


def _plugin_or_person(caller: Caller, _request: Request) -> str | None:
    if caller.plugin is not None or caller.has_scope(Scope.USE):
        return None
    return f"this token lacks the scope {Scope.USE}"


AnyCaller = Annotated[Caller, Depends(_caller(_any))]
AdminCaller = Annotated[Caller, Depends(_caller(_admin))]
Person = Annotated[Caller, Depends(_caller(_person))]
AdminPerson = Annotated[Caller, Depends(_caller(_admin_person))]
PluginOrPerson = Annotated[Caller, Depends(_caller(_plugin_or_person))]
MaybeCaller = Annotated[Caller | None, Depends(maybe_caller)]
