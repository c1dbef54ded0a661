"""Accounts on a real host: the sandboxed core under its own user, and the command `toru user`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hosts.host import Host

DATABASE = "/var/lib/toru/toru.db"
PASSWORD = "Correct-Horse-1"  # noqa: S105  of nobody

# From inside the host, with what a Debian has: prints status, headers and body.
CURL = ("curl", "--silent", "--show-error", "--include", "-m30", "-HContent-Type: application/json")


class Api:
    """The core, asked with curl."""

    def __init__(self, host: Host) -> None:
        self.host = host
        listening = host.run("systemctl", "show", "--property=Listen", "toru.socket").stdout
        match = re.search(r"127\.0\.0\.1:[0-9]+", listening)
        assert match, listening
        self.address = match[0]

    def __call__(  # noqa: PLR0913  (what may differ between two requests)
        self, method: str, path: str, body: object = None, *, cookie: str = "", user: str | None = None, by: str = "web"
    ) -> tuple[int, dict[str, str], Any]:
        to = [] if by == "web" else ["--unix-socket", "/run/toru/api.sock"]
        sent = [] if body is None else ["--data", json.dumps(body)]
        shown = ["--cookie", cookie] if cookie else []
        said = self.host.run(
            *CURL, "--request", method, *sent, *shown, *to, f"http://{self.address}{path}", user=user
        ).stdout
        head, _, text = said.replace("\r\n", "\n").partition("\n\n")
        status, *lines = head.splitlines()
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(status.split()[1]), headers, json.loads(text)

    def login(self, name: str, password: str) -> tuple[int, str]:
        status, headers, _ = self("POST", "/api/auth/login", {"name": name, "password": password})
        return status, headers.get("set-cookie", "").partition(";")[0]


@pytest.fixture
def api(host: Host) -> Iterator[Api]:
    """A core with an empty database."""
    start_anew(host)
    yield Api(host)
    host.run("rm", "-rf", "/etc/credstore/toru-admin-password")
    start_anew(host)


def start_anew(host: Host) -> None:
    host.run("systemctl", "stop", "toru.service", "toru.socket")
    host.run("sh", "-c", f"rm -f {DATABASE}*")
    start(host)


def start(host: Host) -> None:
    host.run("systemctl", "reset-failed", "toru.socket")  # systemd minds a socket that comes and goes
    host.run("systemctl", "start", "toru.socket", "toru.service")


@pytest.mark.req("SEC-2", "SEC-3", "API-6")
def test_the_sandboxed_core_hashes_checks_and_remembers(api: Api, host: Host) -> None:
    host.run("toru", "user", "add", "ann", "--admin", input=f"{PASSWORD}\n")
    status, cookie = api.login("ann", PASSWORD)
    assert status == 200
    assert api("GET", "/api/auth/me", cookie=cookie)[2]["name"] == "ann"
    host.run("systemctl", "restart", "toru.service")
    assert api("GET", "/api/auth/me", cookie=cookie)[2]["name"] == "ann"
    assert api.login("ann", "Wrong-Password-1")[0] == 401
    # Nobody else can read it.
    owner = host.run("stat", "--format=%U %G %a", DATABASE).stdout.split()
    assert owner == ["toru", "toru", "600"]


@pytest.mark.req("API-6")
def test_the_first_admin_comes_from_a_credential(api: Api, host: Host) -> None:
    assert host.run("toru", "user", "list").stdout == ""
    host.put("/etc/credstore/toru-admin-password", "From-A-Credential-1\n", 0o600)
    host.run("systemctl", "restart", "toru.service")
    assert host.run("toru", "user", "list").stdout == "admin\tadmin\tactive\tall plugins\n"
    assert api.login("admin", "From-A-Credential-1")[0] == 200


@pytest.mark.req("SEC-1")
def test_at_api_sock_root_and_the_group_are_admins_and_others_nobody(api: Api, host: Host) -> None:
    assert api("GET", "/api/users", by="socket")[0] == 200
    assert api("GET", "/api/users", by="socket", user="nobody")[0] == 401
    assert api("GET", "/api/users", by="socket", user="toru")[0] == 401
    assert api("GET", "/api/users")[0] == 401
    host.run("useradd", "--system", "--groups", "toru-admin", "opal")
    try:
        assert api("GET", "/api/auth/me", by="socket", user="opal")[2]["name"] == "opal"
        assert host.run("toru", "user", "list", user="opal").returncode == 0
    finally:
        host.run("userdel", "opal")


@pytest.mark.req("OPS-3", "API-6")
@pytest.mark.parametrize("core", ["up", "down"])
def test_users_are_managed_with_the_core_up_or_down(api: Api, host: Host, core: str) -> None:
    def toru(*arguments: str, **options: Any) -> Any:
        return host.run("toru", "user", *arguments, check=False, **options)

    if core == "down":
        host.run("systemctl", "stop", "toru.socket", "toru.service")
    made = json.loads(toru("add", "ann", "--admin", "--generate", "--json").stdout)
    assert toru("add", "bob", "--plugin", "clock", input=f"{PASSWORD}\n").returncode == 0
    assert toru("add", "bob", input=f"{PASSWORD}\n").stderr == "toru: there is a user bob already\n"
    assert "this password has 4 characters" in toru("add", "carl", input="weak\n").stderr
    assert toru("disable", "ann").stderr.startswith("toru: ann is the last admin who can sign in")
    assert toru("disable", "bob").returncode == 0
    assert toru("list").stdout == "ann\tadmin\tactive\tall plugins\nbob\tclient\tdisabled\tclock\n"
    assert toru("enable", "bob").returncode == 0
    assert toru("passwd", "bob", input="Another-One-2\n").returncode == 0
    assert toru("passwd", "../x", input="Another-One-2\n").returncode == 1
    refused = toru("list", user="nobody")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "root" in refused.stderr
    assert set(host.run("stat", "--format=%U", DATABASE).stdout.split()) == {"toru"}
    start(host)
    assert api.login("ann", made["password"])[0] == 200
    assert api.login("bob", PASSWORD)[0] == 401
    assert api.login("bob", "Another-One-2")[0] == 200


@pytest.mark.req("SEC-2")
def test_a_user_who_is_disabled_by_command_is_out_at_once(api: Api, host: Host) -> None:
    host.run("toru", "user", "add", "ann", input=f"{PASSWORD}\n")
    _, cookie = api.login("ann", PASSWORD)
    assert api("GET", "/api/auth/me", cookie=cookie)[0] == 200
    host.run("toru", "user", "disable", "ann")
    assert api("GET", "/api/auth/me", cookie=cookie)[0] == 401


def test_a_database_that_is_spoiled_is_told_and_the_core_goes_on(api: Api, host: Host) -> None:
    since = host.cursor()
    host.run("systemctl", "stop", "toru.service", "toru.socket")
    host.run("sh", "-c", f"rm -f {DATABASE}-*; echo this is no database at all, however long > {DATABASE}")
    start(host)
    assert api("GET", "/api/health")[0] == 200
    status, _, problem = api("POST", "/api/auth/login", {"name": "ann", "password": PASSWORD})
    assert (status, problem["code"]) == (503, "store-unavailable")
    told = [entry["MESSAGE"] for entry in host.journal("_SYSTEMD_UNIT=toru.service", since_cursor=since)]
    assert any("not a database" in message for message in told)
    host.run("sh", "-c", f"rm -f {DATABASE}*")
    # It is tried again by itself.
    host.wait_for("a database", lambda: api.login("ann", PASSWORD)[0] == 401)
