"""`toru token`."""

import json
from collections.abc import Iterator

import pytest

from tests.cli.command import Command

pytestmark = pytest.mark.req("OPS-3", "API-6")


@pytest.fixture(scope="module")
def people(toru: Command) -> Iterator[None]:
    """Ann is an admin, and Bob a client."""
    toru("user", "add", "ann", "--admin", "--generate")
    toru("user", "add", "bob", "--generate")
    yield
    # Not `toru user delete`: an admin must be left as long as there is anybody.
    toru.host.run("systemctl", "stop", "toru.service", "toru.socket")
    toru.host.run("sh", "-c", "rm -f /var/lib/toru/toru.db*")
    toru.host.run("systemctl", "start", "toru.socket", "toru.service")


@pytest.fixture
def users(toru: Command, people: None) -> Iterator[None]:
    """Both of them, without a token before and after."""
    yield
    for row in toru.json("token", "list")["tokens"]:
        toru("token", "revoke", row["user"], str(row["id"]))


def asked_with(toru: Command, token: str, path: str = "/api/auth/me") -> tuple[int, str]:
    """What the API answers to whoever has this token."""
    curl = ("curl", "-s", "-w", "\n%{http_code}", "--unix-socket", "/run/toru/api.sock")
    said = toru.host.run(*curl, "-H", f"Authorization: Bearer {token}", f"http://toru{path}").stdout
    body, _, status = said.rpartition("\n")
    return int(status), body


def test_a_token_lets_a_program_in_as_its_user_until_it_is_revoked(toru: Command, users: None) -> None:
    said = toru("token", "add", "ann", "backup", "--scope", "read", "--expires", "90d")
    number, user, name, scopes, expires, token = said.stdout.rstrip("\n").split("\t")
    assert (said.returncode, user, name, scopes) == (0, "ann", "backup", "read")
    assert expires != "never"
    status, body = asked_with(toru, token)
    assert (status, json.loads(body)["name"], json.loads(body)["scopes"]) == (200, "ann", ["read"])
    assert asked_with(toru, token, "/api/users")[0] == 200
    assert toru("token", "list").stdout == said.stdout.rpartition("\t")[0] + "\n"
    assert token not in toru("token", "list", "--json").stdout
    assert toru("token", "revoke", "ann", number).stdout == f"{number}\tann\trevoked\n"
    assert asked_with(toru, token)[0] == 401
    assert toru("token", "list").stdout == ""


def test_each_user_s_tokens_are_listed_and_a_clients_token_is_a_clients(toru: Command, users: None) -> None:
    made = toru.json("token", "add", "bob", "script", "--scope", "use", "--scope", "read")
    toru("token", "add", "ann", "other", "--scope", "manage")
    assert (made["scopes"], made["expires_at"]) == (["read", "use"], None)
    assert asked_with(toru, made["token"], "/api/plugins")[0] == 200
    assert asked_with(toru, made["token"], "/api/users")[0] == 403
    assert [row["user"] for row in toru.json("token", "list")["tokens"]] == ["ann", "bob"]
    assert [row["name"] for row in toru.json("token", "list", "bob")["tokens"]] == ["script"]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["add", "nobody", "x", "--scope", "read"], 1, "there is no user nobody"),
        (["add", "ann", "x", "--scope", "fly"], 2, "--scope 'fly' is none of read, use, manage"),
        (["add", "ann", "x"], 2, "Missing option '--scope'"),
        (["add", "ann", "x", "--scope", "read", "--expires", "soon"], 2, "--expires 'soon' is neither"),
        (["add", "ann", "x", "--scope", "read", "--expires", "2001-01-01"], 1, "a token expires in the future"),
        (["add", "ann", "", "--scope", "read"], 1, "body.name: "),
        (["list", "../x"], 1, "'../x' is not a user's name"),
        (["list", "\udcff"], 1, r"'\udcff' is not a user's name"),
        (["revoke", "ann", "999"], 1, "ann has no token 999"),
        (["revoke", "ann", "0"], 2, "Invalid value for"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(
    toru: Command, users: None, arguments: list[str], status: int, sentence: str
) -> None:
    said = toru("token", *arguments)
    assert (said.returncode, said.stdout) == (status, "")
    assert said.stderr.startswith(f"toru: {sentence}")


@pytest.mark.req("OPS-3", "SEC-1")
def test_tokens_are_for_admins(toru: Command) -> None:
    said = toru("token", "list", user="nobody")
    assert (said.returncode, said.stderr) == (1, "toru: only root and members of the group toru-admin may do this\n")


def test_a_person_sees_a_table(toru: Command, users: None) -> None:
    assert "There is no API token." in toru.on_terminal("token", "list")
    shown = toru.on_terminal("token", "add", "ann", "backup", "--scope", "read")
    assert "\x1b[1mbackup\x1b[0m is a token of ann\n" in shown
    assert "toru_" in shown
    toru("token", "add", "ann", "default", "--scope", "read")
    heads, *rows = toru.on_terminal("token", "list").splitlines()
    assert "NUMBER" in heads
    assert len(rows) == 2
    assert "\x1b[2m" not in "".join(rows), "a name is no reason to be in the background"
