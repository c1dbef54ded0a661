"""A run and a sandbox, as people see them on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from toru.cli import tables, words
from toru.cli.output import printable
from toru.cli.way import Row
from toru.domain.sandbox import Grade, Weight

GRADES = {Grade.TIGHT: "green", Grade.GOOD: "green", Grade.LOOSENED: "yellow", Grade.OPEN: "bold red"}
WEIGHTS = {Weight.MINOR: "", Weight.MAJOR: "yellow", Weight.SEVERE: "bold red"}

_GAP = 2
"""Blanks between columns."""


def run(facts: Iterable[tuple[str, str]], document: Row) -> Iterator[RenderableType]:
    """How one run went, and what it wrote last."""
    yield tables.pairs(facts, {"run": "bold", "end": "red" if document["run"]["reason"] else ""})
    if document["logs"]:
        yield Text()
        yield from map(tables.log_line, document["logs"])


def sandbox(facts: Iterable[tuple[str, str]], document: Row) -> Iterator[RenderableType]:
    """The grade, and below it each wall that is down."""
    held = document["sandbox"]
    grade = "dim" if held is None else GRADES[held["grade"]]
    yield tables.pairs(facts, {"id": "bold", "grade": grade, "reload": "yellow", "restart": "yellow"})
    for wall in () if held is None else held["loosened"]:
        yield Text(f"\n{wall['setting']}={printable(wall['value'])}", WEIGHTS[wall["weight"]])
        said = Text(wall["meaning"])
        said.append(f"\n{printable(wall['set_by'] or 'systemd’s default')}", "dim")
        said.append(f"; it would be {printable(wall['kept'])}" if wall["kept"] else "", "dim")
        yield Padding(said, (0, 0, 0, _GAP))


def units(document: Row) -> Iterator[RenderableType]:
    """Every setting in force with the file that says so, and the files in the order in which they apply."""
    found = words.loaded_units(document)
    if not found:
        yield Text("It is off, so systemd has nothing in force for it.", "dim")
    for number, unit in enumerate(found):
        if number:
            yield Text()
        yield Text(unit["name"], "bold")
        for path, said in [(unit["fragment_path"], ""), *((it["path"], it["origin"]) for it in unit["drop_ins"])]:
            yield Padding(Text(printable(path)).append(f"  {said}", "dim"), (0, 0, 0, _GAP))
        for group in unit["groups"]:
            yield Text(f"\n{group['name']}", "dim")
            yield Padding(_settings(group["settings"]), (0, 0, 0, _GAP))


def _settings(rows: Iterable[Row]) -> Table:
    """What no file says is dim."""
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    for row in rows:
        value, file = printable(words.setting_value(row)), printable(row["set_by"] or "")
        table.add_row(row["name"], value, file, style="" if row["set_by"] else "dim")
    return table
