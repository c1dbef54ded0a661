"""Why a plugin ended: its last run, put together from what systemd wrote of it. It outlives units and reboots."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
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
    result: str
    """In systemd's word: success, exit-code, signal, timeout …"""
    exit_code: int | None
    signal: str | None
    reason: str | None
    """Why it did not end well, for people."""
    started_at: datetime | None
    """None where the journal doesn't go back so far."""
    ended_at: datetime

    @property
    def seconds(self) -> float | None:
        return None if self.started_at is None else max(0.0, (self.ended_at - self.started_at).total_seconds())


def last_run(plugin_id: PluginId, invocation_id: str | None = None) -> Run | None:
    """The last run that has ended, or this very one; None where the journal knows of none."""
    return run_of(itertools.islice(runs.entries(plugin_id, invocation_id), LOOK_AT_MOST))


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
    ends = [it for it in newest_first if it.moment in _ENDS and it.moment is not Moment.STOPPED] or newest_first
    kind = _EXIT_KINDS.get(exited.exit_code or "", 0) if exited else 0
    said = (exited and exited.exit_status) or ""
    status = int(said) if said.isdecimal() else 0
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
    )


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
