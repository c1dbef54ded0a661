"""`toru enable`, `disable`, `restart`, `pause`, `resume` and `retry`: what the operator wants, and how it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, Ids

if TYPE_CHECKING:
    from toru.cli.way import Row, Verb, Way
    from toru.domain.errors import ToruError

DONE: dict[Verb, str] = {
    "enable": "is enabled",
    "disable": "is disabled",
    "restart": "has restarted",
    "pause": "is paused",
    "resume": "is resumed",
    "retry": "was retried",
}

SAYS_ALL = frozenset({"disable", "pause"})
"""What is done leaves no question how the plugin is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one id."""

    text: str
    plugin: Row | None
    """As it is now, as far as there is one."""
    error: ToruError | None


def enable(plugin_ids: Ids, *, as_json: AsJson = False) -> None:
    """Switch plugins on, now and at every boot.

    Returns when they listen, or says why they do not.
    """
    _carry_out("enable", plugin_ids, as_json=as_json)


def disable(plugin_ids: Ids, *, as_json: AsJson = False) -> None:
    """Switch plugins off, until somebody enables them.

    Returns when nothing of them runs any more.
    """
    _carry_out("disable", plugin_ids, as_json=as_json)


def restart(plugin_ids: Ids, *, as_json: AsJson = False) -> None:
    """Give plugins a fresh process and a clean slate.

    Requests wait meanwhile; none is lost.
    """
    _carry_out("restart", plugin_ids, as_json=as_json)


def pause(plugin_ids: Ids, *, as_json: AsJson = False) -> None:
    """Let plugins stand still where they are.

    Requests wait until somebody resumes them.
    """
    _carry_out("pause", plugin_ids, as_json=as_json)


def resume(plugin_ids: Ids, *, as_json: AsJson = False) -> None:
    """Let paused plugins go on where they stood."""
    _carry_out("resume", plugin_ids, as_json=as_json)


def retry(plugin_ids: Ids, *, as_json: AsJson = False) -> None:
    """Give plugins that failed another chance, now.

    Those that wait for their next try, and those that were switched off because they failed too often.
    """
    _carry_out("retry", plugin_ids, as_json=as_json)


def _carry_out(verb: Verb, texts: Sequence[str], *, as_json: bool) -> None:
    """One after the other: a failure keeps none of the others from its turn."""
    from toru.cli import way

    toru = way.to_toru()
    outcomes: list[Outcome] = []
    for text in dict.fromkeys(texts):
        with output.at_work(f"{verb} {text} …"):
            outcome = _one(toru, verb, text)
        outcomes.append(outcome)
        _tell(verb, outcome, as_json=as_json)
    if as_json:
        from toru.cli import rows

        output.put_json({"results": [rows.outcome_row(it.text, it.plugin, it.error) for it in outcomes]})
    if any(outcome.error is not None for outcome in outcomes):
        raise typer.Exit(1)


def _one(toru: Way, verb: Verb, text: str) -> Outcome:
    from toru.cli.way import checked_id
    from toru.domain.errors import ToruError

    try:
        plugin_id = checked_id(text)
    except ToruError as refusal:
        return Outcome(text=text, plugin=None, error=refusal)
    try:
        return Outcome(text=text, plugin=toru.wish(verb, plugin_id), error=None)
    except ToruError as refusal:
        error = refusal
    try:
        return Outcome(text=text, plugin=toru.plugin(plugin_id), error=error)
    except ToruError:
        return Outcome(text=text, plugin=None, error=error)


def _tell(verb: Verb, outcome: Outcome, *, as_json: bool) -> None:
    if outcome.error is not None:
        if as_json:
            output.complain_in_json(outcome.error.code, str(outcome.error), id=outcome.text)
        else:
            output.complain(str(outcome.error))
        return
    if as_json:
        return
    state = outcome.plugin["state"] if outcome.plugin and verb not in SAYS_ALL else None
    if output.people_watch():
        from toru.cli import tables

        output.put_rich(tables.done(outcome.text, DONE[verb], state))
    else:
        output.put_fields(outcome.text, DONE[verb].rpartition(" ")[2], state)
