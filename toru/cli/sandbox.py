"""`toru sandbox`: how well a plugin is kept in, and what systemd has in force for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, Id

if TYPE_CHECKING:
    from toru.cli.way import Row


def sandbox(
    plugin_id: Id,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every setting in force, and which file says so, and the files that apply.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """How well a plugin is kept in, what is loosened, and which file says so.

    The grade is tight, good (Toru's default), loosened or open. With --json everything, also without --all. With --all
    in a pipe, parted by tabs: unit, group, setting, value, file; then "file", unit, path, whose it is.
    """
    from toru.cli import way

    document = way.to_toru().units(way.checked_id(plugin_id))
    if as_json:
        output.put_json(document)
    elif everything:
        _put_all(document)
    else:
        _put_walls(document)


def _put_walls(document: Row) -> None:
    from toru.cli import words

    facts = list(words.sandbox_facts(document))
    if output.people_watch():
        from toru.cli import cards

        output.put_rich(*cards.sandbox(facts, document))
        return
    for name, said in facts:
        output.put_fields(name, said)
    for wall in document["sandbox"]["loosened"] if document["sandbox"] else ():
        output.put_fields(
            "loosened", wall["setting"], wall["value"], wall["kept"], wall["weight"], wall["meaning"], wall["set_by"]
        )


def _put_all(document: Row) -> None:
    if output.people_watch():
        from toru.cli import cards

        output.put_rich(*cards.units(document))
        return
    from toru.cli import words

    units = words.loaded_units(document)
    for unit in units:
        for group in unit["groups"]:
            for it in group["settings"]:
                output.put_fields(unit["name"], group["name"], it["name"], it["value"], it["set_by"])
    for unit in units:
        output.put_fields("file", unit["name"], unit["fragment_path"], None)
        for drop_in in unit["drop_ins"]:
            output.put_fields("file", unit["name"], drop_in["path"], drop_in["origin"])
