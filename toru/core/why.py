"""Why a plugin ended: its runs, put together from what systemd wrote of them. That outlives units and reboots."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from toru.domain.ids import PluginId
from toru.domain.state import ActiveState, ServiceFacts, last_end
from toru.systemd import runs
from toru.systemd.runs import Entry, Moment

LOOK_AT_MOST = 200
"""Entries of systemd's; a run has about six."""

LINES_OF_A_RUN = 20
"""Of what it wrote last, so many are shown with it."""

_ENDS = frozenset({Moment.PROCESS_EXITED, Moment.SUCCEEDED, Moment.FAILED, Moment.STOPPED})
_EXIT_KINDS = {"exited": os.CLD_EXITED, "killed": os.CLD_KILLED, "dumped": os.CLD_DUMPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One life of a plugin's process, from start to end."""

    invocation_id: str
    result: str | None
    """In systemd's word: success, exit-code, signal, timeout … None: it goes on, or nobody was there to see its end."""
    exit_code: int | None
    signal: str | None
    reason: str | None
    """Why it did not end well, for people."""
    started_at: datetime | None
    """None where the journal doesn't go back so far."""
    ended_at: datetime | None
    on_request: bool = False
    """Somebody wanted it to end."""

    @property
    def seconds(self) -> float | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, (self.ended_at - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    runs: list[Run]
    """Newest first."""
    next_cursor: str | None
    """Where older ones begin, while there may be some."""


@dataclass(slots=True)
class _Told:
    """What is known of the runs so far, going back in time."""

    of_run: dict[str, list[Entry]] = field(default_factory=dict)
    begun: dict[str, Entry] = field(default_factory=dict)
    """Runs whose beginning is found: the rest lies before it."""

    def take(self, entry: Entry) -> None:
        if not entry.invocation_id:
            return
        self.of_run.setdefault(entry.invocation_id, []).append(entry)
        if entry.moment is Moment.STARTING:
            self.begun[entry.invocation_id] = entry


def last_run(plugin_id: PluginId, invocation_id: str | None = None) -> Run | None:
    """The last run that has ended, or this very one; None where the journal knows of none."""
    return run_of(itertools.islice(runs.entries(plugin_id, invocation_id), LOOK_AT_MOST))


def read_runs(plugin_id: PluginId, count: int, before: str | None = None) -> RunPage:
    """The newest runs, one that goes on included, or those before a cursor."""
    return runs_in(runs.entries(plugin_id, before=before), count)


def read_run(plugin_id: PluginId, invocation_id: str) -> Run | None:
    """This very run, ended or not; None where the journal knows nothing of it."""
    found = list(itertools.islice(runs.entries(plugin_id, invocation_id), LOOK_AT_MOST))
    return _run(found) if found else None


def runs_in(newest_first: Iterable[Entry], count: int) -> RunPage:
    """The newest runs among these entries, so many at most."""
    told = _Told()
    for looked_at, entry in enumerate(newest_first, 1):
        if len(told.begun) == count or looked_at > LOOK_AT_MOST * count:
            break  # there is more
        told.take(entry)
    else:
        return RunPage(runs=_runs(list(told.of_run.values())), next_cursor=None)
    if not told.begun:  # one run with that many entries: there is no such thing
        return RunPage(runs=_runs(list(told.of_run.values())), next_cursor=entry.cursor)
    # What is known of others so far comes with the next page, whole.
    last = list(told.begun.values())[-1]
    return RunPage(runs=_runs([told.of_run[run] for run in told.of_run if run in told.begun]), next_cursor=last.cursor)


def _runs(entries: Sequence[list[Entry]]) -> list[Run]:
    return [_run(of_one) for of_one in entries]


def run_of(newest_first: Iterable[Entry]) -> Run | None:
    """The newest run among these entries that has ended."""
    about: list[Entry] = []
    for entry in newest_first:
        if not about and entry.moment not in _ENDS:
            continue  # of a run that goes on
        if about and entry.invocation_id != about[0].invocation_id:
            break
        about.append(entry)
        if entry.moment is Moment.STARTING:
            break
    return _run(about) if about else None


def _run(newest_first: list[Entry]) -> Run:
    exited = next((it for it in newest_first if it.moment is Moment.PROCESS_EXITED and it.command == "ExecStart"), None)
    failed = next((it for it in newest_first if it.moment is Moment.FAILED), None)
    started = next((it for it in newest_first if it.moment in {Moment.STARTING, Moment.STARTED}), None)
    begun = next((it for it in reversed(newest_first) if it.moment is Moment.STARTING), started)
    # STOPPED comes with the next start, up to 16 seconds later (252); whatever tells the end itself counts before it.
    all_ends = [it for it in newest_first if it.moment in _ENDS]
    ends = [it for it in all_ends if it.moment is not Moment.STOPPED] or all_ends
    kind = _EXIT_KINDS.get(exited.exit_code or "", 0) if exited else 0
    said = (exited and exited.exit_status) or ""
    status = int(said) if said.isdecimal() else 0
    moments = {it.moment for it in newest_first}
    # Who is told to end while it still starts is not said to be stopping. Before the next start after a crash, 252 says
    # STOPPED as well; who ended by itself and well has none.
    on_request = Moment.STOPPING in moments or (Moment.STOPPED in moments and Moment.FAILED not in moments)
    if not ends:
        return Run(
            invocation_id=newest_first[0].invocation_id,
            result=None,
            exit_code=None,
            signal=None,
            reason=None,
            started_at=begun.at if begun else None,
            ended_at=None,
            on_request=on_request,
        )
    result = failed.result if failed and failed.result else "success"
    facts = ServiceFacts(
        active=ActiveState.FAILED, sub="failed", result=result, exit_kind=kind or os.CLD_EXITED, exit_status=status
    )
    return Run(
        invocation_id=newest_first[0].invocation_id,
        result=result,
        exit_code=status if kind == os.CLD_EXITED else 0 if result == "success" and exited is None else None,
        signal=_signal(status) if kind in {os.CLD_KILLED, os.CLD_DUMPED} else None,
        reason=last_end(facts),
        started_at=begun.at if begun else None,
        ended_at=ends[-1].at,
        on_request=on_request,
    )


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
