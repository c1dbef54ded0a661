"""Accounts on both databases, where timing and other hosts matter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import argon2
import pytest

from toru.core import accounts as core_accounts
from toru.core import first_admin, known
from toru.core.accounts import Accounts, Change
from toru.core.known import Known
from toru.core.passwords import Passwords, new_password
from toru.domain.errors import LastAdmin, SignInRefused
from toru.domain.people import Caller, Role, UserName
from toru.store.accounts import credentials
from toru.store.engine import Database

pytestmark = pytest.mark.req("API-6", "SEC-2")

ANN, BOB = UserName("ann"), UserName("bob")
PASSWORD = "Correct-Horse-1"  # noqa: S105  of nobody
HERE = "192.0.2.1"
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database, Passwords(QUICK))


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def test_the_hash_is_argon2id_as_rfc_9106_has_it() -> None:
    parameters = argon2.extract_parameters(Passwords().hash_now(PASSWORD))
    assert parameters.type is argon2.Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (64 * 1024, 3, 4)


def test_old_hashes_are_made_anew_when_their_password_is_there(database: Database) -> None:
    async def story() -> None:
        await Accounts(database, Passwords(QUICK)).create(ANN, PASSWORD, Role.ADMIN)
        stronger = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
        now = Accounts(database, Passwords(stronger))
        await now.sign_in(ANN, PASSWORD, HERE)
        await now.sign_in(ANN, PASSWORD, HERE)

    run(story())
    with database.reading() as session:
        found = credentials(session, ANN)
    assert found is not None
    assert argon2.extract_parameters(found.password_hash).time_cost == 2


def test_letters_count_as_they_look(accounts: Accounts) -> None:
    async def story() -> None:
        await accounts.create(ANN, "Stra\u00dfe \u00e9 1", Role.ADMIN)
        await accounts.sign_in(ANN, "Stra\u00dfe e\u0301 1", HERE)

    run(story())


def test_a_password_for_the_occasion_keeps_to_the_rule() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50


def test_two_admins_who_dismiss_each_other_at_once_leave_one(accounts: Accounts) -> None:
    async def story() -> tuple[object, object]:
        await accounts.create(ANN, PASSWORD, Role.ADMIN)
        await accounts.create(BOB, PASSWORD, Role.ADMIN)
        return await asyncio.gather(
            accounts.delete(ANN), accounts.change(BOB, Change(disabled=True)), return_exceptions=True
        )

    outcomes = run(story())
    assert sorted(isinstance(outcome, LastAdmin) for outcome in outcomes) == [False, True]


def test_a_user_who_is_disabled_while_signing_in_stays_out(accounts: Accounts) -> None:
    async def story() -> None:
        await accounts.create(ANN, PASSWORD, Role.CLIENT)
        results = await asyncio.gather(
            *(accounts.sign_in(ANN, PASSWORD, HERE) for _ in range(8)),
            accounts.change(ANN, Change(disabled=True)),
            return_exceptions=True,
        )
        for result in results[:-1]:
            if isinstance(result, tuple):
                assert await accounts.recognise(result[0]) is None
            else:
                assert isinstance(result, SignInRefused)

    run(story())


def test_nobody_is_remembered_who_was_disabled_while_being_looked_up(accounts: Accounts) -> None:
    async def story() -> None:
        await accounts.create(ANN, PASSWORD, Role.CLIENT)
        for _ in range(20):
            await accounts.change(ANN, Change(disabled=False))
            token, _ = await accounts.sign_in(ANN, PASSWORD, HERE)
            await asyncio.gather(accounts.change(ANN, Change(disabled=True)), accounts.recognise(token))
            assert accounts.known(token) is None
            assert await accounts.recognise(token) is None

    run(story())


def test_another_host_on_the_same_database_learns_of_it_within_seconds(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    database.migrate()
    time = [1000.0]
    here, there = (Accounts(database, Passwords(QUICK), clock=lambda: time[0]) for _ in range(2))

    async def story() -> None:
        await here.create(ANN, PASSWORD, Role.CLIENT)
        token, _ = await here.sign_in(ANN, PASSWORD, HERE)
        assert await there.recognise(token) is not None
        await here.change(ANN, Change(disabled=True))
        assert await here.recognise(token) is None
        time[0] += core_accounts.FRESH_SECONDS
        assert await there.recognise(token) is None

    run(story())
    database.close()


def test_memory_of_tokens_has_a_bound() -> None:
    memory = Known(lambda: 0.0)
    for number in range(known.MOST + 500):
        memory.remember(f"hash {number}", Caller(name=f"user {number % 700}", role=Role.CLIENT), None)
    assert len(memory) == known.MOST
    for number in range(700):
        memory.forget_user(f"user {number}")
    assert (len(memory), memory._of_user) == (0, {})


# The first admin.


@pytest.fixture
def credential(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    def lay(text: str) -> dict[str, str]:
        (tmp_path / first_admin.CREDENTIAL).write_text(text)
        return {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    return lay


def prepared(database: Database, accounts: Accounts, environment: dict[str, str]) -> list[str]:
    run(first_admin.prepare(database, accounts, environment=environment))
    return [account.name for account in run(accounts.users())]


def test_the_first_admin_comes_from_the_environment_or_a_credential(
    database: Database, accounts: Accounts, credential: Callable[[str], dict[str, str]]
) -> None:
    assert prepared(database, accounts, {}) == []
    assert prepared(database, accounts, credential("weak")) == []
    assert prepared(database, accounts, credential("From-A-Credential-1\n")) == ["admin"]
    run(accounts.sign_in("admin", "From-A-Credential-1", HERE))


def test_the_environment_comes_first_and_changes_nobody_who_is_there(
    database: Database, accounts: Accounts, credential: Callable[[str], dict[str, str]]
) -> None:
    environment = {**credential("From-A-Credential-1"), "TORU_ADMIN_PASSWORD": "From-Environment-1"}
    assert prepared(database, accounts, environment) == ["admin"]
    assert prepared(database, accounts, {"TORU_ADMIN_PASSWORD": "Another-One-2"}) == ["admin"]
    run(accounts.sign_in("admin", "From-Environment-1", HERE))
