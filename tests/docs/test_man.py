"""The manual pages name what there is, and man shows them well."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import TREE, blocks, section, spans
from toru.admin.main import _parser
from toru.cli.commands import tree

pytestmark = pytest.mark.req("OPS-3")

MANUAL = TREE / "docs/man"
PAGES = sorted(MANUAL.iterdir())
UNITS = sorted(
    file for file in (TREE / "units").iterdir() if file.suffix in {".path", ".service", ".slice", ".socket", ".timer"}
)
EVERYWHERE = {"--json", "-h", "--help"}
"""Options that nearly every command has: they are told once."""

by_page = pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


def source(name: str) -> str:
    return (MANUAL / name).read_text(encoding="utf-8")


def shown(page: Path) -> str:
    """What a reader sees."""
    environment = {**os.environ, "MANWIDTH": "200", "LC_ALL": "C.UTF-8"}
    said = subprocess.run(
        ["man", "--warnings", "--no-hyphenation", "-l", page],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stderr == ""
    return said.stdout


def entries(page: str) -> dict[str, set[str]]:
    """Each command that a page tells of, with the options told there."""
    told: dict[str, set[str]] = {"": set()}
    command = ""
    for line in source(page).splitlines():
        if line.startswith(".It Cm "):
            words = line.removeprefix(".It Cm ").split()
            ends = next((at for at, word in enumerate(words) if word in {"Ar", "Op"}), len(words))
            command = " ".join(words[:ends])
            told[command] = set()
        elif line.startswith((".Ss ", ".Sh ")):
            command = ""
        elif line.startswith(".It Fl "):
            told[command] |= {f"-{name}" for name in re.findall(r"Fl (\S+)", line)}
    return told


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
    """Each command that there is, with its options; of those with others below them, only these."""
    below = getattr(command, "commands", {})
    options = {name for it in command.params if it.param_type_name == "option" for name in it.opts}
    if not below or not path:
        yield " ".join(path), options
    for name, each in below.items():
        yield from commands(each, (*path, name))


def test_every_command_and_every_option_of_toru_is_in_its_page() -> None:
    told = entries("toru.1")
    assert told[""] >= EVERYWHERE
    missing = {(name, option) for name, options in commands(tree()) for option in options - told.get(name, set())}
    assert {(name, option) for name, option in missing if option not in EVERYWHERE} == set()
    assert {name for name, _ in commands(tree())} - set(told) == set()


def test_every_command_and_every_option_of_toru_admin_is_in_its_page() -> None:
    told = entries("toru-admin.8")
    (choices,) = (it.choices for it in _parser()._actions if isinstance(it, argparse._SubParsersAction))
    assert set(choices) == set(told) - {""}
    for name, parser in choices.items():
        options = {option for action in parser._actions for option in action.option_strings}
        assert (name, options - EVERYWHERE - told[name]) == (name, set())


def test_every_setting_is_in_its_page_with_what_holds_by_default() -> None:
    defaults, of_a_plugin = (tomllib.loads(it.text) for it in blocks("toml", page="docs/ops.md", heading="Settings"))
    wanted = {("KEYS", key): value for key, value in defaults.items() if not isinstance(value, dict)}
    for table, content in defaults.items():
        if isinstance(content, dict):
            wanted |= {(f"[{table}]", key): value for key, value in content.items()}
    told: dict[tuple[str, str], str] = {}
    part = ""
    for line in source("toru.toml.5").splitlines():
        if line.startswith((".Ss ", ".Sh ")):
            part = line[4:]
        elif key := re.fullmatch(r"\.It Va (\w+) No = (?:Li|Ar) (.*)", line):
            told[part, key[1]] = key[2].replace(r"\(dq", '"')
    assert {it: told.get(it) for it in wanted if tomllib.loads(f"x = {told.get(it)}") != {"x": wanted[it]}} == {}
    assert {key for part, key in told if part == "[plugins.ID]"} == set(of_a_plugin["plugins"]["clock"])


def test_every_variable_of_the_settings_is_in_their_page() -> None:
    variables = {span for span in spans(section("docs/ops.md", "Settings")) if re.fullmatch(r"TORU_[A-Z_]+", span)}
    assert len(variables) > 3
    assert {name for name in variables if name not in source("toru.toml.5")} == set()


def test_every_unit_is_in_the_page_of_units_and_says_so() -> None:
    page = source("toru.service.8").replace("@ID", "@").replace("@NAME", "@")
    assert [unit.name for unit in UNITS if f"Pa {unit.name}" not in page] == []
    named = {page.name.removesuffix(page.suffix) + f"({page.suffix[1:]})" for page in PAGES}
    for unit in UNITS:
        said = re.findall(r"^Documentation=(.*)$", unit.read_text(), re.MULTILINE)
        assert said, f"{unit.name} has no Documentation="
        assert {it.removeprefix("man:") for it in said[0].split()} <= named
        assert "man:toru.service(8)" in said[0].split()


@by_page
def test_a_page_is_shown_without_a_warning(page: Path) -> None:
    text = shown(page)
    name, number = page.name.removesuffix(page.suffix), page.suffix[1:]
    assert text.startswith(f"{name.upper()}({number})")
    assert [part for part in ("NAME", "DESCRIPTION", "SEE ALSO") if f"\n{part}\n" not in text] == []
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False)
    assert lint.stdout == ""


@by_page
def test_a_page_refers_to_pages_of_ours_that_exist_and_names_files_that_do(page: Path) -> None:
    ours = {it.name for it in PAGES}
    referred = {f"{name}.{number}" for name, number in re.findall(r"^\.Xr (\S+) (\d)", page.read_text(), re.MULTILINE)}
    assert {name for name in referred if name.startswith("toru")} <= ours - {page.name}
    assert "docs" not in shown(page), "who reads it has the package, and not the tree"


def test_options_look_as_they_are_typed() -> None:
    text = shown(MANUAL / "toru.1")
    assert re.search(r"^ +-n number, --lines number$", text, re.MULTILINE)
    assert re.search(r"^ +kv set id key \[value\]$", text, re.MULTILINE)
