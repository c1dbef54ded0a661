"""How a command talks: to a terminal with colours, to a pipe in plain lines, to a program in JSON.

What plugins wrote (names, reasons, log lines) is anybody's text. All of it passes `printable` on its way to a terminal
or a pipe, and none of it is ever read as markup.
"""

from __future__ import annotations

import itertools
import json
import os
import select
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

CLOSED_PIPE = 141
"""What a shell reports of a program whose output nobody reads any more: 128 + SIGPIPE."""

# Joiners and tags, which emoji and some scripts are made of.
_INVISIBLE_BUT_HARMLESS = frozenset("\u200c\u200d") | {chr(code) for code in range(0xE0020, 0xE0080)}


def printable(text: str) -> str:
    r"""The text on one line, with an escape such as `\x1b` for whatever could move a cursor, forge a line or hide."""
    text = text.expandtabs()
    if text.isprintable():
        return text
    return "".join(char if _is_harmless(char) else ascii(char)[1:-1] for char in text)


def _is_harmless(char: str) -> bool:
    return char.isprintable() or char in _INVISIBLE_BUT_HARMLESS or unicodedata.category(char) == "Zs"


def people_watch() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout.isatty()


def put(text: str) -> None:
    """Text and a line break on stdout, at once."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError as error:
        # Python flushes once more at its end: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise SystemExit(CLOSED_PIPE) from None
        raise


def end_if_nobody_reads() -> None:
    """Where stdout is a pipe whose reader went away: while there is nothing to write, no write would tell."""
    poller = select.poll()
    poller.register(sys.stdout, 0)  # POLLERR comes unasked
    if any(event & select.POLLERR for _, event in poller.poll(0)):
        raise SystemExit(CLOSED_PIPE)


def put_fields(*fields: object) -> None:
    """One line for a pipe: fields parted by tabs, none of them empty, so that awk and cut agree on their numbers."""
    put("\t".join("-" if field is None or field == "" else printable(str(field)) for field in fields))


def put_json(document: object, *, on_one_line: bool = False) -> None:
    """One JSON document on stdout. All of it ASCII: whatever the locale, and no escape sequence survives it."""
    put(json.dumps(document, indent=None if on_one_line else 2))


def put_rich(*things: RenderableType) -> None:
    """Tables and coloured text on the terminal."""
    screen = console()
    for thing in things:
        screen.print(thing)


def complain(message: str) -> None:
    """A sentence on stderr."""
    print(f"toru: {printable(message)}", file=sys.stderr)


def complain_in_json(code: str, message: str, **facts: str) -> None:
    """The same for programs."""
    print(json.dumps({"error": {"code": code, "message": message, **facts}}), file=sys.stderr)


def warn(code: str, message: str) -> None:
    """A sentence on stderr that ends nothing, in the form that was asked for."""
    if wants_json():
        print(json.dumps({"warning": {"code": code, "message": message}}), file=sys.stderr)
    else:
        complain(message)


def wants_json() -> bool:
    """Whether the command line asks for JSON. Looked for by hand: wrong usage is wrong before anything is parsed."""
    return "--json" in itertools.takewhile("--".__ne__, sys.argv[1:])  # what is behind "--" isn't for us


@cache
def console() -> Console:
    """The terminal. Rich reads nothing into what it is given, and minds NO_COLOR and TERM by itself."""
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False)


@contextmanager
def at_work(on_what: str) -> Iterator[None]:
    """A sign of life on a terminal's stderr, gone when the work is done."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    screen = Console(stderr=True, markup=False, emoji=False, highlight=False)
    with screen.status(printable(on_what), spinner_style="cyan"):
        yield
