"""`toru try` for people: each command prints what they need to know and raises TrialError with what they did wrong."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from toru.trial import registry
from toru.trial.machine import check_machine
from toru.trial.options import Options
from toru.trial.registry import Record
from toru.trial.trial import Trial

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Asked(BaseException):
    """A signal asked us to end."""


def up(options: Options, *, detach: bool = False, notes: Mapping[str, str] | None = None) -> None:
    """Boot a trial and hold it until Ctrl-C, SIGTERM, SIGHUP or its own end; with detach, leave it running.

    The notes are for whoever is greeted.
    """
    trial = Trial(options)
    if detach:
        trial.start(detach=True)
        _greet(trial, end=f"toru try down {trial.name}", notes=notes or {})
        return
    with _asked_to_end():
        try:
            with trial:
                _greet(trial, end="Ctrl-C", notes=notes or {})
                trial.wait()
        except _Asked:
            pass
    print(f"The trial {trial.name} has ended, and nothing of it is left.")


def execute(name: str, argv: Sequence[str], *, user: str | None = None) -> NoReturn:
    """Become a command inside the trial; without one, a shell. Its exit status is ours."""
    check_machine()
    command = Trial.find(name).command(argv or ["bash"], user=user)
    sys.stdout.flush()
    os.execvp(command[0], command)  # noqa: S606  nothing to quote


def down(name: str) -> None:
    """End a trial, and return when nothing of it is left."""
    check_machine()
    Trial.find(name).stop()


def running() -> list[Record]:
    """Return the trials that run, by name."""
    check_machine()
    return registry.running()


def _greet(trial: Trial, end: str, notes: Mapping[str, str]) -> None:
    option = "" if trial.name == Options().name else f" --name {trial.name}"
    for what, words in {
        f"Toru runs in the trial {trial.name}.": "",
        "  open": trial.url,
        **{f"  {what}": words for what, words in notes.items()},
        "  look inside": f"toru try exec{option}",
        "  end": end,
    }.items():
        print(f"{what:<15}{words}".rstrip(), flush=True)


@contextmanager
def _asked_to_end() -> Iterator[None]:
    def ask(_number: int, _frame: FrameType | None) -> None:
        for number in _ENDING:  # once is enough: the end shall not be cut short
            signal.signal(number, signal.SIG_IGN)
        raise _Asked

    before = {number: signal.signal(number, ask) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
