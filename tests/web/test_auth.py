"""Signing in, and staying so."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlmodel import select

from tests.web.server import ADMIN, CLIENT, PASSWORD, QUICK, Site
from toru.core.accounts import Accounts
from toru.core.passwords import Passwords
from toru.domain.people import Role, UserName
from toru.store.engine import Database
from toru.store.tables import SignIn

pytestmark = pytest.mark.req("API-6", "SEC-2")


def login(client: httpx.Client, name: str, password: str, **headers: str) -> httpx.Response:
    return client.post("/api/auth/login", json={"name": name, "password": password}, headers=headers)


def test_signing_in_sets_a_cookie_for_seven_days_that_no_script_can_read(site: Site) -> None:
    answer = login(site.nobody(), ADMIN, PASSWORD)
    assert answer.json() == {"name": "admin", "role": "admin", "plugins": None, "via": "session", "scopes": None}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("session_id=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
        "httponly",
        "max-age=604800",
        "path=/",
        "samesite=lax",
    }


def test_the_database_has_only_a_hash_of_the_token(site: Site) -> None:
    client = site.signed_in(ADMIN)
    token = client.cookies["session_id"]
    with site.database.reading() as session:
        kept = [row.token_hash for row in session.exec(select(SignIn))]
    assert len(kept) == 1
    assert token not in kept[0]


def test_me_says_who_is_asking(site: Site) -> None:
    site.add_user("dora", grants=["clock"])
    assert site.nobody().get("/api/auth/me").status_code == 401
    assert site.signed_in(CLIENT).get("/api/auth/me").json()["role"] == "client"
    assert site.signed_in("dora").get("/api/auth/me").json()["plugins"] == ["clock"]


def test_signing_out_ends_the_session_everywhere(site: Site) -> None:
    client = site.signed_in(ADMIN)
    token = client.cookies["session_id"]
    assert client.post("/api/auth/logout").json() == {"success": True}
    assert "session_id" not in client.cookies
    thief = site.nobody(cookies={"session_id": token})
    assert thief.get("/api/auth/me").status_code == 401
    assert site.nobody().post("/api/auth/logout").status_code == 200


def test_a_session_ends_after_seven_days(site: Site) -> None:
    client = site.signed_in(ADMIN)
    site.clock.now += 7 * 86_400 - 1
    assert client.get("/api/auth/me").status_code == 200
    site.clock.now += 1
    assert client.get("/api/auth/me").status_code == 401


def test_a_known_session_needs_no_database(site: Site) -> None:
    client = site.signed_in(ADMIN)
    assert client.get("/api/auth/me").status_code == 200
    site.database._migrated = False
    assert client.get("/api/auth/me").status_code == 200
    answer = site.nobody(cookies={"session_id": "somebody"}).get("/api/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")


def test_a_disabled_user_is_out_at_once_and_stays_out(site: Site) -> None:
    admin, client = site.signed_in(ADMIN), site.signed_in(CLIENT)
    token = client.post("/api/tokens", json={"name": "script", "scopes": ["read", "manage"]}).json()["token"]
    script = site.bearer(token)
    assert (client.get("/api/auth/me").status_code, script.get("/api/auth/me").status_code) == (200, 200)
    assert admin.patch(f"/api/users/{CLIENT}", json={"disabled": True}).json()["disabled"] is True
    assert (client.get("/api/auth/me").status_code, script.get("/api/auth/me").status_code) == (401, 401)
    refused = login(site.nobody(), CLIENT, PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (401, "sign-in-refused")
    admin.patch(f"/api/users/{CLIENT}", json={"disabled": False})
    assert client.get("/api/auth/me").status_code == 401, "a session that was ended must not come back"
    assert script.get("/api/auth/me").status_code == 200


def test_a_role_that_is_taken_away_is_gone_at_once(site: Site) -> None:
    site.add_user("dora", Role.ADMIN)
    dora = site.signed_in("dora")
    assert dora.get("/api/users").status_code == 200
    site.signed_in(ADMIN).patch("/api/users/dora", json={"role": "client"})
    assert dora.get("/api/users").status_code == 403


def test_the_old_password_is_needed_for_a_new_one_which_ends_other_sessions(site: Site) -> None:
    here, there = site.signed_in(CLIENT), site.signed_in(CLIENT)
    wrong = here.put("/api/auth/password", json={"old": "Not-The-One-1", "new": "Another-One-2"})
    assert wrong.status_code == 403
    weak = here.put("/api/auth/password", json={"old": PASSWORD, "new": "short"})
    assert (weak.status_code, weak.json()["facts"]) == (400, {"field": "password"})
    assert here.put("/api/auth/password", json={"old": PASSWORD, "new": "Another-One-2"}).status_code == 200
    assert here.get("/api/auth/me").status_code == 200
    assert there.get("/api/auth/me").status_code == 401
    assert login(site.nobody(), CLIENT, PASSWORD).status_code == 401
    site.signed_in(CLIENT, "Another-One-2")


def test_unknown_users_and_wrong_passwords_look_the_same(site: Site) -> None:
    client = site.nobody()
    answers = [login(client, name, "Wrong-Password-1") for name in (ADMIN, "nobody", "No Name At All", "")]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1
    assert answers[0].status_code == 401


def test_unknown_users_and_wrong_passwords_last_the_same(site: Site) -> None:
    # With real parameters, beside which everything else is noise.
    site.accounts._passwords = Passwords()
    site.do(site.accounts.create(UserName("real"), PASSWORD, Role.CLIENT))

    def seconds(name: str) -> float:
        client = site.nobody()
        site.clock.now += 4000  # beyond the limits' memory
        began = time.perf_counter()
        assert login(client, name, "Wrong-Password-1").status_code == 401
        return time.perf_counter() - began

    pairs = [(seconds("real"), seconds("unreal")) for _ in range(9)]
    # The least is what a busy machine adds nothing to.
    known, unknown = (min(times) for times in zip(*pairs, strict=True))
    assert 0.5 < known / unknown < 2


# Limits.


def test_failures_have_to_wait_ever_longer(site: Site) -> None:
    client = site.nobody()
    for _ in range(5):
        assert login(client, ADMIN, "Wrong-Password-1").status_code == 401
    refused = login(client, ADMIN, PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-attempts")
    assert refused.headers["retry-after"] == "1"
    site.clock.now += 1
    assert login(client, ADMIN, "Wrong-Password-1").status_code == 401
    assert login(client, ADMIN, "Wrong-Password-1").headers["retry-after"] == "2"
    site.clock.now += 2
    assert login(client, ADMIN, PASSWORD).status_code == 200
    assert login(client, ADMIN, "Wrong-Password-1").status_code == 401, "who got it right starts anew"


def test_many_at_once_are_no_way_around(site: Site) -> None:
    clients = [site.nobody() for _ in range(16)]
    with ThreadPoolExecutor(16) as threads:
        statuses = list(threads.map(lambda client: login(client, ADMIN, "Wrong-Password-1").status_code, clients))
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= 7


def test_many_right_ones_at_once_all_get_in(site: Site) -> None:
    clients = [site.nobody() for _ in range(30)]
    with ThreadPoolExecutor(10) as threads:
        assert {answer.status_code for answer in threads.map(lambda it: login(it, ADMIN, PASSWORD), clients)} == {200}


# Requests from other sites.


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "nonsense"}, 403),
        ({"Origin": "http://toru.example", "Host": "toru.example"}, 200),
        ({"Origin": "https://toru.example", "Host": "toru.example"}, 200),
        ({"Origin": "http://toru.example:8080", "Host": "toru.example"}, 403),
        ({"Origin": "http://evil.example", "Host": "toru.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://[::1"}, 403),
    ],
)
def test_only_pages_of_this_site_may_change_something(site: Site, headers: dict[str, str], status: int) -> None:
    client = site.signed_in(ADMIN)
    answer = client.patch(f"/api/users/{CLIENT}", json={"role": "client"}, headers=headers)
    assert answer.status_code == status
    assert client.get("/api/auth/me", headers=headers).status_code == 200
    assert login(site.nobody(), ADMIN, PASSWORD, **headers).status_code == status


def test_a_token_in_a_header_is_no_page(site: Site) -> None:
    token = site.signed_in(ADMIN).post("/api/tokens", json={"name": "t", "scopes": ["manage"]}).json()["token"]
    script = site.bearer(token)
    answer = script.patch(f"/api/users/{CLIENT}", json={"role": "client"}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 200


def test_sessions_outlive_the_process(site: Site, sqlite_url: str) -> None:
    token = site.signed_in(ADMIN).cookies["session_id"]

    database = Database(sqlite_url)
    database.migrate()
    again = Accounts(database, Passwords(QUICK), clock=site.clock)
    caller = site.do(again.recognise(token))
    assert caller is not None
    assert caller.name == ADMIN
    database.close()
