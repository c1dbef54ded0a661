"""What the command line refuses by itself. Each is a sentence and a code, as every ToruError."""

from __future__ import annotations

from toru.domain.errors import ToruError


class WrongUsage(ToruError):
    """There is no such command, or it takes something else."""

    code = "usage"


class NotScanned(ToruError):
    """Nobody has looked into the plugins directory yet."""

    code = "not-scanned"


NOT_SCANNED = "no scan has run yet: systemctl start toru-scan"


class NotPermitted(ToruError):
    """Somebody else may do this."""

    code = "not-permitted"


class NoEntry(ToruError):
    """A plugin keeps nothing there."""

    code = "no-entry"


class JournalHidden(ToruError):
    """Others may read the journal."""

    code = "journal-hidden"
