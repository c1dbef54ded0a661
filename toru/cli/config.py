"""`toru config`: the settings in force, and mistakes in them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from toru.cli import output
from toru.cli.arguments import AsJson
from toru.cli.groups import group

if TYPE_CHECKING:
    from toru.domain.errors import InvalidSettings
    from toru.settings import Origin

ABOUT = """\
The settings: /etc/toru/toru.toml, the files in toru.toml.d over it, and TORU_… in the environment over both.
"""

# Between the user's name and the host, or among the parameters. What is shown may end up in a bug report.
_PASSWORD = re.compile(r"(?<=://)([^/@:]*:).*(?=@)|(?<=[?&])(password=)[^&]*")


def commands(markup: Literal["rich"] | None) -> typer.Typer:
    """`toru config` and its commands."""
    app = group(markup, ABOUT)
    app.command("show")(show)
    app.command("check")(check)
    return app


def show(*, as_json: AsJson = False) -> None:
    """Show every setting, and where it was said: the line of a file, the environment, or nowhere.

    The environment is that of this command; the units have their own. Passwords are left out.
    """
    from toru.settings import read_settings

    settings = read_settings()
    rows = [(".".join(path), _shown(path, value), origin) for path, value, origin in settings.rows()]
    if as_json:
        shown = [{"key": key, "value": value, **_origin_row(origin)} for key, value, origin in rows]
        output.put_json({"files": [str(file) for file in settings.read], "settings": shown})
    elif output.people_watch():
        from toru.cli import listings

        output.put_rich(listings.settings([(key, _as_toml(value), str(origin)) for key, value, origin in rows]))
    else:
        for key, value, origin in rows:
            output.put_fields(key, _as_toml(value), origin)


def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="This file alone. Default: all that count.", show_default=False),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Look for mistakes, and say on which line each is.

    Exit status: 0 when there is none; 1 when there is one.
    """
    from toru.settings import mistakes_in, mistakes_in_force

    mistakes = mistakes_in_force() if file is None else mistakes_in(file)
    if as_json:
        output.put_json({"valid": not mistakes, "mistakes": [_mistake_row(mistake) for mistake in mistakes]})
    else:
        for mistake in mistakes:
            output.put(output.printable(str(mistake)))
        if not mistakes:
            output.put("no mistake")
    if mistakes:
        raise typer.Exit(1)


def _origin_row(origin: Origin) -> dict[str, Any]:
    file = None if origin.file is None else str(origin.file)
    kind = "file" if file else "environment" if origin.variable else "default"
    return {"origin": kind, "file": file, "line": origin.line, "variable": origin.variable}


def _mistake_row(mistake: InvalidSettings) -> dict[str, Any]:
    facts = mistake.facts
    where = {"file": facts.get("file"), "line": facts.get("line"), "variable": facts.get("variable")}
    return {"message": str(mistake), **where}


def _shown(path: tuple[str, ...], value: Any) -> Any:
    return _PASSWORD.sub(r"\1\2***", value) if path == ("database_url",) else value


def _as_toml(value: Any) -> str:
    # Texts, numbers, true and false, and lists of them look alike in both.
    return json.dumps(value, ensure_ascii=False)
