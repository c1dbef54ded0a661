"""`toru check`: whether a program is right as a plugin, before anybody installs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toru.cli import output
from toru.cli.arguments import AsJson
from toru.cli.refusals import WrongUsage

if TYPE_CHECKING:
    from toru.check.stage import Stage, Terms
    from toru.check.verdict import Verdict
    from toru.domain.manifest import Protocol

LINES_SHOWN = 20
"""Of what the program wrote, where something failed."""


def check(  # noqa: PLR0913  (one for each option)
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The program, as it would be installed.", show_default=False)
    ] = None,
    *,
    socket: Annotated[
        Path | None, typer.Option(help="Check what listens there already, in place of a file.", show_default=False)
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="What it speaks there: toru/1, toru/2 or http.", show_default=False)
    ] = None,
    path: Annotated[str, typer.Option(help="Send requests there.")] = "/",
    only: Annotated[
        list[str] | None, typer.Option(help="This check, or group of checks. May be repeated.", show_default=False)
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the checks, and run none.")] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds for an answer. Default: as in the metadata, or 30.")
    ] = None,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to wait, at most, for it to sleep or to ping its watchdog.")
    ] = 30,
    as_json: AsJson = False,
) -> None:
    """Check whether a program keeps the promises of a plugin.

    It is started as systemd would start it, without being installed. It needs no root. Its data lie in a directory
    that goes when the check is over; what it does to the host by itself is done, as anywhere.

    Exit status: 0 when every promise is kept; 1 when one is broken; 2 when nothing could be checked.
    """
    from toru.check.stage import Terms

    names = _names(only or [])
    if show:
        _list(names, as_json=as_json)
        return
    if not path.startswith("/"):
        raise WrongUsage("--path begins with a slash (see toru check --help)")
    terms = Terms(path=path, timeout=timeout, patience=patience)
    if file is not None:
        if socket is not None or protocol is not None:
            raise WrongUsage("a file says by itself what it speaks, and where (see toru check --help)")
        verdicts = _check_file(file, terms, names, as_json=as_json)
    elif socket is not None:
        verdicts = _check_socket(socket, _protocol(protocol), terms, names, as_json=as_json)
    else:
        raise WrongUsage("what is to be checked: a FILE, or a --socket and its --protocol (see toru check --help)")
    if any(verdict.outcome == "failed" for verdict in verdicts):
        raise typer.Exit(1)


def _names(only: list[str]) -> list[str]:
    """The checks that are asked for, by their names or those of their groups."""
    from toru.check.suite import CHECKS, GROUPS

    known = {check.name: [check.name] for check in CHECKS}
    groups = {group: [check.name for check in checks] for group, checks in GROUPS.items()}
    for word in only:
        if word not in known and word not in groups:
            raise WrongUsage(f"there is no check or group {word!r} (see toru check --list)")
    chosen = only or list(known)
    return [name for word in chosen for name in (groups.get(word) or known[word])]


def _protocol(word: str | None) -> Protocol:
    from toru.domain.manifest import Protocol

    try:
        return Protocol(word or "")
    except ValueError:
        raise WrongUsage(f"--protocol is one of {', '.join(Protocol)} (see toru check --help)") from None


def _check_file(file: Path, terms: Terms, names: list[str], *, as_json: bool) -> list[Verdict]:
    from toru.check.suite import stage_for_file

    if not file.is_file():
        raise WrongUsage(f"{file}: there is no such file")
    with stage_for_file(file.resolve(), terms) as stage:
        return _run(stage, names, what=str(file), as_json=as_json)


def _check_socket(socket: Path, protocol: Protocol, terms: Terms, names: list[str], *, as_json: bool) -> list[Verdict]:
    from toru.check.stage import Stage

    if not socket.is_socket():
        raise WrongUsage(f"{socket}: there is no such socket")
    stage = Stage(terms)
    stage.reach(socket.resolve(), protocol)
    return _run(stage, names, what=str(socket), as_json=as_json)


def _run(stage: Stage, names: list[str], *, what: str, as_json: bool) -> list[Verdict]:
    import asyncio

    from toru.check.suite import run
    from toru.check.verdict import Outcome

    report = _Report(as_json=as_json)
    verdicts = asyncio.run(run(stage, names, report.tell))
    failed = any(verdict.outcome is Outcome.FAILED for verdict in verdicts)
    wrote = [*stage.said, *(stage.program.log if stage.program is not None else ())][-LINES_SHOWN:] if failed else []
    report.end(stage, verdicts, wrote, what)
    return verdicts


class _Report:
    """What is told as it is found, and at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._group = ""

    def tell(self, verdict: Verdict) -> None:
        if self._as_json:
            return
        if output.people_watch():
            from toru.cli import reports

            if verdict.group != self._group:
                self._group = verdict.group
                output.put_rich(reports.heading(verdict.group))
            output.put_rich(reports.verdict(verdict))
        else:
            output.put_fields(verdict.outcome, verdict.group, verdict.check, verdict.sentence)

    def end(self, stage: Stage, verdicts: list[Verdict], wrote: list[str], what: str) -> None:
        counts = {word: sum(it.outcome == word for it in verdicts) for word in ("passed", "failed", "skipped")}
        if self._as_json:
            plugin = None if stage.manifest is None else stage.manifest.id
            rows = [
                {
                    "group": it.group,
                    "check": it.check,
                    "outcome": it.outcome,
                    "promise": it.promise,
                    "found": it.found,
                    "page": f"docs/{it.page}",
                }
                for it in verdicts
            ]
            whole = {"what": what, "id": plugin, "protocol": stage.protocol, "right": not counts["failed"]}
            output.put_json({**whole, "counts": counts, "checks": rows, "log": wrote})
        elif output.people_watch():
            from toru.cli import reports

            output.put_rich(*reports.summary(what, counts, wrote))


def _list(names: list[str], *, as_json: bool) -> None:
    from toru.check.suite import GROUPS
    from toru.domain.manifest import Protocol

    rows = [
        {
            "group": group,
            "check": check.name,
            "protocols": [word for word in Protocol if word in check.of],
            "promise": check.promise,
            "page": f"docs/{check.page}",
        }
        for group, checks in GROUPS.items()
        for check in checks
        if check.name in names
    ]
    if as_json:
        output.put_json({"checks": rows})
    elif output.people_watch():
        from toru.cli import reports

        output.put_rich(reports.checks(rows))
    else:
        for row in rows:
            output.put_fields(row["group"], row["check"], ",".join(row["protocols"]), row["promise"], row["page"])
