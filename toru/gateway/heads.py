"""The head of a request, read strictly (RFC 9110, RFC 9112): what two programs could read in two ways is refused.

Most lines come again and again. What one means is looked up rather than found out, and so quick in spite of the checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MOST_FIELDS = 128
MOST_TARGET_BYTES = 8 << 10
LONGEST_METHOD = 32

# What a line is to us. Up to _FORWARDED_TO it also goes on to the plugin, as it came.
HOST, ORIGIN, SEC_FETCH_SITE, SEC_FETCH_MODE, ACCEPT = range(1, 6)
_FORWARDED_TO = ACCEPT
LENGTH, ENCODING, CONNECTION, UPGRADE, EXPECT, COOKIE, AUTHORIZATION = range(6, 13)
FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_HOST, FORWARDED_PREFIX = range(13, 17)
DROPPED = 17

MEANINGS: Mapping[bytes, int] = {
    b"host": HOST,
    b"origin": ORIGIN,
    b"sec-fetch-site": SEC_FETCH_SITE,
    b"sec-fetch-mode": SEC_FETCH_MODE,
    b"accept": ACCEPT,
    b"content-length": LENGTH,
    b"transfer-encoding": ENCODING,
    b"connection": CONNECTION,
    b"upgrade": UPGRADE,
    b"expect": EXPECT,
    b"cookie": COOKIE,
    b"authorization": AUTHORIZATION,
    # A client may say so, but only a trusted proxy is believed.
    b"x-forwarded-for": FORWARDED_FOR,
    b"x-forwarded-proto": FORWARDED_PROTO,
    b"x-forwarded-host": FORWARDED_HOST,
    b"x-forwarded-prefix": FORWARDED_PREFIX,
    # Between the client and us alone (RFC 9110, section 7.6.1; and what was never standard, but is seen).
    b"keep-alive": DROPPED,
    b"proxy-connection": DROPPED,
    b"proxy-authorization": DROPPED,
    b"proxy-authenticate": DROPPED,
    b"proxy": DROPPED,  # to CGI it is the variable HTTP_PROXY
    b"te": DROPPED,
    b"trailer": DROPPED,
    b"http2-settings": DROPPED,
    # Ours to say, or nobody's.
    b"forwarded": DROPPED,
    b"x-real-ip": DROPPED,
    b"x-script-name": DROPPED,
    b"x-original-url": DROPPED,
    b"x-rewrite-url": DROPPED,
}
"""What isn't here goes on to the plugin, unless it begins like what is only ours to say."""
_OURS = (b"x-toru-", b"x-forwarded-")
_USUAL = {spelled: meaning for name, meaning in MEANINGS.items() for spelled in (name, name.title())}
"""As nearly everybody spells them."""

_ONCE = frozenset({HOST, LENGTH, ENCODING, UPGRADE, EXPECT, AUTHORIZATION, ORIGIN})
"""Said twice, nobody could tell which one counts."""

# RFC 9110, section 5.6.2.
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 3986, section 3.2.2, without user information.
_AUTHORITY = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]{0,5})?")
_DIGITS = re.compile(rb"[0-9]{1,18}")
_SIGNS = re.compile(rb"[^0-9a-z]")
_KNOWN_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})

_TEXT = bytes([0x09, 0x0A, 0x0D, *range(0x20, 0x7F), *range(0x80, 0x100)])
"""The bytes of a head. The line breaks among them are counted."""
_TARGET = bytes(byte for byte in range(0x21, 0x7F) if byte not in b'"#<>\\`{}')
"""The bytes of a request's target. RFC 3986 has fewer, but browsers send `|` and `[` as they are."""
_LOOSE_TARGET = _TARGET + b'"\\`{}<>'

_Meant = tuple[int, bytes]
_KEEP: _Meant = (0, b"")

_REMEMBERED = 4096
_LONGEST_REMEMBERED = 256
_meant: dict[bytes, _Meant] = {}
"""What lines mean. Bounded, and without those that hold secrets or are hardly ever said twice."""


class BadHead(Exception):
    """The request is refused, and its connection closed: where it ends is not certain."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Fields:
    """The header fields of a request, once they are known to be sound. Many requests may have them in common."""

    __slots__ = ("chunked", "close", "length", "lines", "said", "upgrade")

    lines: list[bytes]
    """Those that go on to a plugin, as they came."""
    said: dict[int, bytes]
    """What lines with a meaning said: by HOST and so on, without white space around it."""
    length: int
    """Of the body, unless it is chunked."""
    chunked: bool
    close: bool
    """The client sends nothing more on this connection."""
    upgrade: bytes | None
    """To which protocol the client would change, in lower case."""


class Head:
    """A request's head, once it is known to be sound."""

    __slots__ = ("fields", "is_for_front_end", "method", "minor", "target")

    def __init__(self, method: bytes, target: bytes, minor: int, fields: Fields) -> None:
        self.method = method
        self.target = target
        """As it was sent: a path with its query, mostly."""
        self.minor = minor
        """HTTP/1.minor"""
        self.fields = fields
        self.is_for_front_end = False
        """It was a request to the API for what only the plugin has: its script."""

    @property
    def lines(self) -> list[bytes]:
        return self.fields.lines

    @property
    def said(self) -> dict[int, bytes]:
        return self.fields.said

    @property
    def length(self) -> int:
        return self.fields.length

    @property
    def chunked(self) -> bool:
        return self.fields.chunked

    @property
    def has_body(self) -> bool:
        return self.fields.chunked or self.fields.length > 0

    @property
    def close(self) -> bool:
        """The client sends nothing more on this connection, or can't tell when an answer ends."""
        return self.minor == 0 or self.fields.close

    @property
    def upgrade(self) -> bytes | None:
        return self.fields.upgrade


def read_head(raw: bytes) -> Head:
    """The head in these bytes, which end before the empty line; or `BadHead`."""
    lines = raw.split(b"\r\n")
    breaks = len(lines) - 1
    if raw.count(b"\r") != breaks or raw.count(b"\n") != breaks:
        raise BadHead(400, "lines of a request end in CR LF, and neither stands anywhere else")
    if raw.translate(None, _TEXT):
        raise BadHead(400, "there are control characters in the head of the request")
    if breaks > MOST_FIELDS:
        raise BadHead(431, f"a request has at most {MOST_FIELDS} header fields")
    method, target, minor = read_request_line(lines[0])
    fields = _read_fields(lines[1:])
    said = fields.said
    if CONNECTION in said:
        _read_connection(fields, said[CONNECTION])
    if LENGTH in said or ENCODING in said:
        fields.length, fields.chunked = _framing(said, minor)
    if minor and HOST not in said:
        raise BadHead(400, "there is no Host in the request")
    said.setdefault(HOST, b"")
    head = Head(method, target, minor, fields)
    if not target.startswith(b"/"):
        _read_other_target(head)
    return head


def _read_fields(lines: list[bytes]) -> Fields:
    kept: list[bytes] = []
    said: dict[int, bytes] = {}
    for line in lines:
        meant = _meant.get(line) or _meaning_of(line)
        if meant is _KEEP:
            kept.append(line)
            continue
        meaning, value = meant
        if meaning in said:
            value = _said_again(meaning, said[meaning], value)
        said[meaning] = value
        if meaning <= _FORWARDED_TO:
            kept.append(line)
    fields = Fields()
    fields.lines, fields.said = kept, said
    fields.length, fields.chunked = 0, False
    fields.close, fields.upgrade = False, None
    return fields


def read_request_line(line: bytes) -> tuple[bytes, bytes, int]:
    """Method, target and the minor version, in this line without its end; or `BadHead`."""
    parts = line.split(b" ")
    if len(parts) != 3:
        raise BadHead(400, "a request begins with a method, a target and a version, with one space between")
    method, target, version = parts
    if version == b"HTTP/1.1":
        minor = 1
    elif version == b"HTTP/1.0":
        minor = 0
    else:
        known = re.fullmatch(rb"HTTP/[0-9]\.[0-9]", version) is not None
        raise BadHead(505 if known else 400, "this is neither HTTP/1.1 nor HTTP/1.0")
    if method not in _KNOWN_METHODS and (len(method) > LONGEST_METHOD or not _TOKEN.fullmatch(method)):
        raise BadHead(400, "the method of the request is no word")
    if len(target) > MOST_TARGET_BYTES:
        raise BadHead(414, f"a request's target has at most {MOST_TARGET_BYTES} bytes")
    # In a query browsers send some more as they are.
    if target.translate(None, _TARGET) and (not target or target.translate(None, _LOOSE_TARGET) or _is_loose(target)):
        raise BadHead(400, "there are characters in the request's target that must be percent-encoded")
    return method, target, minor


def _is_loose(target: bytes) -> bool:
    """Whether characters that only a query may hold are before it."""
    return bool(target.partition(b"?")[0].translate(None, _TARGET))


def _meaning_of(line: bytes) -> _Meant:
    name, colon, value = line.partition(b":")
    if not colon or (name not in _USUAL and not _TOKEN.fullmatch(name)):
        raise BadHead(400, "a header field has a name, a colon right behind it, and a value on the same line")
    value = value.strip(b" \t")
    meaning = _USUAL.get(name) or _meaning_of_name(name)
    if meaning == HOST and not _AUTHORITY.fullmatch(value):
        raise BadHead(400, "the Host of the request is no host")
    meant = (meaning, value) if meaning else _KEEP
    if len(line) <= _LONGEST_REMEMBERED and meaning not in {COOKIE, AUTHORIZATION, LENGTH}:
        if len(_meant) >= _REMEMBERED:
            _meant.clear()
        _meant[line] = meant
    return meant


def _meaning_of_name(name: bytes) -> int:
    # To CGI and whatever is like it, all signs are the same: a name with underscores could pass for one of ours.
    lower = name.lower()
    plain = _SIGNS.sub(b"-", lower)
    meaning = MEANINGS.get(plain, 0)
    if (meaning and plain != lower) or (not meaning and plain.startswith(_OURS)):
        return DROPPED
    return meaning


def _said_again(meaning: int, before: bytes, value: bytes) -> bytes:
    if meaning in _ONCE:
        raise BadHead(400, "a header field that must be unique is there twice")
    return before + (b"; " if meaning == COOKIE else b", ") + value


def _read_connection(fields: Fields, value: bytes) -> None:
    if value in {b"keep-alive", b"Keep-Alive"}:
        return
    named = {name.strip(b" \t").lower() for name in value.split(b",")}
    fields.close = b"close" in named
    if b"upgrade" in named:
        fields.upgrade = fields.said.get(UPGRADE, b"").lower() or None
    # What the client calls its own affair with us goes no further (RFC 9110, section 7.6.1).
    if others := named - {b"close", b"keep-alive", b"upgrade", b"host"}:
        fields.lines = [line for line in fields.lines if line.partition(b":")[0].lower() not in others]


def _framing(said: Mapping[int, bytes], minor: int) -> tuple[int, bool]:
    """How the body is sent (RFC 9112, section 6)."""
    length, encoding = said.get(LENGTH), said.get(ENCODING)
    if encoding is not None:
        if length is not None:
            raise BadHead(400, "Content-Length and Transfer-Encoding exclude each other")
        if minor == 0:
            raise BadHead(400, "there is no Transfer-Encoding in HTTP/1.0")
        if encoding.lower() != b"chunked":
            raise BadHead(400, "the only Transfer-Encoding of a request is chunked")
        return 0, True
    if length is None or not _DIGITS.fullmatch(length):
        raise BadHead(400, "Content-Length is one number")
    return int(length), False


def _read_other_target(head: Head) -> None:
    """The forms of RFC 9112, section 3.2, that aren't a path: an absolute one is made a path, and its host counts."""
    if head.target == b"*" and head.method == b"OPTIONS":
        return
    match = re.fullmatch(rb"(?i:https?)://([^/?]+)(/[^?]*)?(\?.*)?", head.target)
    if match is None or not _AUTHORITY.fullmatch(match[1]):
        raise BadHead(400, "the target of the request is no path")
    head.target = (match[2] or b"/") + (match[3] or b"")
    fields = head.fields
    fields.said[HOST] = match[1]
    fields.lines = [b"Host: " + match[1], *(line for line in fields.lines if line[:5].lower() != b"host:")]
