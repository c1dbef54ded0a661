"""Who is behind a token, to a worker."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.server import CLIENT, PASSWORD, QUICK
from toru.core.accounts import Accounts, Change
from toru.core.passwords import Passwords
from toru.domain.people import Role
from toru.store.engine import Database
from toru.workers.changes import Changes, WorkersAccounts


@pytest.fixture
def changes() -> Iterator[Changes]:
    changes = Changes()
    yield changes
    changes.close()


@pytest.fixture
def core(database: Database, changes: Changes) -> Accounts:
    database.migrate()
    return Accounts(database, Passwords(QUICK), on_change=lambda _name: changes.count())


@pytest.fixture
def worker(database: Database, changes: Changes) -> Iterator[WorkersAccounts]:
    worker = WorkersAccounts(database)
    descriptor = changes.for_reading()
    worker.listen(descriptor)
    os.close(descriptor)
    yield worker
    worker.listen(None)


async def signed_in(core: Accounts) -> str:
    await core.create(CLIENT, PASSWORD, Role.CLIENT)
    token, _ = await core.sign_in(CLIENT, PASSWORD, "here")
    return token


@pytest.mark.req("SEC-2")
def test_who_was_remembered_is_nobody_as_soon_as_the_core_has_said_so(core: Accounts, worker: WorkersAccounts) -> None:
    async def scenario() -> None:
        token = await signed_in(core)
        assert (await worker.recognise(token)) == worker.known(token) is not None
        before = worker.changes
        await core.sign_out(token)
        assert worker.known(token) is None
        assert worker.changes != before
        assert await worker.recognise(token) is None

    asyncio.run(scenario())


@pytest.mark.req("SEC-2")
def test_without_a_core_nobody_is_remembered_and_the_database_is_asked(core: Accounts, worker: WorkersAccounts) -> None:
    async def scenario() -> None:
        token = await signed_in(core)
        assert await worker.recognise(token) is not None
        worker.listen(None)
        assert worker.known(token) is None
        assert worker.changes != worker.changes
        assert await worker.recognise(token) is not None
        await core.change(CLIENT, Change(disabled=True))
        assert await worker.recognise(token) is None

    asyncio.run(scenario())


def test_a_worker_can_read_the_number_and_not_write_it(changes: Changes) -> None:
    descriptor = changes.for_reading()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(descriptor, b"x")
    assert (Path("/proc/self/fd") / str(descriptor)).exists()
    os.close(descriptor)
