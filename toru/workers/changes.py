"""That somebody has signed out or may do less than before, to every process at once: a number in shared memory.

The core counts it up before it answers, and a worker looks at it with each request. A message might come too late.
"""

from __future__ import annotations

import itertools
import mmap
import os
import struct
import tempfile

import argon2

from toru.core.accounts import Accounts
from toru.core.passwords import Passwords
from toru.domain.people import Caller
from toru.store.engine import Database

_COUNT = struct.Struct("Q")

_NO_PASSWORDS = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A worker lets nobody in, and needn't spend half a second on being ready for it."""


class Changes:
    """The core's side."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the core is there)
        self._file.truncate(_COUNT.size)
        self._memory = mmap.mmap(self._file.fileno(), _COUNT.size)
        self._count = 0

    def count(self) -> None:
        """Somebody may do less than before: counts as soon as this returns."""
        self._count += 1
        _COUNT.pack_into(self._memory, 0, self._count)

    def for_reading(self) -> int:
        """A descriptor for a worker, the caller's."""
        return os.open(f"/proc/self/fd/{self._file.fileno()}", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        self._memory.close()
        self._file.close()


class WorkersAccounts(Accounts):
    """Who is behind a token, as a worker knows it. While there is no core to say otherwise, nobody is remembered."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, Passwords(_NO_PASSWORDS))
        self._memory: mmap.mmap | None = None
        self._as_of = -1
        self._unheard = itertools.count(1)

    def listen(self, descriptor: int | None) -> None:
        """To the changes behind this descriptor, which is the caller's; None: there is nobody to listen to."""
        if self._memory is not None:
            self._memory.close()
        self._memory = (
            None if descriptor is None else mmap.mmap(descriptor, _COUNT.size, mmap.MAP_SHARED, mmap.PROT_READ)
        )
        self._known.forget_all()

    @property
    def changes(self) -> int:
        if self._memory is None:
            return -next(self._unheard)
        (count,) = _COUNT.unpack_from(self._memory)
        if count != self._as_of:
            self._as_of = count
            self._known.forget_all()
        return self._known.changes

    def known(self, token: str) -> Caller | None:
        return None if self.changes < 0 else super().known(token)

    async def recognise(self, token: str) -> Caller | None:
        if self._memory is not None:
            return await super().recognise(token)
        found = await self.look_up(token)
        return None if found is None else found.caller
