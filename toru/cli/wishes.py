"""`toru enable`, `toru disable` and `toru restart`: what the operator wants, and how it went."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, Ids

if TYPE_CHECKING:
    from toru.core.overview import PluginView
    from toru.domain.errors import ToruError
    from toru.systemd.bus import Bus

Verb = Literal["enable", "disable", "restart"]

DONE: dict[Verb, str] = {"enable": "is enabled", "disable": "is disabled", "restart": "has restarted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one id."""

    text: str
    view: PluginView | None
    """The plugin as it is now, as far as there is one."""
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


def _carry_out(verb: Verb, texts: Sequence[str], *, as_json: bool) -> None:
    """One after the other: a failure keeps none of the others from its turn."""
    from toru.cli import look

    outcomes = look.ask(lambda bus: _all(bus, verb, texts, as_json=as_json))
    if as_json:
        from toru.core import rows

        now = time.time()
        results = [rows.outcome_row(it.text, it.view, it.error, now=now) for it in outcomes]
        output.put_json({"results": results})
    if any(outcome.error is not None for outcome in outcomes):
        raise typer.Exit(1)


async def _all(bus: Bus, verb: Verb, texts: Sequence[str], *, as_json: bool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for text in dict.fromkeys(texts):
        with output.at_work(f"{verb} {text} …"):
            outcome = await _one(bus, verb, text)
        outcomes.append(outcome)
        _tell(verb, outcome, as_json=as_json)
    return outcomes


async def _one(bus: Bus, verb: Verb, text: str) -> Outcome:
    from toru.cli import look
    from toru.core.lifecycle import Lifecycle
    from toru.domain.errors import ToruError

    error: ToruError | None = None
    view: PluginView | None = None
    lifecycle = Lifecycle(bus)
    wishes = {"enable": lifecycle.enable, "disable": lifecycle.disable, "restart": lifecycle.restart}
    try:
        plugin_id = look.checked_id(text)
    except ToruError as refusal:
        return Outcome(text=text, view=None, error=refusal)
    try:
        await wishes[verb](plugin_id)
    except ToruError as refusal:
        error = _understood(refusal, verb, text)
    try:
        view = await look.at_plugin(bus, plugin_id)
    except ToruError as nobody:
        # Disabled, a plugin without a file is gone; otherwise it was never there, and that is what stood in the way.
        error = error and nobody
    return Outcome(text=text, view=view, error=error)


def _understood(refusal: ToruError, verb: Verb, text: str) -> ToruError:
    """systemd's refusal in words that help."""
    from toru.cli.refusals import NotPermitted

    denied = {"org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"}
    if refusal.facts.get("error_name") in denied:
        return NotPermitted(f"only root may {verb} {text}: sudo toru {verb} {text}")
    return refusal


def _tell(verb: Verb, outcome: Outcome, *, as_json: bool) -> None:
    if outcome.error is not None:
        if as_json:
            output.complain_in_json(outcome.error.code, str(outcome.error), id=outcome.text)
        else:
            output.complain(str(outcome.error))
        return
    state = outcome.view.status.state if outcome.view and verb != "disable" else None
    if as_json:
        return
    if output.people_watch():
        from toru.cli import tables

        output.put_rich(tables.done(outcome.text, DONE[verb], state))
    else:
        output.put_fields(outcome.text, DONE[verb].rpartition(" ")[2], state)
