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
├── NoBundle             the plugin has no front end, or it is disabled
├── WrongState           what is asked for makes no sense of a plugin in this state
├── BadCursor            the text is no place in the journal
├── TooManyReaders       as many follow already as may
├── SystemdRefused       systemd said no
├── StoreUnavailable     the database is locked, read-only, full or away
├── NewerDatabase        a later release has been at work on the database
├── InvalidInput         what was sent breaks a rule
├── TooLarge             it goes beyond a limit
├── Unauthenticated      nobody knows who is asking
├── SignInRefused        wrong name or password, or an account that is off
├── TooManyAttempts      sign-in has failed too often: later
├── Forbidden            this caller may not
├── UnknownRun           the journal remembers no such run of the plugin
├── UnknownUser          there is no such user
├── UnknownToken         there is no such API token
├── UnknownSession       there is no such session
├── AlreadyExists        the name is taken
└── LastAdmin            somebody must be left who can let others in

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


class NoBundle(ToruError):
    code = "no-bundle"


class WrongState(ToruError):
    code = "wrong-state"


class BadCursor(ToruError):
    code = "bad-cursor"


class TooManyReaders(ToruError):
    code = "too-many-readers"


class SystemdRefused(ToruError):
    code = "systemd-refused"


class StoreUnavailable(ToruError):
    code = "store-unavailable"


class NewerDatabase(ToruError):
    code = "newer-database"


class InvalidInput(ToruError):
    code = "invalid-input"


class TooLarge(ToruError):
    code = "too-large"


class Unauthenticated(ToruError):
    code = "unauthenticated"


class SignInRefused(ToruError):
    code = "sign-in-refused"


class TooManyAttempts(ToruError):
    """`retry_after` says in how many seconds it is worth another try."""

    code = "too-many-attempts"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after


class Forbidden(ToruError):
    code = "forbidden"


class UnknownRun(ToruError):
    code = "unknown-run"


class UnknownUser(ToruError):
    code = "unknown-user"


class UnknownToken(ToruError):
    code = "unknown-token"


class UnknownSession(ToruError):
    code = "unknown-session"


class AlreadyExists(ToruError):
    code = "already-exists"


class LastAdmin(ToruError):
    code = "last-admin"
