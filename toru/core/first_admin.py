"""The first admin, for a database where nobody can sign in yet."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from toru.core.accounts import Accounts
from toru.domain.errors import AlreadyExists, InvalidInput, StoreUnavailable
from toru.domain.people import Role, UserName
from toru.store.engine import Database
from toru.systemd import notify

NAME = UserName("admin")
VARIABLE = "TORU_ADMIN_PASSWORD"
CREDENTIAL = "toru-admin-password"
CREDENTIAL_FILE = f"/etc/credstore/{CREDENTIAL}"
"""Where systemd finds it (systemd.exec(5), LoadCredential=); Debian's package lays one down."""

AGAIN_AFTER = 5.0


async def prepare(
    database: Database,
    accounts: Accounts,
    *,
    after_first_try: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Bring the tables up to date, and let the first admin in. Until it can be done, it is tried again."""
    told = ""
    while True:
        try:
            await asyncio.to_thread(database.migrate)
            await _let_in(accounts, environment)
        except StoreUnavailable as error:
            if str(error) != told:
                told = str(error)
                notify.log(notify.ERROR, f"{told}; nobody can sign in until that is over")
            after_first_try()
            await asyncio.sleep(AGAIN_AFTER)
        else:
            after_first_try()
            return


async def _let_in(accounts: Accounts, environment: Mapping[str, str]) -> None:
    if await accounts.users():
        return
    found = _password(environment)
    if found is None:
        notify.log(notify.NOTICE, "nobody can sign in yet: toru user add NAME --admin")
        return
    password, place = found
    try:
        await accounts.create(NAME, password, Role.ADMIN)
    except InvalidInput as error:
        notify.log(notify.ERROR, f"the password in {place} will not do: {error}")
    except AlreadyExists:  # another host on the same database was quicker
        return
    else:
        notify.log(notify.NOTICE, f"made the first admin, {NAME}, with the password in {place}")


def _password(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """The password, and where an admin finds it."""
    if password := environment.get(VARIABLE):
        return password, VARIABLE
    if directory := environment.get("CREDENTIALS_DIRECTORY"):
        try:
            password = Path(directory, CREDENTIAL).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError):
            return None
        return (password, CREDENTIAL_FILE) if password else None
    return None
