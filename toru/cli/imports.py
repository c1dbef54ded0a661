"""`toru import`: what the earlier system left, brought over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toru.cli import output
from toru.cli.arguments import AsJson
from toru.cli.backups import check_root
from toru.cli.refusals import WrongUsage


def import_(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="Where steering.db and plugins lie.", show_default=False),
    ] = None,
    *,
    database: Annotated[
        Path | None, typer.Option(help="The database, if it lies elsewhere.", show_default="FOLDER/steering.db")
    ] = None,
    plugins: Annotated[
        Path | None, typer.Option(help="The plugins folder, if it lies elsewhere.", show_default="FOLDER/plugins")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be taken, and take nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take over what the earlier system left: its plugins, and what is in its database.

    Nothing is written there, and nothing that is here is changed: it may be done again. For root.
    """
    check_root("import")
    from toru.moving import earlier, importing
    from toru.moving.in_force import policy_in_force

    database = _found(database, folder, earlier.DATABASE)
    plugins = _found(plugins, folder, earlier.PLUGINS)
    if database is None and plugins is None:
        raise WrongUsage(f"there is neither {earlier.DATABASE} nor {earlier.PLUGINS} (see toru import --help)")
    policy = policy_in_force()
    with output.at_work("Looking" if dry_run else "Importing"):
        outcomes = importing.take(database, plugins, policy, dry_run=dry_run)
    if as_json:
        rows = [
            {"what": it.what, "name": it.name, "outcome": it.outcome, "count": it.count, "reason": it.reason}
            for it in outcomes
        ]
        output.put_json({"dry_run": dry_run, "outcomes": rows})
        return
    lines = [(it.outcome, it.what, it.name, str(it.count), it.reason or "") for it in outcomes]
    if output.people_watch():
        from toru.cli import listings

        output.put_rich(listings.imported(lines, dry_run=dry_run))
    else:
        for line in lines:
            output.put_fields(*line)


def _found(named: Path | None, folder: Path | None, usual: str) -> Path | None:
    if named is not None:
        if not named.exists():
            raise WrongUsage(f"{named}: there is nothing of this name")
        return named
    path = None if folder is None else folder / usual
    return path if path is not None and path.exists() else None
