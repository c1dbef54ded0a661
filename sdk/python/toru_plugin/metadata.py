"""What a plugin says of itself: checked where it is defined, so that a mistake is an exception of the author's own run.

Toru checks it again, and more strictly: it decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable

DAY = 86_400


def checked(said: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata without what is None. ValueError with every breach in one sentence."""
    metadata = {name: value for name, value in said.items() if value is not None}
    breaches: list[str] = [f"{name} is missing" for name in ("id", "name", "route") if name not in metadata]
    for name, value in metadata.items():
        rule = _RULES.get(name)
        if rule is None:
            breaches.append(f"there is no {name}")
        elif not rule[0](value):
            breaches.append(f"{name} must be {rule[1]}, not {value!r:.80}")
    if breaches:
        raise ValueError("invalid metadata: " + "; ".join(breaches))
    return metadata


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _text(under: int) -> tuple[Callable[[Any], bool], str]:
    return lambda value: isinstance(value, str) and len(value.strip()) > 0 and len(value) < under, (
        f"a text of under {under} characters"
    )


def _seconds(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0.001 <= value <= DAY


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _one_of(*words: str) -> tuple[Callable[[Any], bool], str]:
    return lambda value: value in words, f"one of {', '.join(words)}"


_SECONDS = (_seconds, "a number of seconds from 0.001 to a day")
_COUNT = (_count, "a whole number from 1 on")

_RULES: Mapping[str, tuple[Callable[[Any], bool | None], str]] = {
    "id": (_matches(r"(?!route$)[A-Za-z0-9-]{1,64}"), "1 to 64 letters, digits and hyphens, and not route"),
    "name": _text(100),
    "route": (
        _matches(r"/(?!\.$)(?!.*\.\.)[A-Za-z0-9._~-]{1,100}"),
        '"/" and one segment of letters, digits and -._~, without ".."',
    ),
    "version": _text(100),
    "icon": _text(100),
    "author": _text(100),
    "description": _text(2000),
    "homepage": (_matches(r"https?://[^\s]{1,490}"), "an https:// or http:// address"),
    "protocol": _one_of("toru/2", "toru/1"),
    "start": _one_of("eager", "on-demand"),
    "idle_timeout": _SECONDS,
    "watchdog": _SECONDS,
    "timeout": _SECONDS,
    "max_body": _COUNT,
    "max_concurrent": _COUNT,
    "limits": (lambda value: isinstance(value, dict), "an object with memory, tasks or cpu"),
    "sandbox": _one_of("strict", "default", "trusted"),
}  # fmt: skip
