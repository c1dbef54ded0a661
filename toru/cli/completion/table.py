"""What may follow what on a command line, as a table made from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from toru.cli.completion import SHELLS
from toru.domain.events import EventKind
from toru.domain.levels import LEVELS
from toru.domain.manifest import Protocol
from toru.domain.people import Role, Scope
from toru.scaffold import Language


class Kind(StrEnum):
    PLUGIN = "plugin"
    USER = "user"
    FILE = "file"
    DIRECTORY = "directory"
    WORD = "word"
    """One of a few."""
    ANYTHING = "anything"
    """Nobody can guess it."""


@dataclass(frozen=True, slots=True)
class Value:
    kind: Kind
    name: str
    """What help calls it."""
    words: tuple[str, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    names: tuple[str, ...]
    about: str
    value: Value | None
    """None: it is a switch."""
    repeated: bool


@dataclass(frozen=True, slots=True)
class Command:
    path: tuple[str, ...]
    about: str
    commands: tuple[str, ...]
    options: tuple[Option, ...]
    arguments: tuple[Value, ...]


_WORDS: dict[str, tuple[str, ...]] = {
    "--kind": tuple(kind for kind in EventKind if kind is not EventKind.OTHER),
    "--lang": tuple(Language),
    "--priority": LEVELS,
    "--protocol": tuple(Protocol),
    "--role": tuple(Role),
    "--scope": tuple(Scope),
    "SHELL": SHELLS,
}
_FILES = frozenset({"FILE", "FILE|DIRECTORY", "--database", "--settings", "--socket"})
_DIRECTORIES = frozenset({"FOLDER", "--into", "--plugins", "--sdk"})
_HELP = Option(("-h", "--help"), "Show help", None, repeated=False)


def commands_of(program: Any) -> list[Command]:
    """Every command, the program itself first, each before its own."""
    return list(_walk(program, ()))


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[Command]:
    below = getattr(command, "commands", {})
    arguments = [it for it in command.params if it.param_type_name == "argument"]
    options = [it for it in command.params if it.param_type_name == "option"]
    yield Command(
        path=path,
        about=_sentence(command.help),
        commands=tuple(below),
        options=(_HELP, *(_option(it) for it in options)),
        arguments=tuple(_value(it, path, it.metavar or it.name, it.nargs == -1) for it in arguments),
    )
    for name, each in below.items():
        yield from _walk(each, (*path, name))


def _option(option: Any) -> Option:
    names = tuple(sorted(option.opts, key=len))
    value = None if option.is_flag else _value(option, (), names[-1], repeated=False)
    return Option(names, _sentence(option.help), value, repeated=option.multiple)


def _value(parameter: Any, path: tuple[str, ...], name: str, repeated: bool) -> Value:  # noqa: FBT001  (a fact)
    shown = (parameter.metavar or parameter.name).strip("[]…")
    kind = Kind.ANYTHING
    words = _WORDS.get(name, ())
    if words:
        kind = Kind.WORD
    elif shown == "ID":
        kind = Kind.PLUGIN
    elif shown == "USER" or (path[:1] == ("user",) and path != ("user", "add")):
        kind = Kind.USER
    elif {name, shown} & _DIRECTORIES:
        kind = Kind.DIRECTORY
    elif {name, shown} & _FILES:
        kind = Kind.FILE
    return Value(kind, shown, words, repeated)


def _sentence(text: str | None) -> str:
    """The first one of a help text."""
    return " ".join((text or "").partition("\n\n")[0].split()).rstrip(".")
