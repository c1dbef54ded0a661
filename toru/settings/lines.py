"""On which line of a TOML file a key stands. tomllib says so of what is no TOML, and of nothing else."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from toru.settings.keys import KeyPath

_WHERE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


def lines_of_keys(text: str) -> dict[KeyPath, int]:
    """Of each key and table of a sound document, the line on which it stands or is first named.

    Statement by statement, each read by tomllib itself: what begins on a line and can be read ends there, and what
    can't be read yet goes on with the next line, as texts and lists of several lines do.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    start = 0
    while start < len(lines):
        end, said = _statement(lines, start)
        if lines[start].lstrip(" \t").startswith("["):
            *_, table = _paths(said)
            for depth in range(1, len(table) + 1):
                found.setdefault(table[:depth], start + 1)
        else:
            for path in _paths(said):
                found.setdefault(table + path, start + 1)
        start = end
    return found


def line_of(path: KeyPath, found: Mapping[KeyPath, int]) -> int | None:
    """The line of this key, or of the innermost table around it that stands somewhere."""
    return next((found[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in found), None)


def syntax_mistake(text: str, mistake: tomllib.TOMLDecodeError) -> tuple[int, str]:
    """The line of what is no TOML, and the rest of what tomllib says of it."""
    sentence = str(mistake)
    if (where := _WHERE.search(sentence)) is None:
        return 1, sentence
    sentence = sentence[: where.start()]
    if where["line"] is None:
        return max(1, len(text.rstrip("\n").split("\n"))), f"{sentence} at the end"
    return int(where["line"]), f"{sentence} (column {where['column']})"


def _statement(lines: list[str], start: int) -> tuple[int, dict[str, Any]]:
    """The line after the statement that begins on this one, and what it says."""
    for end in range(start + 1, len(lines)):
        try:
            return end, tomllib.loads("\n".join(lines[start:end]))
        except ValueError:
            continue
    return len(lines), tomllib.loads("\n".join(lines[start:]))


def _paths(said: Mapping[str, Any], below: KeyPath = ()) -> Iterator[KeyPath]:
    """Every table and key, the outer ones first."""
    for name, value in said.items():
        yield (*below, name)
        if isinstance(value, dict):
            yield from _paths(value, (*below, name))
