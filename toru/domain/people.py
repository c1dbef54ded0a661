"""Who may ask for what: roles, users, API tokens, and whoever is behind a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from toru.domain.errors import InvalidInput
from toru.domain.ids import PluginId

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class Role(StrEnum):
    ADMIN = "admin"
    """Everything."""
    CLIENT = "client"
    """Sees and uses plugins."""


class Scope(StrEnum):
    """What an API token is good for, within what its user may."""

    READ = "read"
    """Looking: what changes nothing."""
    USE = "use"
    """Requests to plugins, and their storage."""
    MANAGE = "manage"
    """Looking and changing."""


class Via(StrEnum):
    """How a caller is known."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105  a word, not a secret
    PEER = "peer"
    """api.sock, where the kernel says who connects."""
    PLUGIN = "plugin"


class UserName(str):
    """A user's name that can't be wrong: making one from anything else raises `InvalidInput`."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _NAME.fullmatch(text):
            raise InvalidInput(
                f"{text[:80]!r} is not a user's name: 1 to 64 lower-case letters, digits, dots, hyphens, underscores "
                "and @, beginning with a letter or digit",
                field="name",
            )
        return super().__new__(cls, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever is behind a request."""

    name: str
    role: Role | None
    """None: a plugin."""
    plugin: PluginId | None = None
    grants: frozenset[PluginId] | None = None
    """The plugins that a client may see; None: all of them."""
    via: Via = Via.SESSION
    scopes: frozenset[Scope] | None = None
    """None: no limits but the role's."""

    def may_see(self, plugin_id: PluginId) -> bool:
        """Whether a plugin exists for this caller. For another plugin it doesn't."""
        if self.plugin is not None:
            return self.plugin == plugin_id
        return self.role is Role.ADMIN or self.grants is None or plugin_id in self.grants

    def has_scope(self, scope: Scope) -> bool:
        if self.scopes is None:
            return True
        return scope in self.scopes or (scope is Scope.READ and Scope.MANAGE in self.scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user, as everybody but the password check sees one."""

    name: UserName
    role: Role
    disabled: bool
    grants: frozenset[PluginId] | None
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """An API token, but for the token itself, which is shown once."""

    id: int
    name: str
    user: UserName
    scopes: frozenset[Scope]
    created_at: float
    expires_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """A browser that somebody signed in with, but for its token, which that browser alone knows."""

    id: int
    user: UserName
    began_at: float
    seen_at: float
    """When something was last asked by it."""
    expires_at: float
    address: str | None
    """Where the sign-in came from. None: it is older than this column, and so is `browser`."""
    browser: str | None
    """What the browser said it is."""
