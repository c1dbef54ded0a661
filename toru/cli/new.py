"""`toru new`: a project for a plugin of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toru.cli import output
from toru.cli.arguments import AsJson
from toru.cli.refusals import WrongUsage


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The plugin's id: letters, digits and hyphens.")],
    *,
    lang: Annotated[str, typer.Option(help="python, rust, go, or http for any other.")] = "python",
    into: Annotated[Path, typer.Option(help="Where the folder is made.", show_default="here")] = Path(),
    sdk: Annotated[
        Path | None, typer.Option(help="Where Toru's SDKs lie, such as a checkout of Toru.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a folder with a plugin that runs.

    In it are the plugin, its page, its test, and how to build it.
    """
    from toru.scaffold import Language, make

    try:
        language = Language(lang)
    except ValueError:
        raise WrongUsage(f"--lang is one of {', '.join(Language)} (see toru new --help)") from None
    if not into.is_dir():
        raise WrongUsage(f"{into}: there is no such folder")
    project = make(name, language, into, sdk)
    binary = f"build/{project.id}.binary"
    steps = [f"cd {project.folder}", "sh test.sh", "sh build.sh build", f"toru check {binary}"]
    if as_json:
        facts = {"id": project.id, "language": language, "folder": str(project.folder)}
        output.put_json({**facts, "files": list(project.files), "next": steps})
        return
    if output.people_watch():
        output.put(f"✓ {project.folder}: {', '.join(project.files)}")
        output.put("Next:")
        for step in steps:
            output.put(f"  {step}")
        return
    for file in project.files:
        output.put(str(project.folder / file))
