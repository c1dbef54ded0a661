"""Restores that were cut off: `toru restore --recover` puts back what was before, and undoes whatever comes between."""

from __future__ import annotations

from toru.domain import places
from toru.domain.errors import ToruError


class CutOff(ToruError):
    """What is there is half of the old and half of the new."""

    code = "restore-cut-off"


def check_none_was_cut_off() -> None:
    """Asked as root, who alone can see it."""
    if places.RESTORE_PLAN.exists():
        raise CutOff("a restore was cut off, and Toru stands still: toru restore --recover puts back what was before")
