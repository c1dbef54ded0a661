"""Everything Toru can refuse or fail to do.

ToruError
├── InvalidId            the text is no plugin id
├── InvalidManifest      what `--metadata` printed breaks a rule
├── InvalidSettings      a settings file has a mistake
├── UnknownPlugin        no accepted plugin has this id
├── RejectedPlugin       the file is there, but was rejected
├── WishesUnreadable     config.json can't be read and nothing stands in for it
├── NotEnabled           the plugin must be enabled for this
├── NotStarted           the units exist, but the plugin does not answer
└── SystemdRefused       systemd said no

A class stands for a way in which callers act differently; `code` is for programs, the message for people.
"""

from __future__ import annotations


class ToruError(Exception):
    """Something was refused or failed. `str(error)` is a sentence fit for the person who asked."""

    code = "error"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = facts


class InvalidId(ToruError):
    code = "invalid-id"


class InvalidManifest(ToruError):
    code = "invalid-manifest"


class InvalidSettings(ToruError):
    code = "invalid-settings"


class UnknownPlugin(ToruError):
    code = "unknown-plugin"


class RejectedPlugin(ToruError):
    code = "rejected-plugin"


class WishesUnreadable(ToruError):
    code = "wishes-unreadable"


class NotEnabled(ToruError):
    code = "not-enabled"


class NotStarted(ToruError):
    code = "not-started"


class SystemdRefused(ToruError):
    code = "systemd-refused"
