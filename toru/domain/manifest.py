"""What a plugin says of itself when it is run with `--metadata`.

`parse_manifest` is the only door: what comes out obeys every rule, and everything downstream relies on it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from toru.domain.errors import InvalidId, InvalidManifest
from toru.domain.ids import RESERVED, PluginId
from toru.domain.quantities import Limits, parse_cpu_percent, parse_memory_bytes, parse_tasks

OUTPUT_LIMIT_BYTES = 64 * 1024
"""More than this on stdout is no manifest (META-3)."""

DEFAULT_ICON = "🧩"
DEFAULT_VERSION = "0.0.0"

# One path segment of characters that never need encoding (RFC 3986, "unreserved").
_ROUTE = re.compile(r"/[A-Za-z0-9._~-]{1,100}")


class Protocol(StrEnum):
    TORU_1 = "toru/1"
    TORU_2 = "toru/2"
    HTTP = "http"


class Activation(StrEnum):
    SOCKET = "socket"
    """The plugin inherits the listening socket from systemd."""
    SELF = "self"
    """The plugin binds a path of its own; systemd's socket is its bell."""


class Start(StrEnum):
    EAGER = "eager"
    ON_DEMAND = "on-demand"


class Sandbox(StrEnum):
    STRICT = "strict"
    DEFAULT = "default"
    TRUSTED = "trusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    id: PluginId
    name: str
    route: str
    version: str = DEFAULT_VERSION
    icon: str = DEFAULT_ICON
    author: str | None = None
    description: str | None = None
    homepage: str | None = None
    protocol: Protocol = Protocol.TORU_1
    activation: Activation = Activation.SELF
    start: Start = Start.EAGER
    idle_timeout: float | None = None
    watchdog: float | None = None
    timeout: float | None = None
    max_body: int | None = None
    max_concurrent: int | None = None
    limits: Limits = Limits()
    sandbox: Sandbox = Sandbox.DEFAULT

    @property
    def rings(self) -> bool:
        """Whether the socket unit is only a bell, because the plugin binds a path of its own."""
        return self.activation is Activation.SELF


def parse_manifest(output: bytes) -> Manifest:
    """The manifest in a probe's output, or `InvalidManifest` with every breach in one sentence."""
    if len(output) > OUTPUT_LIMIT_BYTES:
        raise InvalidManifest(f"printed more than {OUTPUT_LIMIT_BYTES // 1024} KiB for --metadata")
    if not output.strip():
        raise InvalidManifest("printed nothing for --metadata")
    try:
        said = json.loads(output.decode(), parse_int=_whole_number, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise InvalidManifest("printed something that is not UTF-8 for --metadata") from None
    except (ValueError, RecursionError):
        raise InvalidManifest("printed something that is not JSON for --metadata") from None
    if not isinstance(said, dict):
        raise InvalidManifest("printed JSON that is not an object for --metadata")
    return manifest_from(said)


def manifest_from(said: Mapping[str, Any]) -> Manifest:
    """The manifest that an object says. Unknown fields are kept out, not fatal."""
    breaches: list[str] = []
    fields: dict[str, Any] = {}
    for name, rule in _RULES.items():
        value = said.get(name)
        # Plugins in the field print `"author": null`, or "" where they have nothing to show.
        if value is None or (value == "" and name in _ONLY_SHOWN):
            if name in _REQUIRED:
                breaches.append(f"{name} is missing")
            continue
        try:
            fields[name] = rule(value)
        except ValueError as breach:
            breaches.append(f"{name} {breach}")
    if not breaches:
        try:
            fields["activation"] = _activation(fields.get("protocol", Protocol.TORU_1), fields.get("activation"))
        except ValueError as breach:
            breaches.append(f"activation {breach}")
    if breaches:
        raise InvalidManifest("invalid metadata: " + "; ".join(breaches))
    return Manifest(**fields)


def manifest_as_said(manifest: Manifest) -> dict[str, Any]:
    """The object that `manifest_from` makes the same manifest of."""
    return {
        name: value.as_said() if isinstance(value, Limits) else value
        for name in _RULES
        if (value := getattr(manifest, name)) is not None
    }


def _activation(protocol: Protocol, asked: Activation | None) -> Activation:
    if protocol is Protocol.TORU_1:
        return Activation.SELF  # whatever it says: toru/1 knows nothing of inherited sockets
    if protocol is Protocol.TORU_2 and asked is Activation.SELF:
        raise ValueError('must be "socket" with protocol toru/2')
    return asked or Activation.SOCKET


def _whole_number(digits: str) -> int | float:
    # Python refuses to read an int of thousands of digits; in an unknown field that must not be fatal.
    return int(digits) if len(digits) <= 100 else float(digits)


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _id(value: object) -> PluginId:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if value in RESERVED:
        raise ValueError(f"{value!r} is taken: /api/plugins/{value}/ is the way to every plugin")
    try:
        return PluginId(value)
    except InvalidId:
        raise ValueError(f"{value[:80]!r} must be 1 to 64 letters, digits and hyphens") from None


def _route(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if not _ROUTE.fullmatch(value) or ".." in value or value == "/.":
        raise ValueError(
            f'{value[:80]!r} must be "/" and one segment of letters, digits, hyphens, dots, underscores or tildes, '
            'without ".."'
        )
    return value


def _text(*, under: int) -> Callable[[object], str]:
    def rule(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("must be a text")
        if len(value) >= under:
            raise ValueError(f"must be under {under} characters, not {len(value)}")
        if any(_is_unsafe(character) for character in value):
            raise ValueError("must not contain control characters or others that can't be seen")
        if all(character.isspace() or _is_blank(character) for character in value):
            raise ValueError("must not be empty")
        return value

    return rule


def _is_unsafe(character: str) -> bool:
    """Whether it could forge a line, hide or reorder text, or not be written at all (a lone surrogate)."""
    category = unicodedata.category(character)
    if category == "Cf":
        return not _is_blank(character)
    if category == "Cn":
        # Emoji that this Python is too old to know (Unicode reserves the range for them).
        return not "\U0001f000" <= character <= "\U0001faff"
    return category in {"Cc", "Cs", "Zl", "Zp"}


def _is_blank(character: str) -> bool:
    """Joiners and tags, which emoji and some scripts are made of, and letters without a shape."""
    return character in "\u115f\u1160\u200c\u200d\u2800\u3164\uffa0" or "\U000e0020" <= character <= "\U000e007f"


def _description(value: object) -> str:
    """As every text, but it may have paragraphs."""
    if isinstance(value, str):
        _text(under=2000)(value.replace("\n", " ").replace("\t", " "))
        return value
    raise ValueError("must be a text")


def _homepage(value: object) -> str:
    text = _text(under=500)(value)
    if not text.startswith(("https://", "http://")):
        raise ValueError("must begin with https:// or http://")
    return text


def _one_of(kind: type[StrEnum]) -> Callable[[object], StrEnum]:
    def rule(value: object) -> StrEnum:
        for word in kind:
            if value == word:
                return word
        raise ValueError(f"must be one of {', '.join(kind)}")

    return rule


def _seconds(*, most: float) -> Callable[[object], float]:
    def rule(value: object) -> float:
        # systemd counts in microseconds, and to it 0 means "off".
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.001 <= value <= most:
            raise ValueError(f"must be a number of seconds from 0.001 to {most:g}")
        return value

    return rule


def _count(*, most: int) -> Callable[[object], int]:
    def rule(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"must be a whole number from 1 to {most}")
        return value

    return rule


def _limits(value: object) -> Limits:
    if not isinstance(value, dict):
        raise ValueError("must be an object with memory, tasks or cpu")
    parsers = {"memory": parse_memory_bytes, "tasks": parse_tasks, "cpu": parse_cpu_percent}
    said: dict[str, Any] = {}
    for name, parse in parsers.items():
        if (asked := value.get(name)) is None:
            continue
        try:
            said[name] = parse(asked)
        except ValueError as breach:
            raise ValueError(f"{name} {breach}") from None
    return Limits(memory_bytes=said.get("memory"), tasks=said.get("tasks"), cpu_percent=said.get("cpu"))


_DAY = 86_400

_RULES: Mapping[str, Callable[[object], Any]] = {
    "id": _id,
    "name": _text(under=100),
    "route": _route,
    "version": _text(under=100),
    "icon": _text(under=100),
    "author": _text(under=100),
    "description": _description,
    "homepage": _homepage,
    "protocol": _one_of(Protocol),
    "activation": _one_of(Activation),
    "start": _one_of(Start),
    "idle_timeout": _seconds(most=_DAY),
    "watchdog": _seconds(most=_DAY),
    "timeout": _seconds(most=_DAY),
    "max_body": _count(most=2**63 - 1),
    "max_concurrent": _count(most=1_000_000),
    "limits": _limits,
    "sandbox": _one_of(Sandbox),
}

_REQUIRED = frozenset({"id", "name", "route"})
_ONLY_SHOWN = frozenset({"version", "icon", "author", "description", "homepage"})
