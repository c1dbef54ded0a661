"""Who may do what at api.sock."""

from __future__ import annotations

import pwd
import subprocess
from pathlib import Path

import pytest

from tests.web.server import ADMIN, CLIENT, Site
from toru.web import peer

# Asked by another user of this machine, without anything but Python.
ASK = """
import http.client, socket, sys
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
connection = Connection("toru")
connection.request("GET", "/api/users")
print(connection.getresponse().status)
"""


@pytest.fixture
def ask(site: Site) -> None:
    for directory in (site.api_socket.parent, *site.api_socket.parent.parents):
        if directory.is_relative_to("/tmp") and directory != Path("/tmp"):  # noqa: S108  where pytest has its own
            directory.chmod(0o755)


def as_user(site: Site, user: str, *groups: str) -> int:
    become = [
        "setpriv",
        f"--reuid={user}",
        f"--regid={pwd.getpwnam(user).pw_gid}",
        *(groups or ("--clear-groups",)),
        "--",
    ]
    asked = subprocess.run(
        [*become, "/usr/bin/python3", "-c", ASK, str(site.api_socket)],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    return int(asked.stdout)


@pytest.mark.req("SEC-1")
def test_root_is_an_admin_there(site: Site) -> None:
    assert site.peer().get("/api/auth/me").json() == {
        "name": "root",
        "role": "admin",
        "plugins": None,
        "via": "peer",
        "scopes": None,
    }
    assert site.peer().patch(f"/api/users/{CLIENT}", json={"role": "client"}).status_code == 200


@pytest.mark.req("SEC-1")
def test_members_of_the_group_are_admins_there_and_others_are_nobody(
    site: Site, ask: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "ADMINS", "games")  # a group that every Debian has
    assert as_user(site, "nobody") == 401
    assert as_user(site, "nobody", "--groups=games") == 200
    assert as_user(site, "nobody", "--groups=daemon,games,mail") == 200
    assert as_user(site, "games") == 200
    monkeypatch.setattr(peer, "ADMINS", "there-is-no-such-group")
    assert as_user(site, "nobody", "--groups=games") == 401


@pytest.mark.req("SEC-1")
def test_what_is_shown_counts_also_from_root(site: Site) -> None:
    root = site.peer()
    assert root.get("/api/auth/me", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert root.get("/api/auth/me", headers={"Cookie": "session_id=nonsense"}).status_code == 401
    token = site.signed_in(CLIENT).post("/api/tokens", json={"name": "x", "scopes": ["read"]}).json()["token"]
    assert root.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"}).json()["name"] == CLIENT


def test_over_tcp_nobody_is_a_peer(site: Site) -> None:
    assert site.nobody().get("/api/auth/me").status_code == 401


def test_every_request_of_a_connection_is_its_peers(site: Site) -> None:
    root = site.peer()
    assert {root.get("/api/users").status_code for _ in range(3)} == {200}
    site.signed_in(ADMIN)


@pytest.mark.req("KV-2")
def test_a_plugins_token_is_good_until_it_is_another(site: Site) -> None:
    clock = site.plugin("clock")
    url = "/api/plugins/clock/kv"
    assert clock.post(url, json={"action": "get", "key": "x"}).status_code == 200
    site.plugin("clock", "another token")
    assert clock.post(url, json={"action": "get", "key": "x"}).status_code == 401
    assert site.bearer("another token").post(url, json={"action": "get", "key": "x"}).status_code == 200
    (site.tokens / "clock").unlink()
    assert site.bearer("another token").post(url, json={"action": "get", "key": "x"}).status_code == 401
