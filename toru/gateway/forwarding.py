"""What is changed on the way: cookies, redirects, and what Toru says of the client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from toru.gateway import answers
from toru.gateway.answers import Answer, BadAnswer
from toru.gateway.heads import FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PREFIX, FORWARDED_PROTO, HOST
from toru.web.caller import COOKIE
from toru.web.proxies import sound_prefix

_OURS = COOKIE.encode()
_SPACE = b" \t\x85\xa0"
"""What Python calls white space, in a text that was read as Latin-1."""


def split_cookies(value: bytes) -> tuple[bytes | None, bytes]:
    """Our token in what a Cookie field says, and what is left of it for the plugin.

    Names are compared as the API does it (Starlette's `cookie_parser`): without white space around; the last counts.
    """
    if _OURS not in value:
        return None, value
    token, others = None, []
    for cookie in value.split(b";"):
        name, equals, text = cookie.partition(b"=")
        if equals and name.strip(_SPACE) == _OURS:
            token = text.strip(_SPACE)
        else:
            others.append(cookie)
    return token, b";".join(others).strip()


class Origin:
    """Where the requests of one connection come from, as plugins are told."""

    __slots__ = ("_address", "_block", "_host", "trusted")

    def __init__(self, address: str | None, *, trusted: bool) -> None:
        """`trusted`: it is a proxy whose own word for that counts."""
        self._address = b"" if address is None else address.encode()
        self.trusted = trusted
        self._host: bytes | None = None
        self._block = b""

    def lines(self, said: Mapping[int, bytes]) -> bytes:
        """What to add to a request that said this: lines, of which the last is to be ended with the plugin's prefix."""
        host = said[HOST]
        if self.trusted:
            chain = (said.get(FORWARDED_FOR), self._address)
            proto = said.get(FORWARDED_PROTO, b"").lower()
            return _origin(b", ".join(filter(None, chain)), proto, said.get(FORWARDED_HOST, host), self.base(said))
        if host != self._host:
            self._host, self._block = host, _origin(self._address, b"http", host, b"")
        return self._block

    def base(self, said: Mapping[int, bytes]) -> bytes:
        """What a trusted proxy has taken off the path of a request that said this."""
        if not self.trusted or FORWARDED_PREFIX not in said:
            return b""
        return sound_prefix(said[FORWARDED_PREFIX].decode("latin-1")).encode()


def _origin(addresses: bytes, proto: bytes, host: bytes, base: bytes) -> bytes:
    proto = b"https" if proto == b"https" else b"http"
    lines = b"X-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\nX-Forwarded-Prefix: %b" % (proto, host, base)
    return b"X-Forwarded-For: %b\r\n%b" % (addresses, lines) if addresses else lines


def confined_cookie(value: bytes, prefix: bytes, base: bytes = b"") -> bytes | None:
    """A plugin's cookie, for its own paths alone; None where it must not be set.

    The name may not be ours, nor empty: a browser sends a cookie without a name as its bare value, which may look like
    ours.
    """
    pair, *attributes = value.split(b";")
    name, equals, _ = pair.partition(b"=")
    name = name.strip(_SPACE)
    if not equals or not name or name.lower() == _OURS:
        return None
    path, kept = b"", [pair.strip()]
    for attribute in attributes:
        key, _, text = attribute.partition(b"=")
        match key.strip().lower():
            case b"path":
                path = text.strip()
            case b"domain" | b"":
                pass
            case _:
                kept.append(attribute.strip())
    kept.append(b"Path=" + _below(path if path.startswith(b"/") else b"/", prefix, base))
    return b"; ".join(kept)


def placed(location: bytes, prefix: bytes, host: bytes, base: bytes = b"") -> bytes:
    """Where a redirect of the plugin's leads as the client sees it: a path of the plugin's is below its prefix."""
    if location.startswith(b"/") and not location.startswith(b"//"):
        return _below(location, prefix, base)
    scheme, separator, rest = location.partition(b"://")
    if separator and scheme.lower() in {b"http", b"https"} and host:
        cut = min((at for at in (rest.find(mark) for mark in (b"/", b"?", b"#")) if at >= 0), default=len(rest))
        if rest[:cut].lower() == host.lower():
            # Without scheme and host: what is before us may speak HTTPS with the client.
            path = rest[cut:]
            return _below(path if path.startswith(b"/") else b"/" + path, prefix, base)
    return location


def _below(path: bytes, prefix: bytes, base: bytes) -> bytes:
    """A plugin may say a path as it sees it, as its own host does, or as the client does."""
    if base and _is_below(path, base + prefix):
        return path
    return base + path if _is_below(path, prefix) else base + prefix + path


def _is_below(path: bytes, prefix: bytes) -> bool:
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in {b"", b"/", b"?", b"#"}


def answer_lines(answer: Answer, prefix: bytes, host: bytes, base: bytes = b"") -> list[bytes]:
    """The lines of an answer's head that reach the client, but for the first and what says how long the body is.

    `prefix` is what was before the plugin's path here, `base` what a proxy has before that.
    """
    lines = list(answer.lines)
    for meaning, name, value in answer.special:
        if meaning == answers.LOCATION:
            lines.append(name + b": " + placed(value, prefix, host, base))
        elif (cookie := confined_cookie(value, prefix, base)) is not None:
            lines.append(name + b": " + cookie)
    return lines


def answer_of(status: int, reason: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Answer:
    """The same for an answer that didn't come as HTTP; or `BadAnswer`. How long its body is isn't looked at."""
    lines = [b"HTTP/1.1 %d %b" % (status, reason)]
    lines += (name + b": " + value for name, value in headers if name.lower() not in _LENGTHS)
    raw = b"\r\n".join(lines)
    if raw.count(b"\n") != len(lines) - 1:
        raise BadAnswer("sent a header field with a line break in it")
    return answers.read_answer(raw)


_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})


def joined(first: bytes, lines: Iterable[bytes]) -> bytes:
    """A head, with the empty line behind it."""
    return b"\r\n".join((first, *lines, b"", b""))
