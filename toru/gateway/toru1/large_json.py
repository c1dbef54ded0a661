"""Large JSON in small steps, so that one plugin's message holds up nobody else's request.

json's own functions take a text in one go: 0.3 s for an honest one of 16 MiB, and for one made to be bad 3 s and half a
GiB of objects, and all the while the core would do nothing else. Here what is long is cut out unread, json reads the
little that is left, and of the cuts only the one that is wanted is turned into bytes. Every function that may take long
is a generator, which yields whenever others should have their turn.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
import secrets
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
Steps = Generator[None, None, T]
"""Work that yields now and then, and returns its result."""

STEP_BYTES = 3 << 16
"""A multiple of 3, so that base64 of the parts is base64 of the whole."""
_STEP_TOKENS = 2000
_MOST_TOKENS = 1_000_000
"""Strings and brackets. An honest text has most of its length in a few long strings."""

_LONG_STRING = 8 << 10
_KEPT = (256 << 10, 128 << 10, 64 << 10, 32 << 10)
"""How long a container may be, without what is cut out of it: the whole text, those inside it, those inside these…"""
_DEEPEST = 100

_TOKEN = re.compile(rb'"[^"\\]{0,255}+"|["\[\]{}]')
"""A short string without escapes, the beginning of any other string, or an end of a container."""
_ESCAPED = re.compile(rb'(?:\\.[^"\\]{0,1024}+){1,200}+', re.DOTALL)
"""A part of a string that begins with an escape and doesn't end within one."""
_READABLE = re.compile(
    rb"""(?: [^\\\x80-\xff]{1,64}+ | [\xc0-\xff][\x80-\xbf]{1,3}+
           | \\u[dD][89abAB]..\\u.... | \\u.... | \\. ){1,2000}+""",
    re.DOTALL | re.VERBOSE,
)
"""A part of a string that ends neither within a character, nor within an escape or a pair of them that is one."""
_MARK = f"\0{secrets.token_hex(8)}\0"
"""Nobody else can say it."""


class NotJson(ValueError):
    """It is no JSON, or has more parts than any honest text."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A long string with its quotes, or a long array or object: as it was said, and read by nobody yet."""

    text: bytes

    @property
    def is_string(self) -> bool:
        return self.text.startswith(b'"')


class Document:
    """A JSON text with its long parts cut out."""

    def __init__(self, value: Any, cuts: list[Cut]) -> None:
        self.value = value
        self._cuts = cuts

    def cut(self, value: object) -> Cut | None:
        """What belongs in this value's place, if that was cut out."""
        if isinstance(value, str) and value.startswith(_MARK):
            return self._cuts[int(value.removeprefix(_MARK))]
        return None


def read(text: bytes) -> Steps[Document]:
    """The text, with every string over 8 KiB cut out, and arrays and objects that have too much left in them."""
    cuts = (yield from _long_parts(text)) if len(text) > _LONG_STRING else []
    pieces: list[bytes] = []
    end = 0
    for number, (start, stop) in enumerate(cuts):
        pieces += (text[end:start], json.dumps(f"{_MARK}{number}").encode())
        end = stop
    pieces.append(text[end:])
    try:
        value = json.loads(b"".join(pieces).decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotJson("not JSON") from None
    return Document(value, [Cut(text[start:stop]) for start, stop in cuts])


def _long_parts(text: bytes) -> Steps[list[tuple[int, int]]]:
    """Where they begin and end."""
    parts = _Parts()
    position = tokens = 0
    while position < len(text):
        window = position + STEP_BYTES
        if (found := _TOKEN.search(text, position, window)) is None:
            position = window
            yield
            continue
        start, position = found.span()
        token = found[0]
        if token == b'"':
            position = yield from _end_of_string(text, position)
            if position - start > _LONG_STRING:
                parts.cut(start, position)
        elif token in b"[{":
            parts.open(start)
        elif token in b"]}":
            parts.close(position)
        tokens += 1
        if tokens > _MOST_TOKENS or parts.kept_outside(position) > _KEPT[0]:
            raise NotJson("too many parts")
        if tokens % _STEP_TOKENS == 0:
            yield
    if len(text) - parts.gone > _KEPT[0]:
        raise NotJson("too many parts")
    return parts.cuts


class _Parts:
    """What has been cut out so far, and the containers that are open here."""

    def __init__(self) -> None:
        self.cuts: list[tuple[int, int]] = []
        self.gone = 0
        """Bytes in the cuts."""
        self._open: list[tuple[int, int, int]] = []
        """Where each begins, how much was gone there, and in how many cuts."""

    def cut(self, start: int, end: int) -> None:
        self.cuts.append((start, end))
        self.gone += end - start

    def open(self, start: int) -> None:
        if len(self._open) == _DEEPEST:
            raise NotJson("too deep")
        self._open.append((start, self.gone, len(self.cuts)))

    def close(self, end: int) -> None:
        if not self._open:
            raise NotJson("an end without a beginning")
        start, gone, count = self._open.pop()
        kept = end - start - (self.gone - gone)
        depth = min(len(self._open), len(_KEPT) - 1)
        if depth > 0 and kept > _KEPT[depth]:
            del self.cuts[count:]
            self.gone = gone
            self.cut(start, end)

    def kept_outside(self, position: int) -> int:
        """How much of the text up to here is kept whatever comes, because nothing around it can be cut out any more."""
        return position - self.gone if len(self._open) <= 1 else 0


def _end_of_string(text: bytes, position: int) -> Steps[int]:
    """From behind its first quote."""
    while True:
        window = position + STEP_BYTES
        quote = text.find(b'"', position, window)
        escape = text.find(b"\\", position, quote if quote >= 0 else window)
        if escape >= 0:
            if (found := _ESCAPED.match(text, escape)) is None:
                raise NotJson("an escape that is none")
            position = found.end()
        elif quote >= 0:
            return quote + 1
        elif window >= len(text):
            raise NotJson("a string without an end")
        else:
            position = window
        yield


def unescaped(string: Cut) -> Steps[bytes]:
    """What a string says, in UTF-8."""
    text = string.text[1:-1]
    parts: list[bytes] = []
    position = 0
    while position < len(text):
        # Most have no escape at all, or a long way to the first.
        plain = text.find(b"\\", position, position + STEP_BYTES)
        if plain < 0:
            stop = min(position + STEP_BYTES, len(text))
            parts.append(text[position:stop])
        elif plain > position:
            stop = plain
            parts.append(text[position:stop])
        else:
            stop = _readable_from(text, position, parts)
        position = stop
        yield
    whole = b"".join(parts)
    yield
    return whole


def _readable_from(text: bytes, position: int, parts: list[bytes]) -> int:
    found = _READABLE.match(text, position)
    if found is None:
        raise NotJson("an escape that is none")
    try:
        parts.append(json.loads(b'"%b"' % found[0]).encode())
    except ValueError:
        raise NotJson("a string that is none") from None
    return found.end()


def string_of(content: bytes) -> Steps[bytes]:
    """The bytes as a JSON string; UnicodeDecodeError, where they are not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    parts = [b'"']
    for start in range(0, len(content), STEP_BYTES):
        said = decoder.decode(content[start : start + STEP_BYTES])
        parts.append(json.dumps(said, ensure_ascii=False).encode()[1:-1])
        yield
    decoder.decode(b"", final=True)
    parts.append(b'"')
    return b"".join(parts)


def base64_of(content: bytes) -> Steps[bytes]:
    """The bytes as a JSON string in base64."""
    parts = [b'"']
    for start in range(0, len(content), STEP_BYTES):
        parts.append(base64.b64encode(content[start : start + STEP_BYTES]))
        yield
    parts.append(b'"')
    return b"".join(parts)


def from_base64(text: bytes) -> Steps[bytes]:
    """What base64 stands for; lines may be broken anywhere. ValueError, where it is none."""
    whole = b"".join(text.split())
    parts = []
    for start in range(0, len(whole), STEP_BYTES // 3 * 4):
        yield
        parts.append(base64.b64decode(whole[start : start + STEP_BYTES // 3 * 4], validate=True))
    if b"=" in whole.rstrip(b"=") or len(whole) % 4:
        raise ValueError("not base64")
    return b"".join(parts)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
