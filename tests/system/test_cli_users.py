"""`toru user change` and `toru user delete`, with the core and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from tests.hosts.host import Host

pytestmark = pytest.mark.req("OPS-3", "API-6")


@pytest.fixture(params=["up", "down"])
def core(host: Host, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database, and a core that is up or down."""
    _start_anew(host)
    if request.param == "down":
        host.run("systemctl", "stop", "toru.service")  # its socket goes on listening
    yield request.param
    _start_anew(host)


def _start_anew(host: Host) -> None:
    host.run("systemctl", "stop", "toru.service", "toru.socket")
    host.run("sh", "-c", "rm -f /var/lib/toru/toru.db*")
    host.run("systemctl", "reset-failed", "toru.socket")  # systemd minds a socket that comes and goes
    host.run("systemctl", "start", "toru.socket", "toru.service")


def test_a_user_gets_another_role_other_plugins_and_goes(host: Host, core: str) -> None:
    def user(*arguments: str) -> CompletedProcess[str]:
        return host.run("toru", "user", *arguments, check=False)

    user("add", "ann", "--admin", "--generate")
    user("add", "bob", "--generate")
    assert user("change", "bob", "--plugin", "clock", "--plugin", "mail").stdout == (
        "bob\tis client and sees clock, mail\n"
    )
    assert user("change", "bob", "--role", "admin").stdout == "bob\tis admin and sees clock, mail\n"
    row = json.loads(user("change", "bob", "--all-plugins", "--role", "client", "--json").stdout)
    assert (row["role"], row["plugins"], row["disabled"]) == ("client", None, False)
    refused = user("change", "ann", "--role", "client")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("toru: ann is the last admin who can sign in")
    assert user("delete", "ann").stderr.startswith("toru: ann is the last admin")
    assert user("delete", "bob").stdout == "bob\tis removed\n"
    assert user("delete", "bob").stderr == "toru: there is no user bob\n"
    assert user("delete", "../x").stderr.startswith("toru: '../x' is not a user's name")
    assert user("change", "ann", "--plugin", "../x").stderr.startswith("toru: '../x' is not a plugin id")
    assert user("list").stdout == "ann\tadmin\tactive\tall plugins\n"
    active = host.show("toru.service", "ActiveState")["ActiveState"]
    assert active == ("active" if core == "up" else "inactive"), "nobody was woken"


@pytest.mark.parametrize(
    "arguments",
    [[], ["--role", "king"], ["--plugin", "clock", "--all-plugins"]],
    ids=["nothing", "no role", "both"],
)
def test_a_change_that_says_nothing_is_wrong_usage(host: Host, arguments: list[str]) -> None:
    said = host.run("toru", "user", "change", "ann", *arguments, check=False)
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1)
