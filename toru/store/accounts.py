"""People and what they are known by. Each function is part of the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from toru.domain.errors import AlreadyExists, LastAdmin, UnknownToken, UnknownUser
from toru.domain.ids import PluginId
from toru.domain.people import Account, Caller, Role, Scope, TokenFacts, UserName, Via
from toru.store.tables import ApiToken, Grant, SignIn, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a password is checked against."""

    password_hash: str
    disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """Somebody whose token is in the database."""

    caller: Caller
    expires_at: float | None


# Users.


def accounts(session: Session) -> list[Account]:
    granted: dict[int, set[PluginId]] = {}
    for grant in session.exec(select(Grant)):
        granted.setdefault(grant.user_id, set()).add(PluginId(grant.plugin_id))
    return [_account(user, granted.get(_id(user), set())) for user in session.exec(select(User).order_by(User.name))]


def account(session: Session, name: UserName) -> Account:
    user = find_user(session, name)
    return _account(user, _granted(session, user))


def credentials(session: Session, name: str) -> Credentials | None:
    user = session.exec(select(User).where(User.name == name)).first()
    return None if user is None else Credentials(password_hash=user.password_hash, disabled=user.disabled)


def add_user(  # noqa: PLR0913  a row has so many columns
    session: Session,
    *,
    name: UserName,
    role: Role,
    password_hash: str,
    grants: Iterable[PluginId] | None,
    now: float,
) -> Account:
    user = User(name=name, role=role.value, password_hash=password_hash, all_plugins=grants is None, created_at=now)
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise AlreadyExists(f"there is a user {name} already", name=name) from error
    _grant(session, user, grants)
    session.flush()
    return account(session, name)


def set_role(session: Session, name: UserName, role: Role) -> None:
    user = find_user(session, name)
    if role is not Role.ADMIN:
        _not_the_last_admin(session, user)
    user.role = role.value


def set_disabled(session: Session, name: UserName, *, disabled: bool) -> None:
    user = find_user(session, name)
    if disabled:
        _not_the_last_admin(session, user)
        end_sign_ins(session, name)
    user.disabled = disabled


def set_grants(session: Session, name: UserName, grants: Iterable[PluginId] | None) -> None:
    user = find_user(session, name)
    session.exec(delete(Grant).where(col(Grant.user_id) == user.id))
    user.all_plugins = grants is None
    _grant(session, user, grants)


def set_password_hash(session: Session, name: UserName, password_hash: str) -> None:
    find_user(session, name).password_hash = password_hash


def delete_user(session: Session, name: UserName) -> None:
    user = find_user(session, name)
    _not_the_last_admin(session, user)
    session.delete(user)


# Browsers.


def add_sign_in(  # noqa: PLR0913  a row has so many columns
    session: Session,
    name: UserName,
    token_hash: str,
    *,
    now: float,
    expires_at: float,
    address: str | None = None,
    browser: str | None = None,
) -> Account:
    """Remember a browser. Raises `UnknownUser` where its user was deleted or disabled meanwhile."""
    user = find_user(session, name)
    if user.disabled:
        raise UnknownUser(f"{name} is disabled", name=name)
    session.exec(delete(SignIn).where(col(SignIn.expires_at) <= now))
    session.add(
        SignIn(
            token_hash=token_hash,
            user_id=_id(user),
            created_at=now,
            seen_at=now,
            expires_at=expires_at,
            address=address,
            browser=browser,
        )
    )
    return _account(user, _granted(session, user))


def end_sign_in(session: Session, token_hash: str) -> UserName | None:
    """Forget a browser. Returns whose it was."""
    row = session.exec(select(User.name, SignIn).join(SignIn).where(SignIn.token_hash == token_hash)).first()
    if row is None:
        return None
    name, sign_in = row
    session.delete(sign_in)
    return UserName(name)


def end_sign_ins(session: Session, name: UserName, *, but: str | None = None) -> int:
    """All browsers of a user, but the one with this token hash. Returns how many there were."""
    theirs = delete(SignIn).where(col(SignIn.user_id) == find_user(session, name).id)
    return session.exec(theirs if but is None else theirs.where(col(SignIn.token_hash) != but)).rowcount


# API tokens.


def tokens(session: Session, name: UserName) -> list[TokenFacts]:
    user = find_user(session, name)
    rows = session.exec(select(ApiToken).where(ApiToken.user_id == user.id).order_by(ApiToken.name))
    return [_token(row, name) for row in rows]


def token_count(session: Session, name: UserName) -> int:
    user = find_user(session, name)
    return session.exec(select(func.count()).select_from(ApiToken).where(ApiToken.user_id == user.id)).one()


def add_token(  # noqa: PLR0913  a row has so many columns
    session: Session,
    user_name: UserName,
    *,
    name: str,
    token_hash: str,
    scopes: frozenset[Scope],
    now: float,
    expires_at: float | None,
) -> TokenFacts:
    user = find_user(session, user_name)
    row = ApiToken(
        user_id=_id(user),
        name=name,
        token_hash=token_hash,
        scopes=" ".join(sorted(scopes)),
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise AlreadyExists(f"{user_name} has a token named {name} already", name=name) from error
    return _token(row, user_name)


def delete_token(session: Session, user_name: UserName, token_id: int) -> None:
    user = find_user(session, user_name)
    row = session.exec(select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user.id)).first()
    if row is None:
        raise UnknownToken(f"{user_name} has no token {token_id}", id=token_id)
    session.delete(row)


# Who is behind a token.


def recognise(session: Session, token_hash: str, *, now: float) -> Recognised | None:
    """The user behind a browser's or an API's token; None where it is unknown, expired or its user disabled."""
    by_browser = session.exec(
        select(User, SignIn).join(SignIn).where(SignIn.token_hash == token_hash, SignIn.expires_at > now)
    ).first()
    if by_browser is not None:
        user, sign_in = by_browser
        return _recognised(session, user, Via.SESSION, None, sign_in.expires_at)
    by_token = session.exec(select(User, ApiToken).join(ApiToken).where(ApiToken.token_hash == token_hash)).first()
    if by_token is not None:
        user, token = by_token
        if token.expires_at is None or token.expires_at > now:
            return _recognised(session, user, Via.TOKEN, _scopes(token), token.expires_at)
    return None


def _recognised(
    session: Session, user: User, via: Via, scopes: frozenset[Scope] | None, expires_at: float | None
) -> Recognised | None:
    if user.disabled:
        return None
    account = _account(user, _granted(session, user))
    return Recognised(caller=caller_of(account, via=via, scopes=scopes), expires_at=expires_at)


def caller_of(account: Account, *, via: Via, scopes: frozenset[Scope] | None = None) -> Caller:
    return Caller(name=account.name, role=account.role, grants=account.grants, via=via, scopes=scopes)


# Rows.


def find_user(session: Session, name: UserName) -> User:
    user = session.exec(select(User).where(User.name == name)).first()
    if user is None:
        raise UnknownUser(f"there is no user {name}", name=name)
    return user


def _not_the_last_admin(session: Session, user: User) -> None:
    # Locked, so that two admins who dismiss each other at the same time take turns (SQLite has one writer anyway).
    admins = select(User).where(User.role == Role.ADMIN.value, col(User.disabled).is_(False)).with_for_update()
    names = {admin.name for admin in session.exec(admins)}
    if names == {user.name}:
        raise LastAdmin(f"{user.name} is the last admin who can sign in: let there be another one first")


def _granted(session: Session, user: User) -> set[PluginId]:
    rows = session.exec(select(Grant.plugin_id).where(Grant.user_id == user.id))
    return {PluginId(plugin_id) for plugin_id in rows}


def _grant(session: Session, user: User, grants: Iterable[PluginId] | None) -> None:
    for plugin_id in set(grants or ()):
        session.add(Grant(user_id=_id(user), plugin_id=plugin_id))


def _account(user: User, granted: set[PluginId]) -> Account:
    return Account(
        name=UserName(user.name),
        role=Role(user.role),
        disabled=user.disabled,
        grants=None if user.all_plugins else frozenset(granted),
        created_at=user.created_at,
    )


def _token(row: ApiToken, user: UserName) -> TokenFacts:
    assert row.id is not None  # noqa: S101  it has been written
    return TokenFacts(
        id=row.id,
        name=row.name,
        user=user,
        scopes=_scopes(row),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _scopes(row: ApiToken) -> frozenset[Scope]:
    return frozenset(Scope(word) for word in row.scopes.split())


def _id(user: User) -> int:
    assert user.id is not None  # noqa: S101  it has been written
    return user.id
