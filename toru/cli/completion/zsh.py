"""The script for zsh: zshcompsys(1), _arguments."""

from __future__ import annotations

from toru.cli.completion.sources import PLUGINS, USERS
from toru.cli.completion.table import Command, Kind, Option, Value

_SCRIPT = r"""#compdef toru
# Completes command lines of toru(1) in zsh. Made by: toru completion zsh

_toru_plugins() {
    local -a ids
    ids=(${(f)"$(@PLUGINS@)"})
    compadd -a ids
}

_toru_users() {
    local -a names
    names=(${(f)"$(@USERS@)"})
    compadd -a names
}

@FUNCTIONS@
# Autoloaded, this file is the function; sourced, it is not.
if [[ $funcstack[1] == _toru ]]; then
    _toru "$@"
else
    compdef _toru toru
fi
"""

_ACTIONS = {
    Kind.PLUGIN: "_toru_plugins",
    Kind.USER: "_toru_users",
    Kind.FILE: "_files",
    Kind.DIRECTORY: "_files -/",
    Kind.ANYTHING: " ",
}


def script(commands: list[Command]) -> str:
    about = {command.path: command.about for command in commands}
    functions = "\n".join(_function(command, about) for command in commands)
    return _SCRIPT.replace("@PLUGINS@", PLUGINS).replace("@USERS@", USERS).replace("@FUNCTIONS@", functions)


def _function(command: Command, about: dict[tuple[str, ...], str]) -> str:
    specs = [spec for option in command.options for spec in _option(option)]
    specs += [_argument(number, argument) for number, argument in enumerate(command.arguments, 1)]
    if not command.commands:
        return f"{_name(command.path)}() {{\n{_arguments('-S', specs)}\n}}\n"
    below = [f"{name}\\:{_quoted(about[*command.path, name])}" for name in command.commands]
    specs += [f"1:command:(({' '.join(below)}))", "*:: :->rest"]
    cases = "\n".join(f"    {name}) {_name((*command.path, name))} ;;" for name in command.commands)
    return f"""\
{_name(command.path)}() {{
    local curcontext=$curcontext state state_descr line
    local -A opt_args
{_arguments("-C", specs)} && return
    [[ $state == rest ]] || return
    case $line[1] in
{cases}
    esac
}}
"""


def _arguments(how: str, specs: list[str]) -> str:
    lines = ["    _arguments -s " + how, *("        '" + spec.replace("'", "'\\''") + "'" for spec in specs)]
    return " \\\n".join(lines)


def _name(path: tuple[str, ...]) -> str:
    return "_".join(("_toru", *path))


def _option(option: Option) -> list[str]:
    """One for each of its names, which exclude each other unless it may be repeated."""
    others = "*" if option.repeated else f"({' '.join(option.names)})"
    value = "" if option.value is None else f":{option.value.name}:{_action(option.value)}"
    about = option.about.replace("[", "\\[").replace("]", "\\]")
    return [f"{others}{name}{_sign(name, option)}[{about}]{value}" for name in option.names]


def _sign(name: str, option: Option) -> str:
    """`--name=VALUE` or `--name VALUE`; `-nVALUE` or `-n VALUE`."""
    if option.value is None:
        return ""
    return "=" if name.startswith("--") else "+"


def _argument(number: int, value: Value) -> str:
    return f"{'*' if value.repeated else number}:{value.name}:{_action(value)}"


def _action(value: Value) -> str:
    return f"({' '.join(value.words)})" if value.kind is Kind.WORD else _ACTIONS[value.kind]


def _quoted(text: str) -> str:
    marks = str.maketrans({mark: f"\\{mark}" for mark in '\\"`$:()'})
    return '"' + text.translate(marks) + '"'
