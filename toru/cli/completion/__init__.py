"""`toru completion`: what a shell needs to complete command lines of `toru`.

table  what may follow what, from the commands themselves
bash, zsh, fish: the same as a script

A script has every command and option in it, so that no key press starts a program but where users' names are asked for.
Ids of plugins come from the catalogue, which everybody may read.
"""

from __future__ import annotations

from typing import Annotated

import typer

from toru.cli import output
from toru.cli.refusals import WrongUsage

SHELLS = ("bash", "zsh", "fish")


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False)],
) -> None:
    """Print a script that teaches a shell to complete commands, options, ids of plugins and names of users.

    Debian's package installs it. Elsewhere: source <(toru completion bash), or toru completion fish | source.
    """
    from toru.cli.commands import tree

    if shell not in SHELLS:
        raise WrongUsage(f"SHELL is one of {', '.join(SHELLS)} (see toru completion --help)")
    output.put(script(shell, tree()).rstrip("\n"))


def script(shell: str, program: object) -> str:
    """The script for this shell, of this tree of commands."""
    from toru.cli.completion import bash, fish, zsh
    from toru.cli.completion.table import commands_of

    write = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}[shell]
    return write(commands_of(program))
