"""What a person gets who presses TAB, in a real bash, zsh and fish, with the files where Debian's package puts them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hosts.private import PrivateHost
from tests.system.toru import Toru
from toru.cli.commands import tree
from toru.cli.completion import SHELLS
from toru.cli.completion.table import Kind, commands_of
from toru.domain import places
from toru.trial import Options, Trial

pytestmark = pytest.mark.req("OPS-3")

TYPIST = Path(__file__).with_name("typist.py").read_text()
INSTALLED = {
    "bash": "/usr/share/bash-completion/completions/toru",
    "zsh": "/usr/share/zsh/vendor-completions/_toru",
    "fish": "/usr/share/fish/vendor_completions.d/toru.fish",
}
COMMANDS = commands_of(tree())

Offers = Callable[..., list[set[str]]]


@pytest.fixture(scope="module")
def toru() -> Iterator[Toru]:
    with Trial(
        Options(name=f"shells-{os.getpid()}", files={"credstore/toru-admin-password": "Quite-a-secret-9"})
    ) as it:
        toru = Toru(PrivateHost("private", it))
        toru.plant("clock", metadata={"name": '$(touch /tmp/x) "id": "forged"'})
        toru.plant("calendar")
        toru.plant("off")
        toru.drop("bad.binary", "#!/bin/sh\n")
        toru.scan()
        toru.disable("off")
        for shell, path in INSTALLED.items():
            toru.host.put(path, toru.host.run("toru", "completion", shell).stdout)
        yield toru


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    assert shutil.which(request.param) is not None, "make setup installs it"
    return str(request.param)


@pytest.fixture(scope="module")
def offers(toru: Toru, shell: str) -> Offers:
    def ask(*lines: str) -> list[set[str]]:
        said = toru.host.run("python3", "-c", TYPIST, shell, *lines, timeout=120).stdout
        return [{offer.rstrip("/") for offer in offered} for offered in json.loads(said)]

    return ask


def test_every_command_is_offered(offers: Offers) -> None:
    groups = [command for command in COMMANDS if command.commands]
    lines = [" ".join(("toru", *group.path, "")) for group in groups]
    assert offers(*lines) == [set(group.commands) for group in groups]


def test_every_option_is_offered(offers: Offers) -> None:
    lines = [" ".join(("toru", *command.path, "--")) for command in COMMANDS]
    wanted = [{name for option in command.options for name in option.names} for command in COMMANDS]
    for command, offered, names in zip(COMMANDS, offers(*lines), wanted, strict=True):
        assert {name for name in offered if name.startswith("--")} == {
            name for name in names if name.startswith("--")
        }, command.path


def test_ids_of_plugins_are_offered_where_one_is_wanted(offers: Offers) -> None:
    lines = (
        "toru enable ",
        "toru enable clock c",
        "toru kv get ",
        "toru kv get clock ",
        "toru user add ann --plugin c",
        "toru runs ",
        "toru sandbox ",
        "toru figures c",
    )
    everyone = {"calendar", "clock", "off"}
    with_c = {"calendar", "clock"}
    assert offers(*lines) == [everyone, with_c, everyone, set(), with_c, everyone, everyone, with_c]


def test_names_of_users_are_offered_where_one_is_wanted(offers: Offers, toru: Toru) -> None:
    # Toru itself is asked for them, for 3 seconds. Where it takes longer, people press the key again.
    lines = ("toru user passwd ", "toru token list a", "toru session end ")
    toru.wait_until("names", lambda: offers(*lines) == [{"admin"}] * len(lines), seconds=120)
    assert offers("toru user add ") == [set()]


def test_words_and_files_are_offered_where_they_are_wanted(offers: Offers, toru: Toru) -> None:
    toru.host.run("mkdir", "-p", "/var/lib/here/below")
    toru.host.put("/var/lib/here/afile", "")
    lines = (
        "toru new x --lang ",
        "toru user change admin --role a",
        "toru events --kind cra",
        "toru check /var/lib/here/a",
        "toru new x --into /var/lib/here/",
    )
    languages, role, kind, file, directory = offers(*lines)
    assert languages == {"python", "rust", "go", "http"}
    assert (role, kind) == ({"admin"}, {"crashed"})
    assert {Path(path).name for path in file} == {"afile"}
    assert {Path(path).name for path in directory} == {"below"}


def test_a_value_of_an_option_is_no_argument(offers: Offers) -> None:
    lines = ("toru logs --since list --lines 3 c", "toru events --kind=cra")
    ids, kinds = offers(*lines)
    assert ids == {"calendar", "clock"}
    assert {kind.removeprefix("--kind=") for kind in kinds} == {"crashed"}


def test_who_may_know_nothing_is_told_nothing_not_even_an_error(toru: Toru) -> None:
    shown = "compadd() { print -r -- $ids $names }; compdef() { }; "
    asks = {
        "bash": f". {INSTALLED['bash']}; _toru_plugins; _toru_users",
        "zsh": f"{shown} . {INSTALLED['zsh']}; _toru_plugins; _toru_users",
        "fish": f". {INSTALLED['fish']}; __toru_plugins; __toru_users",
    }
    assert set(asks) == set(SHELLS)
    toru.host.run("install", "-d", "-o", "nobody", "/var/lib/home")  # where fish keeps what was typed
    toru.host.run("mv", str(places.CATALOGUE), f"{places.CATALOGUE}.away")
    try:
        with toru.core_down():
            for shell, script in asks.items():
                home = ("env", "HOME=/var/lib/home", shell, "-c", script)
                said = toru.host.run(*home, user="nobody", check=False)
                assert (shell, said.stdout.strip(), said.stderr) == (shell, "", "")
    finally:
        toru.host.run("mv", f"{places.CATALOGUE}.away", str(places.CATALOGUE))


def test_every_argument_that_names_something_of_this_host_is_known() -> None:
    unknown = {
        (" ".join(command.path), value.name)
        for command in COMMANDS
        for value in (*command.arguments, *(it.value for it in command.options if it.value is not None))
        if value.kind is Kind.ANYTHING and value.name in {"ID", "USER", "FILE", "FOLDER"}
    }
    assert unknown == set()
