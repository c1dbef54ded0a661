"""The head of a plugin's answer, read strictly, with what must not reach the client left out.

As with requests (heads.py), what a line means is looked up, and most answers go on as they came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MOST_HEAD_BYTES = 64 << 10
MOST_FIELDS = 256

LENGTH, ENCODING, CONNECTION, UPGRADE, SET_COOKIE, LOCATION, EVENTS, DROPPED = range(1, 9)
_PLACED = frozenset({SET_COOKIE, LOCATION})

MEANINGS: Mapping[bytes, int] = {
    b"content-length": LENGTH,
    b"transfer-encoding": ENCODING,
    b"connection": CONNECTION,
    b"upgrade": UPGRADE,
    b"set-cookie": SET_COOKIE,
    b"location": LOCATION,
    b"content-location": LOCATION,
    # Between the plugin and us alone (RFC 9110, section 7.6.1).
    b"keep-alive": DROPPED,
    b"proxy-connection": DROPPED,
    b"proxy-authenticate": DROPPED,
    b"proxy-authentication-info": DROPPED,
    b"te": DROPPED,
    b"trailer": DROPPED,
    # Of the whole site and for long, which a plugin is only a part of.
    b"alt-svc": DROPPED,
    b"clear-site-data": DROPPED,
    b"expect-ct": DROPPED,
    b"nel": DROPPED,
    b"origin-agent-cluster": DROPPED,
    b"public-key-pins": DROPPED,
    b"report-to": DROPPED,
    b"service-worker-allowed": DROPPED,
    b"set-cookie2": DROPPED,
    b"strict-transport-security": DROPPED,
}
"""Every other one reaches the client as it is."""

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_DIGITS = re.compile(rb"[0-9]{1,18}")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: (.*))?", re.DOTALL)
_TEXT = bytes([0x09, 0x0A, 0x0D, *range(0x20, 0x7F), *range(0x80, 0x100)])

_Meant = tuple[int, bytes, bytes]
_KEEP: _Meant = (0, b"", b"")

_REMEMBERED = 4096
_LONGEST_REMEMBERED = 256
_LONGEST_HEAD_REMEMBERED = 2048
_meant: dict[bytes, _Meant] = {}
_statuses: dict[bytes, tuple[int, int]] = {}
_answers: dict[bytes, Answer] = {}


class BadAnswer(ValueError):
    """`str(error)` completes "the plugin …"."""


class Answer:
    """The head of an answer. It may be the head of many: it isn't changed once it is read."""

    __slots__ = (
        "chunked", "close", "endless", "first", "length", "lines", "minor", "special", "status", "upgrade", "whole",
    )  # fmt: skip

    def __init__(self, status_line: bytes) -> None:
        self.status, self.minor = _statuses.get(status_line) or _status_of(status_line)
        self.first = status_line if self.minor else b"HTTP/1.1" + status_line[8:]
        """The first line, as of HTTP/1.1."""
        self.lines: list[bytes] = []
        """Those that reach the client as they are, without the first one."""
        self.special: list[_Meant] = []
        """SET_COOKIE and LOCATION, each with its name and its value."""
        self.length: int | None = None
        self.chunked = False
        self.close = self.minor == 0
        """The plugin closes the connection after it."""
        self.upgrade: bytes | None = None
        self.endless = False
        """Server-sent events: it has no end of its own."""
        self.whole: bytes | None = None
        """All of it as it reaches the client, with the empty line, where that is the same for every client."""


def read_answer(raw: bytes) -> Answer:
    """The head in these bytes, which end before the empty line; or `BadAnswer`."""
    if (answer := _answers.get(raw)) is not None:
        return answer
    answer = _read(raw)
    if len(raw) <= _LONGEST_HEAD_REMEMBERED and not answer.special:
        if len(_answers) >= _REMEMBERED:
            _answers.clear()
        _answers[raw] = answer
    return answer


def _read(raw: bytes) -> Answer:
    lines = raw.split(b"\r\n")
    breaks = len(lines) - 1
    if raw.count(b"\r") != breaks or raw.count(b"\n") != breaks:
        raise BadAnswer("sent a head in which a line doesn't end in CR LF")
    if raw.translate(None, _TEXT):
        raise BadAnswer("sent control characters in the head of its answer")
    if breaks > MOST_FIELDS:
        raise BadAnswer(f"sent more than {MOST_FIELDS} header fields")
    answer = Answer(lines[0])
    connection: list[bytes] = []
    for line in lines[1:]:
        meant = _meant.get(line) or _meaning_of(line)
        if meant is _KEEP:
            answer.lines.append(line)
        elif meant[0] == CONNECTION:
            connection.append(meant[2])
        else:
            _read_special(answer, line, meant)
    if connection:
        _read_connection(answer, b",".join(connection))
    if answer.chunked and (answer.length is not None or answer.minor == 0):
        raise BadAnswer("sent both Content-Length and Transfer-Encoding, or the latter in HTTP/1.0")
    answer.whole = _whole(answer)
    return answer


def _whole(answer: Answer) -> bytes | None:
    if answer.status < 200 or answer.status == 204 or answer.length is None or answer.close or answer.special:
        return None
    return b"\r\n".join((answer.first, *answer.lines, b"Content-Length: %d" % answer.length, b"", b""))


def _status_of(line: bytes) -> tuple[int, int]:
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadAnswer("did not begin its answer with a status from 100 to 599 of HTTP/1.1")
    if len(_statuses) >= _REMEMBERED:
        _statuses.clear()
    status = int(match[2]), int(match[1])
    if len(line) <= _LONGEST_REMEMBERED:
        _statuses[line] = status
    return status


def _meaning_of(line: bytes) -> _Meant:
    """What a line of an answer is to us: _KEEP, or its meaning with name and value. `BadAnswer`, if it is none."""
    name, colon, value = line.partition(b":")
    if not colon or not _TOKEN.fullmatch(name):
        raise BadAnswer("sent a header field without a name or a colon right behind it")
    name, value = name.lower(), value.strip(b" \t")
    meaning = MEANINGS.get(name, 0)
    if name == b"content-type" and value.lower().startswith(b"text/event-stream"):
        meaning = EVENTS
    meant = (meaning, line[: len(name)], value) if meaning else _KEEP
    if len(line) <= _LONGEST_REMEMBERED and meaning not in {LENGTH, SET_COOKIE}:
        if len(_meant) >= _REMEMBERED:
            _meant.clear()
        _meant[line] = meant
    return meant


def _read_special(answer: Answer, line: bytes, meant: _Meant) -> None:
    meaning, _, value = meant
    if meaning == LENGTH:
        if answer.length is not None or not _DIGITS.fullmatch(value):
            raise BadAnswer("sent a Content-Length that is not one number")
        answer.length = int(value)
    elif meaning == ENCODING:
        if answer.chunked or value.lower() != b"chunked":
            raise BadAnswer("sent a Transfer-Encoding other than chunked")
        answer.chunked = True
    elif meaning == UPGRADE:
        answer.upgrade = value.lower()
    elif meaning == EVENTS:
        answer.endless = True
        answer.lines.append(line)
    elif meaning in _PLACED:
        answer.special.append(meant)


def _read_connection(answer: Answer, value: bytes) -> None:
    named = {name.strip(b" \t").lower() for name in value.split(b",")}
    if b"close" in named:
        answer.close = True
    elif answer.minor == 0 and b"keep-alive" in named:
        answer.close = False
    if others := named - {b"close", b"keep-alive", b"upgrade"}:
        answer.lines = [line for line in answer.lines if line.partition(b":")[0].lower() not in others]
