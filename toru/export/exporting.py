"""From the journal to the files, as toru-export.service does it."""

from __future__ import annotations

import select
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toru.domain import places
from toru.domain.errors import InvalidSettings
from toru.domain.events import NO_RUN, Event, Run, tell
from toru.domain.ids import PluginId
from toru.domain.policy import ExportPolicy
from toru.export.files import LogFile, remove_old
from toru.export.lines import line_of
from toru.export.place import Place
from toru.settings import load_policy
from toru.systemd import notify
from toru.systemd.records import before
from toru.systemd.sayings import Saying, Sayings, Speaker

BATCH = 500
"""Lines that are written in one go."""

KEEP_AFTER = 2000
"""Lines after which the place is written down, be it as busy as it may."""

KEEP_AFTER_SECONDS = 5
PASSED_AT_MOST = 100
"""Batches without any line, after which it is written down all the same: to pass over those again takes time."""

UNKEPT_AT_MOST = KEEP_AFTER + BATCH
"""So many lines may be in the files that were written after the place was written down."""

CONTEXT = 1000
"""Entries before the place, from which to learn in what state each plugin's run was then."""

DAY = 86_400.0

SUPERVISOR = "plugin-supervisor.log"
PLUGINS = "plugins"


def main() -> None:
    """Writes lines until SIGTERM. What stands in its way is said where toru-admin's units say it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    signal.signal(signal.SIGTERM, _end)
    try:
        Export(places.LOGS, Place(places.EXPORT_CURSOR), load_policy().export).run()
    except InvalidSettings as mistake:
        notify.fail(str(mistake))
    except OSError as error:
        notify.fail(f"logs can't be exported: {error.filename}: {error.strerror}")


class Export:
    def __init__(self, directory: Path, place: Place, policy: ExportPolicy) -> None:
        self._directory = directory
        self._place = place
        self._policy = policy
        self._files: dict[PluginId | None, LogFile] = {}
        self._runs: dict[PluginId, Run] = {}
        self._written = place.cursor
        """How far the files are."""
        self._unkept = 0
        self._passed = 0
        self._kept_at = self._cleaned_at = time.monotonic()

    def run(self) -> None:
        """Ends with SystemExit, when it is told to."""
        (self._directory / PLUGINS).mkdir(mode=0o750, exist_ok=True)
        self._file(None).touch()
        self._clean()
        # Files can be written. What else there is to do before the first line takes the longer the journal has grown.
        notify.ready("writing what the journal has of plugins")
        for record in before(self._place.cursor, CONTEXT) if self._place.cursor else ():
            self._runs[record.plugin_id], _ = tell(self._runs.get(record.plugin_id, NO_RUN), record)
        there = self._already_there()
        sayings = Sayings(self._place.cursor)
        # Before the first look: what is written from here on, this descriptor tells.
        descriptor = sayings.fileno()
        if sayings.lost:
            notify.log(notify.WARNING, "the journal no longer has the place where this ended: lines may be missing")
        try:
            while True:
                said, cursor, at_end = sayings.read(BATCH)
                self._write(said, there)
                self._written = cursor or self._written
                self._passed += not said
                notify.still_alive()
                with _may_be_ended():
                    if at_end:
                        select.select([descriptor], [], [], KEEP_AFTER_SECONDS)
                self._keep_now_and_then()
        except SystemExit:
            self._keep()
            raise

    def _already_there(self) -> Counter[PluginId | None]:
        """Of each file, how many of its lines after the place are there already: all up to the last one that is."""
        cursors: dict[PluginId | None, list[str]] = defaultdict(list)
        if self._place.cursor is not None:
            sayings = Sayings(self._place.cursor)
            seen, at_end = 0, False
            while seen < UNKEPT_AT_MOST and not at_end:
                said, _, at_end = sayings.read(UNKEPT_AT_MOST - seen)
                notify.still_alive()
                seen += len(said)
                for saying in said:
                    cursors[_whose(saying)].append(saying.cursor)
            sayings.close()
        there: Counter[PluginId | None] = Counter()
        for whose, its_cursors in cursors.items():
            last = self._file(whose).last_cursors()
            there[whose] = max((number for number, cursor in enumerate(its_cursors, 1) if cursor in last), default=0)
        return there

    def _write(self, said: list[Saying], there: Counter[PluginId | None]) -> None:
        lines: dict[PluginId | None, list[bytes]] = defaultdict(list)
        for saying in said:
            event = self._event(saying)
            whose = _whose(saying)
            if there[whose]:
                there[whose] -= 1
            else:
                lines[whose].append(line_of(saying, event))
        for whose, its_lines in lines.items():
            self._file(whose).append(its_lines)
        self._unkept += len(said)

    def _event(self, saying: Saying) -> Event | None:
        if (record := saying.record) is None:
            return None
        self._runs[record.plugin_id], event = tell(self._runs.get(record.plugin_id, NO_RUN), record)
        return event

    def _file(self, whose: PluginId | None) -> LogFile:
        if (file := self._files.get(whose)) is None:
            name = SUPERVISOR if whose is None else f"{PLUGINS}/{whose}.log"
            file = self._files[whose] = LogFile(self._directory / name, self._policy)
        return file

    def _keep_now_and_then(self) -> None:
        now = time.monotonic()
        waited = self._unkept and now - self._kept_at >= KEEP_AFTER_SECONDS
        if waited or self._unkept >= KEEP_AFTER or self._passed >= PASSED_AT_MOST:
            self._keep()
        if now - self._cleaned_at >= DAY:
            self._clean()

    def _keep(self) -> None:
        # In this order: a place that is ahead of the files would lose lines when the power fails.
        for file in self._files.values():
            file.sync()
        if self._written is not None:
            self._place.keep(self._written)
        self._unkept = self._passed = 0
        self._kept_at = time.monotonic()

    def _clean(self) -> None:
        for directory in (self._directory, self._directory / PLUGINS):
            remove_old(directory, self._policy, now=time.time())
        self._cleaned_at = time.monotonic()


def _whose(saying: Saying) -> PluginId | None:
    """In which file: that of the plugin who said it, or, with None, the one of what is said about plugins."""
    return saying.plugin_id if saying.speaker is Speaker.PLUGIN else None


def _end(_signal: int, _frame: object) -> None:
    raise SystemExit(0)


@contextmanager
def _may_be_ended() -> Iterator[None]:
    """systemd's wish that this ends (SIGTERM) is heard in here: what it keeps then is whole."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
