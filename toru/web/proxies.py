"""What a proxy before Toru says of the path it serves Toru under. It counts where `trusted_proxies` names the proxy."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection

_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+){1,8}")
_LONGEST = 256


def sound_prefix(said: str) -> str:
    """The path in X-Forwarded-Prefix, without a slash at its end; "" for what is none.

    It goes into cookies and redirects, so it has no signs but those that need no encoding in either.
    """
    path = said.rstrip("/")
    return path if len(path) <= _LONGEST and _PREFIX.fullmatch(path) else ""


def prefix_of(connection: HTTPConnection) -> str:
    """What stands before our own paths where the client sees them."""
    if not connection.scope.get("state", {}).get("proxy_is_trusted", False):
        return ""
    return sound_prefix(connection.headers.get("x-forwarded-prefix", ""))
