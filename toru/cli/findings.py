"""What a check of the host came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, but not as well as it could."""
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found, in a sentence, and what to do about it."""

    level: Level
    check: str
    sentence: str
    remedy: str | None = None
