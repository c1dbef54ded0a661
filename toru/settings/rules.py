"""What a value in the settings must be. Each returns what it means, or raises ValueError with the rule in words."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path

from toru.domain.events import EventKind
from toru.domain.manifest import Sandbox
from toru.domain.quantities import parse_size


def directory(value: object) -> Path:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise ValueError("must be an absolute path")
    return Path(os.path.normpath(value))


def database_url(value: object) -> str:
    if not isinstance(value, str) or not re.match(r"[a-z0-9+]+://", value):
        raise ValueError("must be a URL, such as postgresql+psycopg://toru@host/toru")
    return value


def addresses(value: object) -> tuple[str, ...]:
    try:
        if isinstance(value, list):
            return tuple(str(ipaddress.ip_network(address)) for address in value)
    except ValueError:
        pass
    raise ValueError("must be a list of addresses or networks")


def switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.001 <= value <= 86_400:
        raise ValueError("must be a number of seconds, over 0 and up to a day")
    return value


def days(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.01 <= value <= 3650:
        raise ValueError("must be a number of days, over 0 and up to 10 years")
    return value


def count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise ValueError("must be a whole number, at least 1")
    return value


def few(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise ValueError("must be a whole number, 1 to 100")
    return value


def value_size(value: object) -> int:
    # A request to the API, which carries the value, is no larger than 2 MiB.
    return parse_size(value, least=1024, most=1 << 20)


def total_size(value: object) -> int:
    return parse_size(value, least=1 << 20, most=1 << 40)


def body_size(value: object) -> int:
    return parse_size(value, least=1, most=1 << 50)


def head_size(value: object) -> int:
    # Browsers send some 2 KiB, and a message of toru/2 has 64 KiB.
    return parse_size(value, least=4 << 10, most=64 << 10)


def file_size(value: object) -> int:
    # Less would hold a line or two of the longest.
    return parse_size(value, least=64 << 10, most=1 << 40)


def kinds(value: object) -> frozenset[EventKind]:
    known = {str(kind): kind for kind in EventKind if kind is not EventKind.OTHER}
    if isinstance(value, list) and all(isinstance(word, str) and word in known for word in value):
        return frozenset(known[word] for word in value)
    raise ValueError(f"must be a list of {', '.join(known)}")


def sandbox(value: object) -> Sandbox:
    for word in Sandbox:
        if value == word:
            return word
    raise ValueError(f"must be one of {', '.join(Sandbox)}")
