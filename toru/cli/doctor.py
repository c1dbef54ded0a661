"""`toru doctor`: what is right and wrong on this host."""

from __future__ import annotations

import typer

from toru.cli import output
from toru.cli.arguments import AsJson


def doctor(*, as_json: AsJson = False) -> None:
    """What is right and wrong on this host, and the remedy.

    Exit status: 0 when nothing is wrong, though something may be better; 1 when something is.
    """
    from toru.cli.checks import examine
    from toru.cli.findings import Level

    findings = examine()
    healthy = all(finding.level is not Level.BAD for finding in findings)
    if as_json:
        rows = [{"level": it.level, "check": it.check, "sentence": it.sentence, "remedy": it.remedy} for it in findings]
        output.put_json({"healthy": healthy, "findings": rows})
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(*tables.findings(findings))
    else:
        for finding in findings:
            output.put_fields(finding.level, finding.check, finding.sentence, finding.remedy)
    if not healthy:
        raise typer.Exit(1)
