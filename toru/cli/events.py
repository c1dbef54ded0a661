"""`toru events`: what happened to plugins. The core keeps it, so it takes a core to tell."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, OptionalId, Since, Until
from toru.cli.refusals import WrongUsage

if TYPE_CHECKING:
    from toru.cli.way import Row
    from toru.domain.ids import PluginId

DEFAULT_EVENTS = 50
MOST_EVENTS = 100_000
"""With --since. They are all held in memory, since the newest come first."""

PAGE_EVENTS = 500


def events(  # noqa: PLR0913  (one for each option)
    plugin_id: OptionalId = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")] = False,
    count: Annotated[
        int | None, typer.Option("--lines", "-n", min=0, help="How many of the newest. Default: 50.")
    ] = None,
    since: Since = None,
    until: Until = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", "-k", help='Only this kind, such as "crashed"; once for each.')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What happened to a plugin, or to all of them, oldest first.

    In a pipe, one a line, parted by tabs: time, id, event, cause. With --json, one object a line.
    """
    from toru.cli import api, moments, way

    wanted = None if plugin_id is None else way.checked_id(plugin_id)
    kinds = _checked(kind or [])
    oldest = None if since is None else moments.past("--since", since).isoformat()
    newest = None if until is None else moments.past("--until", until).isoformat()
    if follow and until is not None:
        raise WrongUsage("either --follow or --until")
    if count is None:
        count = DEFAULT_EVENTS if since is None else MOST_EVENTS
    # What happens while the first ones are read is in the stream, if that is open before.
    coming = api.stream("/api/stream", output.end_if_nobody_reads) if follow else None
    if coming is not None:
        next(coming, None)  # its first event says that it is open
    shown = list(_newest(wanted, count, since=oldest, until=newest, kind=kinds or None))[::-1]
    for row in shown:
        _put(row, as_json=as_json)
    if coming is None:
        return
    told = {row["id"] for row in shown}
    for name, row in coming:
        if name == "event" and row["id"] not in told and _is_wanted(row, wanted, kinds):
            _put(row, as_json=as_json)
    raise api.NoAnswer("the core has ended, or more happened at once than it can tell: ask again")


def _checked(kinds: list[str]) -> list[str]:
    from toru.domain.events import EventKind

    for kind in kinds:
        if kind not in set(EventKind):
            raise WrongUsage(f"--kind {kind!r} is none of {', '.join(EventKind)}")
    return kinds


def _newest(plugin_id: PluginId | None, count: int, **asked: str | list[str] | None) -> Iterator[Row]:
    """Newest first."""
    from toru.cli import api
    from toru.cli.by_core import ask_of

    after: str | None = None
    while count > 0:
        size = min(count, PAGE_EVENTS)
        query = api.query(**asked, after=after, page_size=size)
        page = api.ask("GET", f"/api/events{query}") if plugin_id is None else ask_of(plugin_id, f"/events{query}")
        yield from page["events"]
        count -= size
        if (after := page["next"]) is None:
            return


def _is_wanted(row: Row, plugin_id: PluginId | None, kinds: Collection[str]) -> bool:
    return (plugin_id is None or row["plugin_id"] == plugin_id) and (not kinds or row["event_type"] in kinds)


def _put(row: Row, *, as_json: bool) -> None:
    if as_json:
        output.put_json(row, on_one_line=True)
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(tables.event(row))
    else:
        from toru.cli import words

        output.put_fields(*words.event_fields(row))
