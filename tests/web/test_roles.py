"""The role matrix: every route of the application, asked by everybody there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.web.document import routes_of
from tests.web.server import ADMIN, CLIENT, PASSWORD, Site
from toru.domain.people import Role
from toru.store.engine import Database

# Who asks. The last are nobody, wherever they ask.
ADMINS = frozenset({"admin", "admin's token", "root at api.sock"})
PEOPLE = ADMINS | {"client", "client's token", "client without grant"}
PLUGINS = frozenset({"plugin", "another plugin"})
LIMITED = {"admin's token to read": "read", "admin's token to use": "use"}
NOBODIES = frozenset(
    {
        *("nobody", "expired session", "session of a deleted user", "disabled user"),
        *("expired token", "revoked token", "disabled user's token", "wrong token"),
    }
)
EVERYBODY = PEOPLE | PLUGINS | LIMITED.keys() | NOBODIES

PLUGIN = "clock"
"""The plugin that paths speak of, and that "plugin" is."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Who may: nobody else is let in. `blind`: those for whom what the path names doesn't exist.

    A limited token may what its owner's full token may, if its scope is `to_use`, or this only looks.
    """

    may: frozenset[str]
    blind: frozenset[str] = frozenset()
    body: Any = None
    path: Mapping[str, str] = field(default_factory=dict)
    leaves_a_mark: bool = False
    """It changes who is signed in."""
    to_use: bool = False

    def lets_in(self, who: str, method: str) -> bool:
        if who not in LIMITED:
            return who in self.may
        if self.may >= NOBODIES:
            return True
        if "admin's token" not in self.may:
            return False
        return LIMITED[who] == "use" if self.to_use else LIMITED[who] == "read" and method in {"GET", "HEAD"}


ANYBODY = Row(may=EVERYBODY)
ANY_PERSON = Row(may=PEOPLE)
ADMIN_ONLY = Row(may=ADMINS)
WITH_GRANT = Row(may=PEOPLE - {"client without grant"}, blind=frozenset({"client without grant"}))
STORAGE = Row(may=WITH_GRANT.may | {"plugin"}, blind=WITH_GRANT.blind, to_use=True)
WITH_PASSWORD = frozenset({"admin", "client", "client without grant"})
NO_SUCH_USER = {"name": "no-such-user"}
TOO_LATE = {"name": "x", "scopes": ["read"], "expires_at": "2000-01-01T00:00:00Z"}
"""A token that nobody gets."""

MATRIX: dict[str, Row] = {
    "GET /api/health": ANYBODY,
    "GET /api/openapi.json": ANY_PERSON,
    "POST /api/auth/login": Row(may=EVERYBODY, body={"name": ADMIN, "password": PASSWORD}, leaves_a_mark=True),
    "POST /api/auth/logout": Row(may=EVERYBODY, leaves_a_mark=True),
    "GET /api/auth/me": ANY_PERSON,
    "PUT /api/auth/password": Row(may=WITH_PASSWORD, body={"old": PASSWORD, "new": "weak"}),
    "GET /api/users": ADMIN_ONLY,
    "POST /api/users": Row(may=ADMINS, body={"name": "x", "password": "weak"}),
    "GET /api/users/{name}": Row(may=ADMINS, path=NO_SUCH_USER),
    "PATCH /api/users/{name}": Row(may=ADMINS, path=NO_SUCH_USER, body={}),
    "DELETE /api/users/{name}": Row(may=ADMINS, path=NO_SUCH_USER),
    "GET /api/tokens": Row(may=PEOPLE - {"root at api.sock"}),
    "POST /api/tokens": Row(may=WITH_PASSWORD, body=TOO_LATE),
    "DELETE /api/tokens/{token_id}": Row(may=PEOPLE - {"root at api.sock"}, path={"token_id": "999"}),
    "GET /api/users/{name}/tokens": Row(may=ADMINS, path=NO_SUCH_USER),
    "POST /api/users/{name}/tokens": Row(may=ADMINS - {"admin's token"}, path=NO_SUCH_USER, body=TOO_LATE),
    "DELETE /api/users/{name}/tokens/{token_id}": Row(may=ADMINS, path={**NO_SUCH_USER, "token_id": "9"}),
    "GET /api/sessions": Row(may=PEOPLE - {"root at api.sock"}),
    "DELETE /api/sessions": Row(may=WITH_PASSWORD),
    "DELETE /api/sessions/{session_id}": Row(may=PEOPLE - {"root at api.sock"}, path={"session_id": "999"}),
    "GET /api/users/{name}/sessions": Row(may=ADMINS, path=NO_SUCH_USER),
    "DELETE /api/users/{name}/sessions": Row(may=ADMINS, path=NO_SUCH_USER),
    "DELETE /api/users/{name}/sessions/{session_id}": Row(may=ADMINS, path={**NO_SUCH_USER, "session_id": "9"}),
    "GET /api/plugins": ANY_PERSON,
    "GET /api/rejected": ADMIN_ONLY,
    "GET /api/plugins/{plugin_id}": WITH_GRANT,
    "GET /api/plugins/{plugin_id}/bundle.js": WITH_GRANT,
    "HEAD /api/plugins/{plugin_id}/bundle.js": WITH_GRANT,
    "GET /api/plugins/{plugin_id}/figures": WITH_GRANT,
    "GET /api/figures": ANY_PERSON,
    "GET /api/host": ADMIN_ONLY,
    "POST /api/plugins/{plugin_id}/enable": ADMIN_ONLY,
    "POST /api/plugins/{plugin_id}/disable": ADMIN_ONLY,
    "POST /api/plugins/{plugin_id}/restart": ADMIN_ONLY,
    "POST /api/plugins/{plugin_id}/pause": ADMIN_ONLY,
    "POST /api/plugins/{plugin_id}/resume": ADMIN_ONLY,
    "POST /api/plugins/{plugin_id}/retry": ADMIN_ONLY,
    "GET /api/plugins/{plugin_id}/logs": ADMIN_ONLY,
    "GET /api/plugins/{plugin_id}/logs/download": ADMIN_ONLY,
    "GET /api/plugins/{plugin_id}/logs/stream": ADMIN_ONLY,
    "GET /api/plugins/{plugin_id}/why": ADMIN_ONLY,
    "GET /api/plugins/{plugin_id}/runs": ADMIN_ONLY,
    "GET /api/plugins/{plugin_id}/runs/{invocation_id}": Row(may=ADMINS, path={"invocation_id": "0" * 32}),
    "GET /api/plugins/{plugin_id}/units": WITH_GRANT,
    "GET /api/stream": ANY_PERSON,
    "GET /api/events": ADMIN_ONLY,
    "GET /api/plugins/{plugin_id}/events": ADMIN_ONLY,
    "GET /api/plugins/{plugin_id}/kv": STORAGE,
    "POST /api/plugins/{plugin_id}/kv": replace(STORAGE, body={"action": "get", "key": "x"}),
    # Programs of this host are asked for nothing: what is no token is nothing.
    "GET /metrics": Row(
        may=ADMINS | {"nobody", "expired session", "session of a deleted user", "disabled user"},
    ),
}


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, httpx.Client]]:
    directory = tmp_path_factory.mktemp("site")
    database = Database(f"sqlite:///{directory}/toru.db")
    database.migrate()
    site = Site(database, directory)
    with site.running():
        yield everybody(site)
    database.close()


def everybody(site: Site) -> dict[str, httpx.Client]:
    site.add_user(ADMIN, Role.ADMIN)
    site.add_user(CLIENT, grants=[PLUGIN])
    site.add_user("without", grants=[])
    for name in ("gone", "deleted"):
        site.add_user(name)
    site.know(PLUGIN)

    def token(owner: str, name: str = "t", scopes: Sequence[str] = ("use", "manage"), **options: Any) -> dict[str, Any]:
        made = site.signed_in(owner).post("/api/tokens", json={"name": name, "scopes": scopes, **options})
        return dict(made.json())

    def by(made: Mapping[str, Any]) -> httpx.Client:
        return site.bearer(made["token"])

    expired_token = by(token(CLIENT, expires_at="2027-01-15T08:00:01Z"))
    expired = site.signed_in(CLIENT)
    site.clock.now += 8 * 86_400
    revoked = token(ADMIN, "revoked")
    callers = {
        "nobody": site.nobody(),
        "expired session": expired,
        "session of a deleted user": site.signed_in("deleted"),
        "disabled user": site.signed_in("gone"),
        "disabled user's token": by(token("gone")),
        "expired token": expired_token,
        "revoked token": by(revoked),
        "wrong token": site.bearer("x" * 43),
        "admin": site.signed_in(ADMIN),
        "admin's token": by(token(ADMIN)),
        **{who: by(token(ADMIN, who, [scope])) for who, scope in LIMITED.items()},
        "root at api.sock": site.peer(),
        "client": site.signed_in(CLIENT),
        "client's token": by(token(CLIENT, "another")),
        "client without grant": site.signed_in("without"),
        "plugin": site.plugin(PLUGIN),
        "another plugin": site.plugin("weather"),
    }
    admin = callers["admin"]
    admin.patch("/api/users/gone", json={"disabled": True})
    admin.delete("/api/users/deleted")
    admin.delete(f"/api/tokens/{revoked['id']}")
    return callers


def test_every_route_has_its_row(tmp_path: Path, sqlite_url: str) -> None:
    database = Database(sqlite_url)
    assert routes_of(Site(database, tmp_path).app) == set(MATRIX)
    database.close()


def client_of(client: httpx.Client, row: Row) -> httpx.Client:
    """The same caller, without its cookie where it has more to do with it."""
    if not row.leaves_a_mark:
        return client
    return httpx.Client(
        base_url=client.base_url, headers=client.headers, event_hooks=client.event_hooks, trust_env=False
    )


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("who", sorted(EVERYBODY))
@pytest.mark.parametrize("route", MATRIX)
def test_who_may(callers: Mapping[str, httpx.Client], route: str, who: str) -> None:
    row, (method, path) = MATRIX[route], route.split(" ")
    url = path.format_map({"plugin_id": PLUGIN, "id": PLUGIN, **row.path})
    with client_of(callers[who], row).stream(method, url, json=row.body) as answer:
        if answer.status_code != 200:  # a stream would have no end
            answer.read()
    said = answer.text if answer.status_code != 200 else ""
    if row.lets_in(who, method):
        assert answer.status_code not in (401, 403), said
    elif who in row.blind:
        assert answer.status_code == 404, said
    else:
        assert answer.status_code == (401 if who in NOBODIES else 403), said
