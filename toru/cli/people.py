"""Users, by the core while it is up, else straight in the database: somebody must be able to let the first one in."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from toru.admin.restores import check_none_was_cut_off
from toru.cli import api
from toru.cli.refusals import NotPermitted

if TYPE_CHECKING:
    from toru.core.accounts import Accounts

T = TypeVar("T")

Row = dict[str, Any]
"""A user, as the API shows one."""

CORES_USER = "toru"


def add(name: str, password: str, *, admin: bool, plugins: list[str] | None) -> Row:
    role = "admin" if admin else "client"
    body = {"name": name, "password": password, "role": role, "plugins": plugins}

    async def straight(accounts: Accounts) -> Row:
        from toru.domain.ids import PluginId
        from toru.domain.people import Role, UserName

        grants = None if plugins is None else [PluginId(plugin) for plugin in plugins]
        return _row(await accounts.create(UserName(name), password, Role(role), grants))

    return _either(lambda: api.ask("POST", "/api/users", body), straight)


def all_of_them() -> list[Row]:
    async def straight(accounts: Accounts) -> list[Row]:
        return [_row(account) for account in await accounts.users()]

    return _either(lambda: api.ask("GET", "/api/users"), straight)


def change(name: str, **what: Any) -> Row:
    """`role`, `disabled`, `password`, and the `plugins` that they see (None: all); what isn't named stays as it is."""

    async def straight(accounts: Accounts) -> Row:
        from toru.core.accounts import Change
        from toru.domain.ids import PluginId
        from toru.domain.people import Role, UserName

        role, plugins = what.get("role"), what.get("plugins")
        change = Change(
            role=None if role is None else Role(role),
            disabled=what.get("disabled"),
            password=what.get("password"),
            with_grants="plugins" in what,
            grants=None if plugins is None else frozenset(PluginId(plugin) for plugin in plugins),
        )
        return _row(await accounts.change(UserName(name), change))

    return _either(lambda: api.ask("PATCH", path_of(name), what), straight)


def delete(name: str) -> None:
    async def straight(accounts: Accounts) -> None:
        from toru.domain.people import UserName

        await accounts.delete(UserName(name))

    _either(lambda: api.ask("DELETE", path_of(name)), straight)


def path_of(name: str) -> str:
    """Where the API has this user; `InvalidInput`, if nobody can be called so."""
    from toru.domain.people import UserName

    return f"/api/users/{UserName(name)}"


def _either(by_core: Callable[[], T], straight: Callable[[Accounts], Coroutine[Any, Any, T]]) -> T:
    try:
        return by_core()
    except api.CoreDown:
        return _straight(straight)


def _straight(work: Callable[[Accounts], Coroutine[Any, Any, T]]) -> T:
    from toru.core.accounts import Accounts
    from toru.core.passwords import Passwords
    from toru.settings import load_policy
    from toru.store.engine import Database

    policy = load_policy()
    _become_the_core()
    database = Database(policy.database_url)

    async def do() -> T:
        return await work(Accounts(database, Passwords()))

    try:
        database.migrate()
        return asyncio.run(do())
    finally:
        database.close()


def _become_the_core() -> None:
    """The database's files must be the core's, whoever made them first."""
    try:
        user = pwd.getpwnam(CORES_USER)
    except KeyError:
        raise NotPermitted(f"there is no user {CORES_USER}, so Toru is not installed on this host") from None
    if os.geteuid() not in (0, user.pw_uid):
        raise NotPermitted("the core is down, so only root may do this")
    if os.geteuid() == 0:
        check_none_was_cut_off()
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    os.umask(0o077)


def _row(account: Any) -> Row:
    from toru.web.users import User

    return User.of(account).model_dump(mode="json")
