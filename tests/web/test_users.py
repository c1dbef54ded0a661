"""Users and their API tokens."""

from __future__ import annotations

import pytest

from tests.web.server import ADMIN, CLIENT, PASSWORD, Site
from toru.domain.people import Role

pytestmark = pytest.mark.req("API-6")


def test_users_are_made_shown_changed_and_removed(site: Site) -> None:
    admin = site.signed_in(ADMIN)
    made = admin.post("/api/users", json={"name": "dora", "password": PASSWORD, "plugins": ["b", "a"]})
    assert made.status_code == 201
    expected = {
        "name": "dora",
        "role": "client",
        "disabled": False,
        "plugins": ["a", "b"],
        "created_at": "2027-01-15T08:00:00Z",
    }
    assert made.json() == expected
    assert admin.get("/api/users/dora").json() == expected
    assert [user["name"] for user in admin.get("/api/users").json()] == [ADMIN, CLIENT, "dora"]
    assert admin.patch("/api/users/dora", json={"plugins": []}).json()["plugins"] == []
    assert admin.patch("/api/users/dora", json={"role": "admin"}).json()["plugins"] == []
    assert admin.patch("/api/users/dora", json={"plugins": None}).json()["plugins"] is None
    dora = site.signed_in("dora")
    assert admin.delete("/api/users/dora").json() == {"success": True}
    assert dora.get("/api/auth/me").status_code == 401
    assert admin.get("/api/users/dora").status_code == 404
    assert admin.delete("/api/users/dora").status_code == 404


def test_a_name_is_taken_once(site: Site) -> None:
    answer = site.signed_in(ADMIN).post("/api/users", json={"name": CLIENT, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (409, "already-exists")


@pytest.mark.req("SEC-2")
def test_an_admins_new_password_for_somebody_ends_all_their_sessions(site: Site) -> None:
    admin, client = site.signed_in(ADMIN), site.signed_in(CLIENT)
    assert admin.patch(f"/api/users/{CLIENT}", json={"password": "Another-One-2"}).status_code == 200
    assert client.get("/api/auth/me").status_code == 401
    site.signed_in(CLIENT, "Another-One-2")


@pytest.mark.parametrize(
    "password",
    ["", "Ab1-", "Ab1-xyz", "abcdefgh", "abcdefg1", "ABCDEFG1", "12345678", "Abcdefgh", "A1-\x00abcd", "Aa1-" * 300],
)
@pytest.mark.req("SEC-2")
def test_weak_passwords_are_refused_with_the_rule(site: Site, password: str) -> None:
    answer = site.signed_in(ADMIN).post("/api/users", json={"name": "dora", "password": password})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-input")
    assert password == "" or password not in answer.text


@pytest.mark.parametrize("password", ["Abcdefg1", "abcdef1-", "ABCDEF1 ", "Straße 1", "пароль Я1"])
def test_these_passwords_will_do(site: Site, password: str) -> None:
    assert site.signed_in(ADMIN).post("/api/users", json={"name": "dora", "password": password}).status_code == 201
    site.signed_in("dora", password)


def test_the_last_admin_who_can_sign_in_stays(site: Site) -> None:
    admin = site.signed_in(ADMIN)
    site.add_user("dora", Role.ADMIN)
    assert admin.patch("/api/users/dora", json={"disabled": True}).status_code == 200
    for answer in (
        admin.patch(f"/api/users/{ADMIN}", json={"disabled": True}),
        admin.patch(f"/api/users/{ADMIN}", json={"role": "client"}),
        admin.patch(f"/api/users/{ADMIN}", json={"role": "client", "disabled": False}),
        admin.delete(f"/api/users/{ADMIN}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last-admin")
    assert admin.get("/api/auth/me").json()["role"] == "admin"
    admin.patch("/api/users/dora", json={"disabled": False})
    assert admin.delete(f"/api/users/{ADMIN}").status_code == 200


def test_a_change_is_all_or_nothing(site: Site) -> None:
    admin = site.signed_in(ADMIN)
    answer = admin.patch(f"/api/users/{ADMIN}", json={"plugins": ["a"], "disabled": True, "role": "client"})
    assert answer.status_code == 409
    assert admin.get(f"/api/users/{ADMIN}").json()["plugins"] is None


# API tokens.


def test_a_token_is_shown_once_and_works_until_it_expires(site: Site) -> None:
    client = site.signed_in(CLIENT)
    made = client.post(
        "/api/tokens", json={"name": "backup", "scopes": ["read"], "expires_at": "2027-01-15T09:00:00+01:00"}
    )
    assert made.status_code == 400, "that is now"
    made = client.post(
        "/api/tokens", json={"name": "backup", "scopes": ["read"], "expires_at": "2027-01-15T09:01:00+01:00"}
    )
    assert made.status_code == 201
    token = made.json().pop("token")
    assert token.startswith("toru_")
    listed = client.get("/api/tokens")
    assert token not in listed.text
    assert listed.json() == [{key: value for key, value in made.json().items() if key != "token"}]
    script = site.bearer(token)
    me = script.get("/api/auth/me").json()
    assert (me["name"], me["via"], me["scopes"]) == (CLIENT, "token", ["read"])
    site.clock.now += 59
    assert script.get("/api/auth/me").status_code == 200
    site.clock.now += 1
    assert script.get("/api/auth/me").status_code == 401


def test_a_token_does_what_its_scopes_and_its_user_allow(site: Site) -> None:
    admin = site.signed_in(ADMIN)
    tokens = {
        scope: admin.post("/api/tokens", json={"name": scope, "scopes": [scope]}).json()["token"]
        for scope in ("read", "use", "manage")
    }
    read, use, manage = (site.bearer(tokens[scope]) for scope in ("read", "use", "manage"))
    change = {"role": "client"}
    assert read.get("/api/users").status_code == 200
    assert use.get("/api/users").status_code == 403
    assert manage.get("/api/users").status_code == 200
    assert read.patch(f"/api/users/{CLIENT}", json=change).status_code == 403
    assert use.patch(f"/api/users/{CLIENT}", json=change).status_code == 403
    assert manage.patch(f"/api/users/{CLIENT}", json=change).status_code == 200
    assert manage.post("/api/tokens", json={"name": "x", "scopes": ["manage"]}).status_code == 403
    of_client = site.signed_in(CLIENT).post("/api/tokens", json={"name": "x", "scopes": ["manage"]}).json()["token"]
    assert site.bearer(of_client).get("/api/users").status_code == 403


def test_a_token_that_is_withdrawn_is_worth_nothing_at_once(site: Site) -> None:
    client, admin = site.signed_in(CLIENT), site.signed_in(ADMIN)
    made = [client.post("/api/tokens", json={"name": name, "scopes": ["read"]}).json() for name in ("a", "b")]
    scripts = [site.bearer(it["token"]) for it in made]
    assert {script.get("/api/auth/me").status_code for script in scripts} == {200}
    other = site.signed_in(ADMIN)
    assert other.delete(f"/api/tokens/{made[0]['id']}").status_code == 404, "it is somebody else's"
    assert client.delete(f"/api/tokens/{made[0]['id']}").status_code == 200
    assert admin.delete(f"/api/users/{CLIENT}/tokens/{made[1]['id']}").status_code == 200
    assert {script.get("/api/auth/me").status_code for script in scripts} == {401}
    assert admin.get(f"/api/users/{CLIENT}/tokens").json() == []


def test_a_session_is_no_api_token_and_the_other_way_round(site: Site) -> None:
    client = site.signed_in(CLIENT)
    session = client.cookies["session_id"]
    token = client.post("/api/tokens", json={"name": "a", "scopes": ["read"]}).json()["token"]
    assert site.bearer(session).get("/api/auth/me").status_code == 401
    assert site.nobody(cookies={"session_id": token}).get("/api/auth/me").status_code == 401
