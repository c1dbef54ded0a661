"""The linters are tests, so that one command is the whole gate."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
LOCKS = sorted(TREE.glob("packaging/lock*.txt"))
NOT_OURS = {".git", ".venv", "__pycache__", "build", "dist", "node_modules", "target"}
BIN = Path(sys.prefix, "bin")

LINTERS = {
    "ruff check": [BIN / "ruff", "check", "--output-format", "concise"],
    "ruff format": [BIN / "ruff", "format", "--check"],
    "mypy": [BIN / "mypy"],
    "import-linter": [BIN / "lint-imports", "--cache-dir", "build/cache/import-linter"],
    "pip check": [sys.executable, "-m", "pip", "check"],
}

PROMISE = re.compile(r"(API|ISO|KV|LANG|LIFE|META|OBS|OPS|PROTO|ROUTE|SEC|SUP|UI)-[1-9][0-9]*")


@pytest.mark.parametrize("command", LINTERS.values(), ids=LINTERS.keys())
def test_the_linters_find_nothing(command: list[str | Path]) -> None:
    finds_nothing(command)


def finds_nothing(command: Sequence[str | Path]) -> None:
    ran = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        pytest.fail(ran.stdout + ran.stderr, pytrace=False)


def our_files() -> Iterator[Path]:
    for folder, subfolders, names in os.walk(TREE):
        subfolders[:] = sorted(set(subfolders) - NOT_OURS)
        yield from (Path(folder, name) for name in sorted(names))


def shell_of(file: Path) -> str | None:
    """The shell that the file's first line names; the plain one for a .sh that is read by others."""
    if file.is_symlink() or not file.is_file():
        return None
    with file.open("rb") as opened:
        first = opened.readline(100).decode(errors="replace")
    named = re.match(r"#!\s*(?:/usr/bin/env )?\S*?(?:/bin/)?\b(sh|bash)\s", first)
    return named[1] if named else "sh" if file.suffix == ".sh" else None


SHELL_SCRIPTS = {str(file.relative_to(TREE)): shell for file in our_files() if (shell := shell_of(file))}


@pytest.mark.parametrize("script", SHELL_SCRIPTS)
def test_shell_scripts_are_sound(script: str) -> None:
    shell = SHELL_SCRIPTS[script]
    finds_nothing([shell, "-n", script])
    if shutil.which("shellcheck"):
        finds_nothing(["shellcheck", f"--shell={shell}", script])


def promises_in(source: str) -> Iterator[str]:
    """Whatever stands in the brackets of a `req(…)`, as it is written."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "req":
            for argument in node.args:
                yield str(argument.value) if isinstance(argument, ast.Constant) else ast.unparse(argument)


def test_every_promise_a_test_names_is_well_formed() -> None:
    malformed = [
        f"{file.relative_to(TREE)}: {promise}"
        for file in sorted(TREE.glob("tests/**/*.py"))
        for promise in promises_in(file.read_text())
        if not PROMISE.fullmatch(promise)
    ]
    assert malformed == []


@pytest.mark.parametrize("lock", LOCKS, ids=[lock.name for lock in LOCKS])
def test_the_lock_pins_by_hash_and_names_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    requirements = re.findall(r"^[a-z](?:.*\\\n)*.*", text, re.MULTILINE)
    assert requirements
    assert [requirement for requirement in requirements if "--hash=sha256:" not in requirement] == []
