"""`toru backup` and `toru restore`: this Toru in a file, and back."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toru.cli import output
from toru.cli.arguments import AsJson
from toru.cli.refusals import NotPermitted, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toru.moving.archive import Remark


def backup(
    where: Annotated[
        Path, typer.Argument(metavar="FILE|DIRECTORY", help="The file to make, or a directory to make one in.")
    ],
    *,
    without_data: Annotated[
        bool, typer.Option("--without-data", help="Leave out what plugins keep in directories of their own.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put everything that makes this Toru into one file, while it runs.

    Settings, plugins and whether they are enabled, accounts, storage, events, plugins' own data, and what you changed
    of Toru's units. For root: there is nothing in Toru that isn't in it.
    """
    check_root("make a backup: there is nothing in Toru that isn't in it")
    from toru.moving import archive
    from toru.moving.in_force import policy_in_force

    policy = policy_in_force()
    with output.at_work("Making a backup"):
        report = archive.make(archive.named(where), policy, with_data=not without_data)
    _remark(report.remarks, as_json=as_json)
    if as_json:
        output.put_json(
            {
                "file": str(report.file),
                "bytes": report.bytes,
                "files": report.files,
                "made_at": report.made_at,
                "revision": report.revision,
                "database": report.database,
                "data": report.data,
                "remarks": [remark_row(it) for it in report.remarks],
            }
        )
    else:
        output.put_fields(report.file, f"{report.files} files", f"{report.bytes} bytes")


def restore(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="What toru backup made.", show_default=False)
    ] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Look whether it could be restored, and change nothing.")
    ] = False,
    no_keep: Annotated[
        bool, typer.Option("--no-keep", help="Make no backup of what there is now, in /var/backups.")
    ] = False,
    recover: Annotated[
        bool, typer.Option("--recover", help="Put back what was before a restore that was cut off.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of everything there is now.

    Toru and its plugins stand still for as long as that takes. All of it is restored, or nothing is changed. For root.
    """
    check_root("restore a backup")
    if recover:
        if file is not None or check:
            raise WrongUsage("--recover stands alone: it puts back what was before")
        _recover(as_json=as_json)
        return
    if file is None:
        raise WrongUsage("what is to be restored: a FILE (see toru restore --help)")
    if not file.is_file():
        raise WrongUsage(f"{file}: there is no such file")
    from toru.moving import restore as moving

    _see_it_through()
    with output.at_work("Looking at the backup" if check else "Restoring"):
        report = moving.check(file) if check else moving.restore(file, keep=not no_keep)
    _remark(report.remarks, as_json=as_json)
    if as_json:
        output.put_json(
            {
                "file": str(file),
                "restored": not check,
                "toru": report.about["toru"],
                "revision": report.about["revision"],
                "made_at": report.about["made_at"],
                "host": report.about["host"],
                "data": report.about["data"],
                "kept": None if report.kept is None else str(report.kept),
                "down": report.down,
                "remarks": [remark_row(it) for it in report.remarks],
            }
        )
    else:
        output.put_fields(file, "whole" if check else "restored", f"of {report.about['made_at']}")
        if report.kept is not None:
            output.put_fields(report.kept, "what was before")
    _end_if_down(report.down)


def _see_it_through() -> None:
    """A terminal that goes away doesn't end it half way, and who ends it has everything started again."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _recover(*, as_json: bool) -> None:
    from toru.moving import restore as moving

    down = moving.recover()
    if as_json:
        output.put_json({"recovered": down is not None, "down": down or []})
    else:
        output.put("everything is as it was before" if down is not None else "no restore was cut off")
    _end_if_down(down or [])


def check_root(what: str) -> None:
    if os.geteuid() != 0:
        raise NotPermitted(f"only root may {what}")


def remark_row(remark: Remark) -> dict[str, str]:
    return {"path": remark.path, "reason": remark.reason}


def _remark(remarks: Sequence[Remark], *, as_json: bool) -> None:
    for remark in () if as_json else remarks:
        output.complain(f"{remark.path}: {remark.reason}")


def _end_if_down(units: Sequence[str]) -> None:
    for unit in units:
        output.warn("unit-down", f"{unit} did not start: systemctl status {unit}")
    if units:
        raise typer.Exit(1)
