"""Log lines as they are asked for: which ones, how many, and from where on. Reads the journal, and blocks meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from toru.domain.ids import PluginId
from toru.domain.levels import DEBUG
from toru.domain.loglines import understood
from toru.systemd.journal import LogLine, PluginJournal

LOOK_AT_MOST = 20_000
"""So many lines are looked at for one answer; where few of them are wanted, the next answer goes on from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which lines of a plugin are wanted."""

    plugin_id: PluginId
    most_verbose: int = DEBUG
    """The least urgent priority, by what the line itself says where it is JSON."""
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    invocation_id: str | None = None

    @property
    def takes_all(self) -> bool:
        """Whether every line is wanted that the journal finds by itself."""
        return self.most_verbose == DEBUG and self.text is None

    def wants(self, line: LogLine) -> bool:
        """Whether this line is one of them. `since` and `until` are looked after by who goes through the journal."""
        if self.text is not None and self.text.casefold() not in line.message.casefold():
            return False
        if self.most_verbose == DEBUG:
            return True
        if line.of_systemd:
            return line.priority <= self.most_verbose
        return understood(line.message, line.priority).priority <= self.most_verbose

    def opened(self) -> PluginJournal:
        return PluginJournal(self.plugin_id, invocation_id=self.invocation_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    lines: list[LogLine]
    """Newest first."""
    next_cursor: str | None
    """Where to go on for older lines, while there may be some."""


def read_page(query: LogQuery, count: int, *, before: str | None = None, skip: int = 0) -> Page:
    """The newest lines that are wanted, or the newest before a cursor.

    Looks at LOOK_AT_MOST lines. So the time it takes doesn't grow with the journal; a page may then be short, or even
    empty, and all the same have a `next_cursor`.
    """
    with query.opened() as entries:
        if before is not None:
            entries.seek_before(before)
        elif query.until is not None:
            entries.seek_time(query.until)
        else:
            entries.seek_end()
        if query.takes_all and before is None:
            entries.skip_back(skip)
            skip = 0
        lines: list[LogLine] = []
        last: LogLine | None = None
        for _ in range(LOOK_AT_MOST):
            line = entries.previous()
            if line is None or (query.since is not None and line.at < query.since):
                return Page(lines=lines, next_cursor=None)
            if len(lines) == count:
                break  # there is more
            last = line
            if (query.until is not None and line.at >= query.until) or not query.wants(line):
                continue
            if skip:
                skip -= 1
            else:
                lines.append(line)
        return Page(lines=lines, next_cursor=None if last is None else last.cursor)


def take_onwards(query: LogQuery, entries: PluginJournal, most: int) -> tuple[list[LogLine], bool]:
    """The next of the wanted lines among so many, oldest first, and whether there is more to look at now."""
    lines: list[LogLine] = []
    for _ in range(most):
        line = entries.next()
        if line is None or (query.until is not None and line.at >= query.until):
            return lines, False
        if (query.since is None or line.at >= query.since) and query.wants(line):
            lines.append(line)
    return lines, True
