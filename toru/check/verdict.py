"""What a check comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Broken(Exception):
    """A promise is broken. The text says what came instead, and completes "…, but"."""


class Skipped(Exception):
    """There is nothing to check. The text says why."""


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one check came to."""

    check: str
    group: str
    outcome: Outcome
    promise: str
    """What was expected."""
    found: str | None
    """What came instead, or why nothing was asked."""
    page: str
    """Where the promise stands: a page below docs, and its section."""

    @property
    def sentence(self) -> str:
        match self.outcome:
            case Outcome.PASSED:
                return self.promise
            case Outcome.SKIPPED:
                return f"{self.promise}: {self.found}"
            case Outcome.FAILED:
                return f"{self.promise}, but {self.found} (docs/{self.page})"
