"""Takes from the earlier system what isn't here yet. Nothing here is changed but the id, so it may be done again."""

from __future__ import annotations

import hashlib
import os
import secrets
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from toru.admin import lifecycle, scan, units
from toru.admin.files import locked, write_atomically
from toru.admin.restores import check_none_was_cut_off
from toru.admin.wishes import WishesFile
from toru.domain import places
from toru.domain.errors import InvalidId, ToruError
from toru.domain.ids import PluginId
from toru.domain.policy import Policy
from toru.domain.wishes import Wishes
from toru.moving import earlier, standstill
from toru.moving.core_side import as_core, cores_user
from toru.moving.earlier import Records, Unreadable
from toru.moving.roots import Root
from toru.moving.taking import HERE, LEFT, TAKEN
from toru.moving.walking import CHUNK, Found, entries_of
from toru.systemd import transient
from toru.systemd.records import machine_id

SCAN_WITHIN = 600.0
START_WITHIN = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of something."""

    what: str
    name: str
    outcome: str
    """`taken`; `here`, which it was already; `left`, with the reason."""
    count: int = 1
    reason: str | None = None


def take(database: Path | None, plugins: Path | None, policy: Policy, *, dry_run: bool) -> list[Outcome]:
    """All that there is to take. `Unreadable`, and nothing is taken, if it can't be read."""
    cores_user()
    check_none_was_cut_off()
    wishes = Wishes.none() if plugins is None else earlier.read_wishes(plugins)
    files = [] if plugins is None else _files(plugins)
    records = None if database is None else earlier.read_database(database)
    found: list[Outcome] = []
    # In the order in which plugins need it: whoever is started finds his id and what he kept.
    has_new_id = False
    if records is not None:
        with locked(places.LOCK):
            outcome = _take_instance_id(records, dry_run=dry_run)
        has_new_id = outcome.outcome == TAKEN
        found += [outcome, *_take_rows(records, policy, dry_run=dry_run)]
    if plugins is not None:
        found += _take_wishes(wishes, policy, dry_run=dry_run)
        found += _take_files(files, plugins, policy, dry_run=dry_run)
    if not dry_run:
        taken = {it.name for it in found if it.what == "file" and it.outcome == TAKEN}
        found += _bring_up(taken, wishes, policy, has_new_id=has_new_id)
    return found


# The database.


def _take_instance_id(records: Records, *, dry_run: bool) -> Outcome:
    what, theirs = "instance-id", records.instance_id
    if theirs is None:
        return Outcome(what=what, name="-", outcome=LEFT, reason="there is none in its database")
    try:
        if str(uuid.UUID(theirs)) != theirs.lower():
            raise ValueError(theirs)
    except (AttributeError, TypeError, ValueError):
        return Outcome(what=what, name=str(theirs)[:80], outcome=LEFT, reason="it is no UUID")
    ours = places.INSTANCE_ID.read_text().strip() if places.INSTANCE_ID.exists() else None
    if ours == theirs:
        return Outcome(what=what, name=theirs, outcome=HERE)
    if not dry_run:
        write_atomically(places.INSTANCE_ID, f"{theirs}\n".encode())
    return Outcome(what=what, name=theirs, outcome=TAKEN, reason=None if ours is None else f"in the place of {ours}")


def _take_rows(records: Records, policy: Policy, *, dry_run: bool) -> Iterator[Outcome]:
    rows = as_core(
        "take_rows",
        url=policy.database_url,
        users=records.users,
        entries=records.kv,
        events=records.events,
        limits={
            "value_bytes": policy.kv.value_bytes,
            "total_bytes": policy.kv.total_bytes,
            "keys": policy.kv.keys,
        },
        keep_seconds=policy.events.keep_seconds,
        host=machine_id(),
        dry_run=dry_run,
    )
    yield from (Outcome(**row) for row in rows)
    for table in records.missing:
        yield Outcome(what="table", name=table, outcome=LEFT, count=0, reason="its database has none of this name")


# The folder.


def _take_wishes(wishes: Wishes, policy: Policy, *, dry_run: bool) -> list[Outcome]:
    """What was enabled or disabled there, unless somebody has decided here."""
    found: list[Outcome] = []
    with locked(places.LOCK):
        file = WishesFile(policy.plugins_dir)
        ours = before = file.load()
        for name, wanted in wishes.content["plugins"].items():
            what = "enabled" if wanted else "disabled"
            try:
                plugin_id = PluginId(name)
            except InvalidId as mistake:
                found.append(Outcome(what=what, name=name[:80], outcome=LEFT, reason=str(mistake)))
                continue
            if not ours.names(plugin_id):
                ours = ours.with_enabled(plugin_id) if wanted else ours.with_disabled(plugin_id)
                found.append(Outcome(what=what, name=plugin_id, outcome=TAKEN))
            elif ours.enabled(plugin_id, auto_enable=True) == wanted:
                found.append(Outcome(what=what, name=plugin_id, outcome=HERE))
            else:
                found.append(Outcome(what=what, name=plugin_id, outcome=LEFT, reason="it is decided otherwise here"))
        if ours != before and not dry_run:
            scan.make_plugins_directory(policy.plugins_dir)
            file.save(ours)
    return found


def _files(plugins: Path) -> list[Found]:
    if not plugins.is_dir():
        raise Unreadable(f"{plugins}: there is no such directory; nothing was taken")
    return list(entries_of(_source(plugins)))


def _source(plugins: Path) -> Root:
    return Root(name="plugins", directory=plugins)


def _take_files(files: Sequence[Found], plugins: Path, policy: Policy, *, dry_run: bool) -> Iterator[Outcome]:
    into = policy.plugins_dir
    if into.exists() and into.samefile(plugins):
        yield Outcome(what="file", name=str(plugins), outcome=HERE, reason="it is the plugins directory")
        return
    if not dry_run:
        scan.make_plugins_directory(into)
    # Programs last: what lies beside one is there when it is looked at.
    for found in sorted(files, key=lambda it: (it.path.endswith(scan.SUFFIX), it.path)):
        if found.path.startswith("."):
            if found.path.split("/")[0] != places.wishes_file(into).parent.name:
                yield Outcome(what="file", name=found.path, outcome=LEFT, reason="it is hidden")
        elif not found.is_directory:
            yield _take_file(found, plugins, into / found.path, dry_run=dry_run)


def _take_file(found: Found, plugins: Path, target: Path, *, dry_run: bool) -> Outcome:
    told = Outcome(what="file", name=found.path, outcome=TAKEN)
    if not found.is_file:
        return replace(told, outcome=LEFT, reason="it is a link" if found.link is not None else "it is no file")
    if os.path.lexists(target):
        if target.is_symlink() or not target.is_file() or _sum(target) != _sum(plugins / found.path):
            return replace(told, outcome=LEFT, reason="another one of this name is here")
        return replace(told, outcome=HERE)
    if not dry_run:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _copy(plugins / found.path, target, mode=0o755 if found.status.st_mode & 0o111 else 0o644)
    return told


def _copy(source: Path, target: Path, *, mode: int) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with (
            os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as original,
            temporary.open("xb") as copy,
        ):
            while chunk := original.read(CHUNK):
                copy.write(chunk)
            os.fchmod(copy.fileno(), mode)
            copy.flush()
            os.fsync(copy.fileno())
        temporary.rename(target)
    except OSError as error:
        raise ToruError(
            f"{target}: {error.strerror}; what was taken before it stays, and the rest can be taken later"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _sum(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


# And then it runs.


def _bring_up(files: set[str], wishes: Wishes, policy: Policy, *, has_new_id: bool) -> Iterator[Outcome]:
    """Plugins that came are found and started, as they were wanted there. Those that ran learn of another id."""
    with transient.connect() as systemd:
        if has_new_id and units.loaded_plugins(systemd):
            lifecycle.down(policy)
            systemd.wait(systemd.restart(standstill.BOOT), START_WITHIN)
        if not files:
            return
        # The first may only join one under way, that has seen no more than a part of what was copied.
        for _ in range(2):
            systemd.wait(systemd.start("toru-scan.service"), SCAN_WITHIN)
    catalogue = scan.read_catalogue()
    for rejection in catalogue.rejected:
        if rejection.file in files:
            yield Outcome(what="plugin", name=rejection.file, outcome=LEFT, reason=rejection.reason)
    for plugin in catalogue.plugins:
        if plugin.path.name not in files:
            continue
        # Where nobody had decided, it was enabled there. Here that may be otherwise.
        if not policy.auto_enable and not wishes.names(plugin.id):
            try:
                lifecycle.enable(plugin.id, policy)
            except ToruError as error:
                yield Outcome(what="enabled", name=plugin.id, outcome=LEFT, reason=str(error))
                continue
            yield Outcome(what="enabled", name=plugin.id, outcome=TAKEN)
