"""Passwords: which ones will do, and how they are kept."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHash, VerificationError

from toru.domain.errors import InvalidInput

T = TypeVar("T")

SHORTEST = 8
LONGEST = 1024
KINDS_WANTED = 3

RULE = (
    f"a password has at least {SHORTEST} characters, of at least {KINDS_WANTED} of these kinds: lower-case letters, "
    "upper-case letters, digits, anything else"
)

# The second recommended option of RFC 9106, section 4.
RFC_9106_LOW_MEMORY = argon2.PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)

AT_ONCE = 2
"""Each takes 64 MiB while it is at work."""


def check_password(password: str, *, user: str = "") -> None:
    """`InvalidInput` with the reason, unless the password keeps to the rule."""
    reason = _what_is_wrong(password, user)
    if reason is not None:
        raise InvalidInput(f"{reason}: {RULE}", field="password")


def _what_is_wrong(password: str, user: str) -> str | None:
    if len(password) < SHORTEST:
        return f"this password has {len(password)} characters"
    if len(password) > LONGEST:
        return f"this password has more than {LONGEST} characters"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        return "this password has a control character in it"
    if user and user.casefold() in password.casefold() and len(password) - len(user) < SHORTEST:
        return "this password is hardly more than the user's name"
    kinds = {_kind(character) for character in password}
    if len(kinds) < KINDS_WANTED:
        return f"this password has {', '.join(sorted(kinds))} and nothing more"
    return None


def _kind(character: str) -> str:
    if character.islower():
        return "lower-case letters"
    if character.isupper():
        return "upper-case letters"
    return "digits" if character.isdigit() else "other characters"


def new_password() -> str:
    """One for the occasion: easy to copy, 100 bits and more, and within the rule."""
    while True:
        password = "-".join(secrets.token_urlsafe(6).replace("-", "x").replace("_", "y") for _ in range(3))
        if _what_is_wrong(password, "") is None:
            return password


class Passwords:
    """Hashes and checks off the event loop, a bounded number at a time."""

    def __init__(self, hasher: argon2.PasswordHasher = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = hasher
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        # Checked in the place of a user's who doesn't exist, so that both take the same time.
        self._nobodys = hasher.hash(secrets.token_urlsafe(16))

    def close(self) -> None:
        self._threads.shutdown()

    async def hash(self, password: str) -> str:
        return await self._aside(lambda: self.hash_now(password))

    def hash_now(self, password: str) -> str:
        return self._hasher.hash(_normal(password))

    async def is_right(self, password: str, password_hash: str | None) -> bool:
        """Whether this is the password behind the hash. Takes as long where there is no hash."""

        def check() -> bool:
            try:
                self._hasher.verify(password_hash or self._nobodys, _normal(password))
            except (VerificationError, InvalidHash):
                return False
            return password_hash is not None

        return await self._aside(check)

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than a new one would be."""
        return self._hasher.check_needs_rehash(password_hash)

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _normal(password: str) -> bytes:
    """The same bytes for what looks the same: systems differ in how they compose letters."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
