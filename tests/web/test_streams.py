"""Streams end with what their readers may: at once, whoever takes it away, and by themselves when its time is over."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.web.server import ADMIN, PASSWORD, QUICK, Site
from toru.core import accounts as core_accounts
from toru.core import live as core_live
from toru.core.accounts import SESSION_SECONDS, Accounts, Change
from toru.core.passwords import Passwords
from toru.domain.people import Role, UserName
from toru.store.engine import Database
from toru.web import streams

pytestmark = pytest.mark.req("UI-6", "SEC-2")

DORA, ANOTHER = UserName("dora"), "Another-One-2"
SCREEN = "/api/stream"
LOG = "/api/plugins/clock/logs/stream"


@contextmanager
def reading(client: httpx.Client, *paths: str) -> Iterator[Sequence[Iterator[str]]]:
    """The lines of these streams, after the first."""
    with ExitStack() as opened:
        found = []
        for path in paths:
            answer = opened.enter_context(client.stream("GET", path, timeout=10))
            assert answer.status_code == 200, answer.read()
            lines = answer.iter_lines()
            assert next(lines) == "retry: 1000"
            found.append(lines)
        yield found


def status(client: httpx.Client, path: str) -> int:
    with client.stream("GET", path) as answer:
        return answer.status_code


class Dora:
    """An admin who is signed in, and has an API token."""

    def __init__(self, site: Site) -> None:
        site.know("clock")
        site.add_user(DORA, Role.ADMIN)
        self.site = site
        self.admin = site.signed_in(ADMIN)
        self.session = site.signed_in(DORA)
        made = self.session.post("/api/tokens", json={"name": "script", "scopes": ["read"]}).json()
        self.token, self.token_id = made["token"], made["id"]

    def by(self, way: str) -> httpx.Client:
        """One more client of hers."""
        if way == "token":
            return self.site.bearer(self.token)
        return self.site.nobody(cookies=dict(self.session.cookies))

    def changed(self, **what: Any) -> httpx.Response:
        return self.admin.patch(f"/api/users/{DORA}", json=what)

    def ends(self, client: httpx.Client, sessions: str) -> httpx.Response:
        """Her only session, by whoever this is."""
        (session,) = client.get(sessions).json()
        return client.delete(f"{sessions}/{session['id']}")

    def changes_her_password_elsewhere(self) -> httpx.Response:
        elsewhere = self.site.signed_in(DORA)
        return elsewhere.put("/api/auth/password", json={"old": PASSWORD, "new": ANOTHER})


# What happens while she reads, and what she is told who comes again: with the session, with the token.
DEEDS: dict[str, tuple[Callable[[Dora], httpx.Response], int, int]] = {
    "disabled": (lambda dora: dora.changed(disabled=True), 401, 401),
    "deleted": (lambda dora: dora.admin.delete(f"/api/users/{DORA}"), 401, 401),
    "no admin any more": (lambda dora: dora.changed(role="client"), 403, 403),
    "other plugins": (lambda dora: dora.changed(plugins=["weather"]), 200, 200),
    "a password of an admin's": (lambda dora: dora.changed(password=ANOTHER), 401, 200),
    "a password of her own": (Dora.changes_her_password_elsewhere, 401, 200),
    "signed out": (lambda dora: dora.session.post("/api/auth/logout"), 401, 200),
    "session ended by her": (lambda dora: dora.ends(dora.session, "/api/sessions"), 401, 200),
    "session ended by an admin": (lambda dora: dora.ends(dora.admin, f"/api/users/{DORA}/sessions"), 401, 200),
    "all her sessions ended": (lambda dora: dora.admin.delete(f"/api/users/{DORA}/sessions"), 401, 200),
    "token revoked": (lambda dora: dora.session.delete(f"/api/tokens/{dora.token_id}"), 200, 401),
    "token revoked by an admin": (
        lambda dora: dora.admin.delete(f"/api/users/{DORA}/tokens/{dora.token_id}"),
        200,
        401,
    ),
}


@pytest.mark.parametrize("way", ["session", "token"])
@pytest.mark.parametrize("deed", DEEDS)
def test_whoever_may_do_less_reads_no_more(site: Site, deed: str, way: str) -> None:
    done, by_session, by_token = DEEDS[deed]
    dora = Dora(site)
    with reading(dora.by(way), SCREEN, LOG) as (screen, log), reading(dora.admin, SCREEN) as (other,):
        assert done(dora).status_code == 200
        site.publish("afterwards")
        assert "event: afterwards" not in list(screen)
        assert "".join(log) == ""
        assert "event: afterwards" in other, "nobody else is cut off"
    assert status(dora.by(way), LOG) == (by_session if way == "session" else by_token)


def test_a_client_who_loses_a_plugin_sees_it_no_more(site: Site) -> None:
    dora = Dora(site)
    dora.changed(role="client", plugins=["clock"])
    with reading(dora.by("session"), SCREEN) as (screen,):
        dora.changed(plugins=[])
        assert not [line for line in screen if line.startswith("event: ") and line != "event: hello"]


@pytest.mark.parametrize("way", ["session", "token"])
def test_a_stream_ends_when_its_readers_time_is_over(site: Site, way: str) -> None:
    dora = Dora(site)
    if way == "token":
        soon = datetime.fromtimestamp(site.clock.now + 0.5, UTC).isoformat()
        made = dora.session.post("/api/tokens", json={"name": "short", "scopes": ["read"], "expires_at": soon})
        dora.token = made.json()["token"]
    else:
        site.clock.now += SESSION_SECONDS - 0.5
    admin = site.signed_in(ADMIN)
    with reading(dora.by(way), SCREEN, LOG) as (screen, log), reading(admin, SCREEN) as (other,):
        site.clock.now += 0.5
        assert "event: hello" in list(screen)
        assert "".join(log) == ""
        site.publish("afterwards")
        assert "event: afterwards" in other
    assert status(dora.by(way), SCREEN) == 401


def test_the_clock_is_looked_at_again_and_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_accounts, "LOOK_AGAIN_SECONDS", 0.1)
    dora = Dora(site)
    with reading(dora.by("session"), SCREEN) as (screen,):
        site.clock.now += SESSION_SECONDS
        assert "event: hello" in list(screen)


@pytest.fixture
def shared(postgresql_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The application on a database that another host changes too."""
    monkeypatch.setattr(core_accounts, "FRESH_SECONDS", 0.2)
    database = Database(postgresql_url)
    database.migrate()
    site = Site(database, tmp_path)
    site.clock.wind_up()
    with site.running():
        site.add_user(ADMIN, Role.ADMIN)
        yield site
    database.close()


@pytest.mark.parametrize("way", ["session", "token"])
def test_what_another_host_takes_away_ends_streams_here(shared: Site, way: str) -> None:
    dora = Dora(shared)
    there = Accounts(shared.database, Passwords(QUICK), clock=shared.clock)
    with reading(dora.by(way), SCREEN, LOG) as (screen, log), reading(dora.admin, SCREEN) as (other,):
        shared.do(there.change(DORA, Change(role=Role.CLIENT)))
        assert "event: hello" in list(screen)
        assert "".join(log) == ""
        shared.publish("afterwards")
        assert "event: afterwards" in other


def test_whom_nobody_can_recognise_reads_no_more(shared: Site) -> None:
    dora = Dora(shared)
    with reading(dora.by("session"), SCREEN) as (screen,):
        shared.database._migrated = False
        assert "event: hello" in list(screen)
    assert status(dora.by("session"), SCREEN) == 503


def test_one_caller_does_not_take_all_the_room(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_live, "READERS_OF_ONE", 2)
    dora = Dora(site)
    with reading(dora.by("session"), SCREEN, LOG):
        assert status(dora.by("token"), SCREEN) == 429
        assert status(dora.admin, SCREEN) == 200
    site.wait_until(lambda: not site.live._readers)
    assert status(dora.by("token"), SCREEN) == 200


def test_a_reader_who_takes_nothing_is_let_go_of_all_the_same(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LAST_WORDS_SECONDS", 0.1)
    dora = Dora(site)
    cookie = f"session_id={dora.session.cookies['session_id']}"
    with socket.create_connection(("127.0.0.1", site.port)) as idler:
        idler.sendall(f"GET {SCREEN} HTTP/1.1\r\nHost: toru\r\nCookie: {cookie}\r\n\r\n".encode())
        assert idler.recv(12) == b"HTTP/1.1 200"
        for _ in range(20):
            site.publish("large", "x" * (1 << 20))
        assert site.live.watched
        dora.changed(disabled=True)
        site.wait_until(lambda: not site.live.watched)
