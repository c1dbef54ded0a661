"""The browsers that people are signed in with: what is told of them, and how they are ended."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.web.server import ADMIN, CLIENT, PASSWORD, Site

pytestmark = pytest.mark.req("API-6", "SEC-2")

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def signed_in_with(site: Site, browser: str, name: str = CLIENT) -> httpx.Client:
    client = site.nobody(headers={"User-Agent": browser})
    assert client.post("/api/auth/login", json={"name": name, "password": PASSWORD}).status_code == 200
    return client


def is_signed_in(client: httpx.Client) -> bool:
    return client.get("/api/auth/me").status_code == 200


def test_a_session_says_when_it_began_was_last_seen_from_where_and_by_which_browser(site: Site) -> None:
    client = signed_in_with(site, FIREFOX)
    site.clock.now += 3600
    (session,) = client.get("/api/sessions").json()
    assert session.pop("id") >= 1
    assert session == {
        "user": CLIENT,
        "began_at": "2027-01-15T08:00:00Z",
        "seen_at": "2027-01-15T09:00:00Z",
        "expires_at": "2027-01-22T08:00:00Z",
        "address": "127.0.0.1",
        "browser": FIREFOX,
        "current": True,
    }


def test_when_a_browser_was_last_seen_is_written_down(site: Site) -> None:
    client, admin = signed_in_with(site, FIREFOX), site.signed_in(ADMIN)
    site.clock.now += 60
    assert is_signed_in(client)
    site.do(site.accounts.write_seen())
    site.accounts._known.forget_all()  # as a core that has just started
    site.clock.now += 3600
    (session,) = admin.get(f"/api/users/{CLIENT}/sessions").json()
    assert session["seen_at"] == "2027-01-15T08:01:00Z"


def test_the_last_seen_comes_first_and_one_is_that_which_asks(site: Site) -> None:
    first, second = signed_in_with(site, "first"), signed_in_with(site, "second")
    site.clock.now += 1
    sessions = first.get("/api/sessions").json()
    assert [(it["browser"], it["current"]) for it in sessions] == [("first", True), ("second", False)]
    site.clock.now += 1
    assert [it["browser"] for it in second.get("/api/sessions").json()] == ["second", "first"]


def test_what_has_expired_is_shown_no_more(site: Site) -> None:
    signed_in_with(site, "old")
    site.clock.now += 7 * 86_400
    assert [it["browser"] for it in signed_in_with(site, "new").get("/api/sessions").json()] == ["new"]


def test_one_session_is_ended_and_no_other(site: Site) -> None:
    here, there = signed_in_with(site, "here"), signed_in_with(site, "there")
    ids = {it["browser"]: it["id"] for it in here.get("/api/sessions").json()}
    assert here.delete(f"/api/sessions/{ids['there']}").json() == {"success": True}
    assert (is_signed_in(here), is_signed_in(there)) == (True, False)
    again = here.delete(f"/api/sessions/{ids['there']}")
    assert (again.status_code, again.json()["code"]) == (404, "unknown-session")


def test_all_but_this_one_are_ended(site: Site) -> None:
    here, *others = (signed_in_with(site, browser) for browser in ("here", "there", "anywhere"))
    another_user = site.signed_in(ADMIN)
    assert here.delete("/api/sessions").json() == {"success": True, "ended": 2}
    assert is_signed_in(here)
    assert is_signed_in(another_user)
    assert not any(is_signed_in(other) for other in others)


def test_an_admin_sees_and_ends_the_sessions_of_others(site: Site) -> None:
    admin, client = site.signed_in(ADMIN), signed_in_with(site, FIREFOX)
    (session,) = admin.get(f"/api/users/{CLIENT}/sessions").json()
    assert (session["browser"], session["current"]) == (FIREFOX, False)
    assert admin.delete(f"/api/users/{CLIENT}/sessions/{session['id']}").status_code == 200
    assert not is_signed_in(client)
    signed_in_with(site, "again")
    assert admin.delete(f"/api/users/{CLIENT}/sessions").json()["ended"] == 1
    assert admin.get(f"/api/users/{CLIENT}/sessions").json() == []


@pytest.mark.req("SEC-1")
def test_nobody_ends_a_session_of_somebody_else_by_its_number(site: Site) -> None:
    admin, client = site.signed_in(ADMIN), site.signed_in(CLIENT)
    (session,) = admin.get("/api/sessions").json()
    assert client.delete(f"/api/sessions/{session['id']}").status_code == 404
    assert is_signed_in(admin)


@pytest.mark.req("SEC-5")
def test_what_a_browser_says_of_itself_is_text_of_bounded_length(site: Site) -> None:
    client = signed_in_with(site, "<script>alert(1)</script>\t" + "x" * 1000)
    (session,) = client.get("/api/sessions").json()
    assert session["browser"].startswith("<script>alert(1)</script>xxx")
    assert len(session["browser"]) == 255


def test_the_database_holds_a_hash_of_the_token_and_not_the_token(site: Site) -> None:
    token = site.signed_in(CLIENT).cookies["session_id"]
    path = site.database._engine.url.database
    assert path is not None
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT * FROM sessions").fetchall()
    assert len(rows) == 1
    assert token not in str(rows)
    assert all(token.encode() not in file.read_bytes() for file in Path(path).parent.glob("toru.db*"))
