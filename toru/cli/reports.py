"""What `toru check` shows on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from toru.check.verdict import Outcome, Verdict
from toru.cli.output import printable
from toru.cli.way import Row

MARKS = {Outcome.PASSED: ("✓", "green"), Outcome.FAILED: ("✗", "bold red"), Outcome.SKIPPED: ("–", "dim")}

_GAP = 2
"""Blanks between columns."""
_WIDEST_NAME = 16


def heading(group: str) -> RenderableType:
    return Text(group, "bold")


def verdict(verdict: Verdict) -> RenderableType:
    """One line, and below it why, where there is a why."""
    mark, style = MARKS[verdict.outcome]
    said = Text(verdict.promise, "dim" if verdict.outcome is Outcome.SKIPPED else "")
    match verdict.outcome:
        case Outcome.FAILED:
            said.append(f"\nbut {printable(verdict.found or '')}", "red").append(f"\n→ docs/{verdict.page}", "default")
        case Outcome.SKIPPED:
            said.append(f"\n{printable(verdict.found or '')}")
        case Outcome.PASSED:
            pass
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(width=_WIDEST_NAME)
    table.add_column(overflow="fold", ratio=1)
    table.add_row(verdict.check, said)
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_row(Text(mark, style), table)
    return Padding(row, (0, 0, 0, 2))


def summary(what: str, counts: Mapping[str, int], wrote: Sequence[str]) -> Iterator[RenderableType]:
    """In figures, and the last lines that the program wrote where something failed."""
    if wrote:
        yield Text("\nwhat it wrote last", "bold")
        for line in wrote:
            yield Padding(Text(printable(line), "dim"), (0, 0, 0, 2))
    yield Text()
    mark, style = MARKS[Outcome.FAILED if counts["failed"] else Outcome.PASSED]
    words = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    yield Text.assemble((mark, style), " ", (printable(what), "bold"), f": {words}")


def checks(rows: Sequence[Row]) -> RenderableType:
    """Every check: its group, its name, whom it concerns, what is promised."""
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for title in ("GROUP", "CHECK", "PROTOCOLS", "PROMISE"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(row["group"], row["check"], ", ".join(row["protocols"]), row["promise"])
    return table
