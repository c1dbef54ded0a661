"""`toru session`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest

from tests.cli.command import Command
from tests.hosts.host import Host

pytestmark = pytest.mark.req("OPS-3", "API-6")

BROWSER = "Konqueror/5 ([red]not markup[/red])"
JAR = "/run/jar"


@dataclass(frozen=True)
class Browser:
    """A browser at the web address, by curl."""

    host: Host
    name: str
    address: str

    def sign_in(self, user: str, password: str) -> None:
        body = f'{{"name": "{user}", "password": "{password}"}}'
        assert self.status("-A", BROWSER, "-c", f"{JAR}-{self.name}", "--data", body, path="/api/auth/login") == 200

    def is_in(self) -> bool:
        return self.status("-b", f"{JAR}-{self.name}", path="/api/auth/me") == 200

    def status(self, *options: str, path: str) -> int:
        curl = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json")
        return int(self.host.run(*curl, *options, f"http://{self.address}{path}").stdout)


@pytest.fixture(scope="module")
def passwords(toru: Command) -> Iterator[dict[str, str]]:
    """Of Ann, an admin, and of Bob."""
    rows = [toru.table("user", "add", *who, "--generate")[0] for who in (("ann", "--admin"), ("bob",))]
    yield {row[0]: row[-1] for row in rows}
    # Not `toru user delete`: an admin must be left as long as there is anybody.
    toru.host.run("systemctl", "stop", "toru.service", "toru.socket")
    toru.host.run("sh", "-c", f"rm -f /var/lib/toru/toru.db* {JAR}-*")
    toru.host.run("systemctl", "start", "toru.socket", "toru.service")


@pytest.fixture
def browsers(toru: Command, passwords: dict[str, str]) -> Iterator[dict[str, Browser]]:
    """Ann is signed in at home and at work, and Bob at home."""
    listening = toru.host.run("systemctl", "show", "--property=Listen", "toru.socket").stdout
    match = re.search(r"127\.0\.0\.1:[0-9]+", listening)
    assert match is not None, listening
    browsers = {name: Browser(toru.host, name, match[0]) for name in ("ann-home", "ann-work", "bob-home")}
    for name, browser in browsers.items():
        user = name.partition("-")[0]
        browser.sign_in(user, passwords[user])
    yield browsers
    for user in passwords:
        toru("session", "end", user, "--all")


def test_who_is_signed_in_where_is_listed(toru: Command, browsers: dict[str, Browser]) -> None:
    rows = toru.table("session", "list")
    assert [row[1] for row in rows] == ["ann", "ann", "bob"]
    assert {(row[5], row[6]) for row in rows} == {("127.0.0.1", BROWSER)}
    for row in rows:
        seen, began, ends = map(datetime.fromisoformat, row[2:5])
        assert began <= seen < ends
    assert toru.table("session", "list", "bob") == rows[2:]
    assert [str(row["id"]) for row in toru.json("session", "list")["sessions"]] == [row[0] for row in rows]


def test_one_is_ended_and_the_others_go_on(toru: Command, browsers: dict[str, Browser]) -> None:
    (bobs,) = toru.table("session", "list", "bob")
    assert toru("session", "end", "bob", bobs[0]).stdout == "bob\tended\t1\n"
    assert {name for name, browser in browsers.items() if browser.is_in()} == {"ann-home", "ann-work"}
    newest = toru.table("session", "list", "ann")[0][0]
    assert toru.json("session", "end", "ann", newest) == {"user": "ann", "ended": 1}
    assert len([browser for browser in browsers.values() if browser.is_in()]) == 1


def test_a_user_is_signed_out_everywhere(toru: Command, browsers: dict[str, Browser]) -> None:
    assert toru("session", "end", "ann", "--all").stdout == "ann\tended\t2\n"
    assert {name for name, browser in browsers.items() if browser.is_in()} == {"bob-home"}
    assert [row[1] for row in toru.table("session", "list")] == ["bob"]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["list", "nobody"], 1, "there is no user nobody"),
        (["list", "../x"], 1, "'../x' is not a user's name"),
        (["end", "ann"], 2, "say which session: its number, or --all"),
        (["end", "ann", "3", "--all"], 2, "say which session: its number, or --all"),
        (["end", "ann", "0"], 2, "Invalid value for"),
        (["end", "ann", "999"], 1, "ann has no session 999"),
        (["end", "nobody", "--all"], 1, "there is no user nobody"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(
    toru: Command, passwords: dict[str, str], arguments: list[str], status: int, sentence: str
) -> None:
    said = toru("session", *arguments)
    assert (said.returncode, said.stdout) == (status, "")
    assert said.stderr.startswith(f"toru: {sentence}")


@pytest.mark.req("OPS-3", "SEC-1")
def test_sessions_are_for_admins(toru: Command) -> None:
    said = toru("session", "list", user="nobody")
    assert (said.returncode, said.stderr) == (1, "toru: only root and members of the group toru-admin may do this\n")


def test_a_person_sees_a_table(toru: Command, browsers: dict[str, Browser]) -> None:
    shown = toru.on_terminal("session", "list", columns=140)
    assert "BROWSER" in shown
    assert BROWSER in shown
    assert "\x1b[1mann\x1b[0m is signed out of 2 sessions\n" in toru.on_terminal("session", "end", "ann", "--all")
    toru("session", "end", "bob", "--all")
    assert "Nobody is signed in." in toru.on_terminal("session", "list")
