"""Follows what happens to plugins and has hooks told: the program of toru-hooks.service.

It reads the journal for itself and needs nothing of the core: a crash is told also while the core is down.

Where it is gets written down after each event whose hooks systemd has been asked to start. So a kill loses no event;
one that comes just in between lets an event be told once more, with the same key. That is the better of the two: who
is told twice can see it, who is not told can't.
"""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toru.admin.files import write_atomically
from toru.admin.hookfiles import Found, HookFiles
from toru.admin.telling import Teller
from toru.domain import places
from toru.domain.errors import InvalidSettings
from toru.domain.events import NO_RUN, Run, tell
from toru.domain.ids import PluginId
from toru.domain.policy import HooksPolicy
from toru.settings import load_policy
from toru.systemd import notify
from toru.systemd.records import Records, before, machine_id, newest

BATCH = 500
"""Entries of the journal that are looked at in one go."""

CONTEXT = 1000
"""Entries before the place it was left at, from which to learn in what state each run was then."""

KEEP_AFTER = 1000
"""Entries without an event, after which the place is written down all the same."""

LOOK_AGAIN_SECONDS = 60
"""The journal says when there is something new; that there are other hooks, nobody says."""


def follow() -> str:
    """Has hooks told of every event from the place where it was left, for as long as there are any hooks."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    place = Place(places.HOOKS_CURSOR)
    teller = Teller(_policy(), machine_id())
    files = HookFiles()
    runs: dict[PluginId, Run] = {}
    for record in before(place.cursor, CONTEXT) if place.cursor else ():
        runs[record.plugin_id], _ = tell(runs.get(record.plugin_id, NO_RUN), record)
    records = Records(place.cursor, time.time())
    # Before the first look: what is written from here on, this descriptor tells.
    descriptor = records.fileno()
    notify.ready("waiting")
    while not (found := files.look()).nothing:
        notify.status(f"telling {found}")
        seen = _tell_next(records, runs, teller, place, found)
        with _may_be_ended():
            if seen < BATCH:
                select.select([descriptor], [], [], LOOK_AGAIN_SECONDS)
    # toru-hooks.path starts this again, with the first hook, and then from that moment on.
    place.forget()
    return "there is no hook to tell anything"


def _tell_next(records: Records, runs: dict[PluginId, Run], teller: Teller, place: Place, found: Found) -> int:
    """Tells what the next entries of the journal say; how many entries there were."""
    read, cursor, seen = records.read(BATCH)
    for record in read:
        runs[record.plugin_id], event = tell(runs.get(record.plugin_id, NO_RUN), record)
        if event is not None and teller.is_wanted(event):
            teller.tell(event, runs[record.plugin_id].invocation_id, found.hooks)
            place.keep(event.cursor)
            with _may_be_ended():
                pass
    place.passed(cursor, seen)
    return seen


class Place:
    """Where in the journal this program is, in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._unkept = 0
        self._failing = False
        try:
            self.cursor: str | None = file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            # The first hook is told of what happens from now on, also if this program ends before anything does.
            self.cursor = newest()
            if self.cursor is not None:
                self.keep(self.cursor)

    def keep(self, cursor: str) -> None:
        """From here on, whatever happens. A full disk is no reason to tell the same again and again."""
        self._unkept = 0
        try:
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomically(self._file, cursor.encode(), mode=0o600)
            self._failing = False
        except OSError as error:
            if not self._failing:
                notify.log(notify.ERROR, f"what hooks were told can't be written down, and may be told again: {error}")
            self._failing = True

    def passed(self, cursor: str | None, entries: int) -> None:
        """There was nothing to tell up to here. Reading it again would do no harm, but take time."""
        self._unkept += entries
        if cursor is not None and self._unkept >= KEEP_AFTER:
            self.keep(cursor)

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)


@contextmanager
def _may_be_ended() -> Iterator[None]:
    """systemd's wish that this ends (SIGTERM) is heard in here, and never between a hook and the note of it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def _policy() -> HooksPolicy:
    """A mistake in the settings keeps much from working, but not this: somebody should hear of it."""
    try:
        return load_policy().hooks
    except InvalidSettings as mistake:
        notify.log(notify.ERROR, f"hooks are told as if there were no settings: {mistake}")
        return HooksPolicy()
