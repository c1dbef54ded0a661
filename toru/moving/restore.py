"""Puts a backup in the place of what there is now, in the order that loses nothing, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toru.admin.files import locked
from toru.admin.restores import check_none_was_cut_off
from toru.domain import places
from toru.domain.errors import InvalidSettings
from toru.domain.policy import Policy
from toru.moving import archive, standstill, swap
from toru.moving.about import UNCHANGED
from toru.moving.archive import ENDING, BackupFailed, Remark
from toru.moving.in_force import policy_in_force
from toru.moving.opening import Staged, staged
from toru.moving.swap import Plan
from toru.systemd import transient
from toru.systemd.transient import Systemd

KEPT_IN = Path("/var/backups")
LOCK = places.RUNTIME / "restore.lock"


@dataclass(slots=True, kw_only=True)
class Report:
    file: Path
    about: dict[str, Any]
    kept: Path | None = None
    """A backup of what there was before."""
    down: list[str] = field(default_factory=list)
    """Units that should be up again, and aren't."""
    remarks: list[Remark] = field(default_factory=list)


def check(file: Path) -> Report:
    """Whether it could be restored on this host now. Nothing is changed."""
    with _alone(), staged(file) as content:
        return _report(file, content)


def restore(file: Path, *, keep: bool) -> Report:
    """Everything in it takes the place of what there is; or an error says why not, and everything is as before."""
    with _alone(), staged(file) as content:
        report = _report(file, content)
        policy = _present_policy()
        with transient.connect() as systemd, _standing_still(systemd, policy, report) as units:
            if keep:
                report.kept = _kept(policy, content)
            with locked(places.LOCK):
                swap.carry_out(Plan(moves=content.moves(), directories=content.directories, units=units))
    return report


def recover() -> list[str] | None:
    """Puts back what was before a restore that was cut off. The units that are down then; None, if none was."""
    with locked(LOCK):
        plan = swap.recover()
        if plan is None:
            return None
        with transient.connect() as systemd:
            return standstill.start(systemd, plan.units)


@contextmanager
def _alone() -> Iterator[None]:
    with locked(LOCK):
        check_none_was_cut_off()
        yield


@contextmanager
def _standing_still(systemd: Systemd, policy: Policy, report: Report) -> Iterator[list[str]]:
    units = standstill.running(systemd)
    try:
        standstill.stop(systemd, units, policy)
        yield units
    finally:
        report.down = standstill.start(systemd, units)


def _present_policy() -> Policy:
    """How long to wait for a plugin to stop, and what to keep. With a mistake in it, the defaults will do."""
    try:
        return policy_in_force()
    except InvalidSettings:
        return Policy()


def _kept(policy: Policy, content: Staged) -> Path:
    KEPT_IN.mkdir(mode=0o755, exist_ok=True)
    target = KEPT_IN / f"toru-before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{ENDING}"
    try:
        return archive.make(target, policy, with_data=bool(content.about["data"])).file
    except BackupFailed as failure:
        raise BackupFailed(
            f"what there is now can't be kept: {failure}. {UNCHANGED}; --no-keep goes on without"
        ) from failure


def _report(file: Path, content: Staged) -> Report:
    report = Report(file=file, about=dict(content.about))
    for name in sorted(content.strangers):
        report.remarks.append(Remark(path=name, reason="this host doesn't know this owner of files: they are root's"))
    if content.layout.database is None:
        report.remarks.append(
            Remark(
                path="database", reason="it is not in this backup: put it back with its own means, such as pg_restore"
            )
        )
    return report
