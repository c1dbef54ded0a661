"""What people see on a terminal: tables, cards and coloured lines. The one place that knows colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from rich.cells import cell_len
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from toru.cli import words
from toru.cli.findings import Finding, Level
from toru.cli.output import printable
from toru.cli.way import Document, Row
from toru.domain.events import EventKind
from toru.domain.state import Health, State

if TYPE_CHECKING:
    from toru.cli.look import Summary

DOTS = {
    Health.HEALTHY: Text("●", "green"),
    Health.UNHEALTHY: Text("●", "red"),
    Health.DISABLED: Text("○", "dim"),
}

STATES = {
    State.STOPPED: "dim",
    State.IDLE: "cyan",
    State.STARTING: "yellow",
    State.RUNNING: "green",
    State.PAUSED: "magenta",
    State.BACKING_OFF: "yellow",
    State.STOPPING: "yellow",
    State.FAILED: "red",
}

EVENTS = {
    EventKind.STARTED: "green",
    EventKind.RESTARTED: "yellow",
    EventKind.CRASHED: "red",
    EventKind.GAVE_UP: "bold red",
    EventKind.ENABLED: "green",
    EventKind.DISABLED: "yellow",
    EventKind.PAUSED: "magenta",
    EventKind.RESUMED: "green",
}
"""Others have no colour."""

UNIT_STATES = {"active": "green", "failed": "red", "inactive": "red"}

MARKS = {Level.OK: ("✓", "green"), Level.WARN: ("!", "yellow"), Level.BAD: ("✗", "bold red")}

# By number, as in syslog(3).
PRIORITIES = ("bold red", "bold red", "bold red", "red", "yellow", "bold", "", "dim")

_GAP = 2
"""Blanks between columns."""

DEFAULT_ICON = "🧩"
"""Of a plugin without a file, as of one that names none (toru.domain.manifest)."""

_ZERO_WIDTH_JOINER, _AS_EMOJI = "\u200d", "\ufe0f"


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    least: int
    most: int


DOT, ICON, ID, NAME, VERSION, STATE = range(6)
COLUMNS = (
    Column("", 1, 1),
    Column("", 2, 2),
    Column("ID", 12, 32),
    Column("NAME", 10, 40),
    Column("VERSION", 7, 16),
    Column("STATE", 8, 11),
)
"""Of `toru list`; how many cells each has at least and at most."""

SHRINKING = ((VERSION, 10), (NAME, 16), (VERSION, 7), (NAME, 10), (ID, 12))
"""Which column gives way first where there is no room for all, and down to how many cells."""


def overview(document: Document, *, now: float, width: int) -> Iterator[RenderableType]:
    """One row a plugin, with a line below it where there is something to say; then the rejected files."""
    if document["plugins"]:
        titles = [Text(column.title, "dim") for column in COLUMNS]
        rows = [_cells(plugin) for plugin in document["plugins"]]
        widths = _widths([titles, *rows], width)
        indent = sum(widths[:ID]) + ID * _GAP
        yield _row(titles, widths)
        for plugin, row in zip(document["plugins"], rows, strict=True):
            yield _row(row, widths)
            if said := words.remark(plugin, now=now):
                yield Padding(Text(printable(said), _tone(plugin)), (0, 0, 0, indent))
    else:
        yield Text("There are no plugins yet.", "dim")
    if document["rejected"]:
        yield Text()
        yield _rejected(document["rejected"])


def _cells(plugin: Row) -> list[Text]:
    has_file = plugin["path"] is not None
    return [
        DOTS[plugin["health"]],
        icon(plugin["icon"] or DEFAULT_ICON),
        Text(plugin["id"], "bold" if plugin["enabled"] else "dim"),
        Text(printable(plugin["name"]) if has_file else "", "" if plugin["enabled"] else "dim"),
        Text(printable(plugin["version"]) if has_file else "", "dim"),
        Text(words.state(plugin), STATES[plugin["state"]]),
    ]


def _widths(rows: Sequence[Sequence[Text]], width: int) -> list[int]:
    """How wide each column is: as its widest cell, within bounds, and as far as there is room."""
    widths = [
        max(column.least, min(column.most, max(cell.cell_len for cell in cells)))
        for column, cells in zip(COLUMNS, zip(*rows, strict=True), strict=True)
    ]
    excess = sum(widths) + _GAP * (len(widths) - 1) - width
    for at, least in SHRINKING:
        less = max(0, min(excess, widths[at] - least))
        widths[at] -= less
        excess -= less
    return widths


def _row(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    """Cells side by side, cut to fit. An id is never cut, since people copy it: the rest of its row goes below it."""
    row = Text()
    for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        if at == ID and cell.cell_len > width:
            row.append_text(cell).append("\n" + " " * (sum(widths[: at + 1]) + (at + 1) * _GAP))
            continue
        fitted = cell.copy()
        fitted.truncate(width, overflow="ellipsis", pad=at < STATE)
        row.append_text(fitted).append(" " * _GAP if at < STATE else "")
    return row


def _rejected(rejections: Sequence[Row]) -> Table:
    count = len(rejections)
    title = Text("1 file is no plugin" if count == 1 else f"{count} files are no plugins", "yellow")
    table = Table(
        box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=False, title=title, title_justify="left"
    )
    table.add_column(overflow="fold", max_width=40)
    table.add_column(overflow="fold", ratio=1)
    for rejection in rejections:
        table.add_row(Text(printable(rejection["file"]), "bold"), Text(printable(rejection["reason"])))
    return table


def card(plugin: Row, lines: Sequence[Row] | None, *, now: float) -> Iterator[RenderableType]:
    """Everything about one plugin, and what it wrote last; None where that is hidden."""
    title = Text.assemble(
        DOTS[plugin["health"]], " ", icon(plugin["icon"] or DEFAULT_ICON), " ", (plugin["id"], "bold")
    )
    if plugin["path"] is not None:
        title.append(f"  {printable(plugin['name'])}").append(f"  {printable(plugin['version'])}", "dim")
    yield title
    for paragraph in (plugin["description"] or "").splitlines():
        yield Padding(Text(printable(paragraph), "dim"), (0, 0, 0, 5))
    yield Text()
    yield pairs(words.facts(plugin, now=now), _styles(plugin))
    if lines is None:
        yield Text("\nIts log is for root and members of the group systemd-journal.", "dim")
    elif lines:
        yield Text()
        yield from map(log_line, lines)


def why(facts: Iterable[tuple[str, str]], document: Row) -> Iterator[RenderableType]:
    """Why a plugin is as it is, and what its last run wrote last."""
    yield Text.assemble(DOTS[document["health"]], " ", (document["id"], "bold"))
    yield Text()
    ended_badly = document["last_run"] is not None and document["last_run"]["reason"]
    yield pairs(facts, {**_styles(document), "last run": "red" if ended_badly else ""})
    if document["logs"]:
        yield Text()
        yield from map(log_line, document["logs"])


def _styles(plugin: Row) -> dict[str, str]:
    return {"state": STATES[plugin["state"]], "reason": _tone(plugin)}


def _tone(plugin: Row) -> str:
    """How loud a remark on a plugin should be."""
    health = Health(plugin["health"])
    match health:
        case Health.UNHEALTHY:
            return "red"
        case Health.DISABLED:
            return "yellow" if plugin["disabled_because"] else "dim"
        case Health.HEALTHY:
            return "yellow"
        case _:
            assert_never(health)


def pairs(facts: Iterable[tuple[str, str]], styles: dict[str, str]) -> Table:
    """Words on the left, what there is to say on the right."""
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=False)
    table.add_column(justify="right", style="dim", min_width=10)
    table.add_column(overflow="fold", ratio=1)
    for name, said in facts:
        table.add_row(Text(name), Text(printable(said), styles.get(name, "")))
    return table


def summary(summary: Summary) -> Iterator[RenderableType]:
    """All plugins in figures, and Toru's own units."""
    yield pairs(words.summary_facts(summary), {"plugins": "bold"})
    yield Text()
    units = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=False)
    for unit in summary.units:
        style = UNIT_STATES.get(unit.active, "yellow")
        said = unit.load if unit.load != "loaded" else f"{unit.active} ({unit.sub})"
        units.add_row(Text("●", style), unit.name, Text(said, style))
    yield units


def done(text: str, what: str, state: str | None) -> Text:
    """That a wish was carried out."""
    said = Text.assemble(("✓", "green"), " ", (printable(text), "bold"), f" {what}")
    if state is not None:
        said.append(": ").append(state, STATES[State(state)])
    return said


def findings(findings: Iterable[Finding]) -> Iterator[RenderableType]:
    """What the doctor found, with the remedy below what is wrong."""
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for finding in findings:
        mark, style = MARKS[finding.level]
        said = Text(printable(finding.sentence), "" if finding.level is Level.OK else style)
        if finding.remedy:
            said.append(f"\n→ {printable(finding.remedy)}", "not dim default")
        table.add_row(Text(f"{mark} {finding.level}", style), Text(finding.check, "bold"), said)
    yield table


def log_line(line: Row) -> Table:
    """A line of the journal. Whatever it has in it, only its time stands on the left: it can't pass for several."""
    style = PRIORITIES[line["priority"]]
    if line["source"] == "systemd":
        style = f"{style} italic dim"
    said = "\n".join(map(printable, words.message(line).splitlines()))
    return _beside_its_time(line["at"], Text(said, style))


def event(row: Row) -> Table:
    """Something that happened to a plugin."""
    said = Text.assemble((row["plugin_id"], "bold"), " ", (row["event_type"], EVENTS.get(row["event_type"], "")))
    if row["cause"]:
        said.append(f": {printable(row['cause'])}")
    return _beside_its_time(row["timestamp"], said)


def _beside_its_time(moment: str, said: Text) -> Table:
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    table.add_row(datetime.fromisoformat(moment).astimezone().strftime("%b %d %H:%M:%S"), said)
    return table


def icon(text: str) -> Text:
    """An icon in two cells. Of what terminals draw in different widths, the part on which they agree."""
    plain = printable(text.partition(_ZERO_WIDTH_JOINER)[0].replace(_AS_EMOJI, ""))
    return Text(plain if 0 < cell_len(plain) <= 2 else DEFAULT_ICON)
