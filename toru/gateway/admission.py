"""Who is asking a plugin, and may they: from memory, by the API's own rules (toru/web/caller.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from toru.core.accounts import Accounts
from toru.domain.people import Caller, Scope
from toru.gateway import heads
from toru.gateway.forwarding import split_cookies
from toru.gateway.heads import Head
from toru.web.caller import Callers, bearer_token
from toru.web.edge import is_of_this_site
from toru.web.peer import Peer

REMEMBERED_SECONDS = 1.0
"""An answer of `Accounts` is used again for so long, unless somebody is forgotten meanwhile: then none is."""
REMEMBERED = 4096
LONGEST_REMEMBERED = 4096
"""Bytes of cookies."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows of who is behind it."""

    bearer: str | None
    cookie: str | None
    peer: Peer | None


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who may use plugins."""

    caller: Caller
    lines: bytes
    """What the plugin is told, each line with its end: the client's cookies without ours, and who is asking."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody who may not."""

    status: int
    code: str
    detail: str


class Admission:
    def __init__(self, accounts: Accounts, callers: Callers) -> None:
        self._accounts = accounts
        self._callers = callers
        self._by_cookie: dict[bytes, Admitted | Refused] = {}
        self._changes = -1
        self._until = 0.0

    def at_once(self, head: Head, peer: Peer | None, now: float) -> Admitted | Refused | Shown:
        """Who it is, if that is in memory; else what `in_time` needs."""
        said = head.said
        if heads.AUTHORIZATION not in said and (cookie := said.get(heads.COOKIE)) is not None:
            if now > self._until or self._changes != self._accounts.changes or len(self._by_cookie) > REMEMBERED:
                self._by_cookie.clear()
                self._until, self._changes = now + REMEMBERED_SECONDS, self._accounts.changes
            if (found := self._by_cookie.get(cookie)) is not None:
                return found
            shown, others = _shown(said, peer)
            caller = self._callers.known(shown.bearer, shown.cookie)
            if caller is None:
                return shown
            found = _verdict(caller, others)
            if len(cookie) <= LONGEST_REMEMBERED:
                self._by_cookie[cookie] = found
            return found
        shown, others = _shown(said, peer)
        caller = self._callers.known(shown.bearer, shown.cookie)
        return shown if caller is None else _verdict(caller, others)

    async def in_time(self, head: Head, shown: Shown) -> Admitted | Refused:
        """Who it is, from wherever it takes."""
        caller = await self._callers.who(shown.bearer, shown.cookie, shown.peer)
        if caller is None:
            return Refused(401, "unauthenticated", "sign in first")
        return _verdict(caller, _shown(head.said, None)[1])


def shown_by(head: Head, peer: Peer | None) -> Shown:
    """What is to be asked again later."""
    return _shown(head.said, peer)[0]


def _shown(said: Mapping[int, bytes], peer: Peer | None) -> tuple[Shown, bytes]:
    bearer = None
    if (authorization := said.get(heads.AUTHORIZATION)) is not None:
        bearer = bearer_token({"authorization": authorization.decode("latin-1")})
    token, others = split_cookies(said.get(heads.COOKIE, b""))
    return Shown(bearer, None if token is None else token.decode("latin-1"), peer), others


def _verdict(caller: Caller, cookies: bytes) -> Admitted | Refused:
    if caller.plugin is not None or caller.role is None:
        return Refused(403, "forbidden", "a plugin's token is good for its own storage, and for nothing else")
    if not caller.has_scope(Scope.USE):
        return Refused(403, "forbidden", f"this token lacks the scope {Scope.USE}")
    # A name of this host's may be anything (api.sock); a user's never changes by this.
    name = quote(caller.name, safe="@").encode()
    lines = b"X-Toru-User: %b\r\nX-Toru-Role: %b\r\n" % (name, caller.role.encode())
    return Admitted(caller, b"Cookie: %b\r\n%b" % (cookies, lines) if cookies else lines)


def is_cross_site(head: Head) -> bool:
    """Whether another site's page has lured a browser into this request; see `is_of_this_site`.

    A WebSocket's handshake is a GET, but what comes of it isn't bound to anything: it is asked like what changes
    something.
    """
    said = head.said
    names = {
        "authorization": heads.AUTHORIZATION,
        "sec-fetch-site": heads.SEC_FETCH_SITE,
        "origin": heads.ORIGIN,
        "host": heads.HOST,
    }
    headers = {name: said[meaning].decode("latin-1") for name, meaning in names.items() if meaning in said}
    method = "CONNECT" if head.upgrade else head.method.decode("latin-1")
    return not is_of_this_site(method, headers)
