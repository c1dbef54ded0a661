"""The script for fish: complete(1)."""

from __future__ import annotations

from toru.cli.completion.sources import PLUGINS, USERS
from toru.cli.completion.table import Command, Kind, Option, Value

_SCRIPT = r"""# Completes command lines of toru(1) in fish. Made by: toru completion fish

function __toru_plugins
    @PLUGINS@
end

function __toru_users
    @USERS@
end

# Whether the words before the cursor are this command, with so many arguments: __toru_at PATH [NUMBER|NUMBER+]
function __toru_at
    set -l known @PATHS@
    set -l valued @VALUED@
    set -l path
    set -l place 0
    set -l is_value 0
    for word in (commandline -opc)[2..]
        if test $is_value = 1
            set is_value 0
        else if string match -q -- '-*' $word
            contains -- "$path $word" $valued; and set is_value 1
        else if test $place = 0; and contains -- (string join ' ' $path $word) $known
            set path (string join ' ' $path $word)
        else
            set place (math $place + 1)
        end
    end
    test "$path" = "$argv[1]"; or return 1
    switch "$argv[2]"
        case ''
            return 0
        case '*+'
            test $place -ge (string trim -r -c + $argv[2])
        case '*'
            test $place = $argv[2]
    end
end

complete -c toru -f
@LINES@
"""


def script(commands: list[Command]) -> str:
    about = {command.path: command.about for command in commands}
    lines = [line for command in commands for line in _lines(command, about)]
    valued = [
        f"{' '.join(command.path)} {name}"
        for command in commands
        for option in command.options
        if option.value is not None
        for name in option.names
    ]
    filled = {
        "@PLUGINS@": PLUGINS,
        "@USERS@": USERS,
        "@PATHS@": " ".join(_quoted(" ".join(command.path)) for command in commands if command.path),
        "@VALUED@": " ".join(map(_quoted, valued)),
        "@LINES@": "\n".join(lines),
    }
    text = _SCRIPT
    for mark, filling in filled.items():
        text = text.replace(mark, filling)
    return text


def _lines(command: Command, about: dict[tuple[str, ...], str]) -> list[str]:
    path = _quoted(" ".join(command.path))
    lines = [
        _line(f"__toru_at {path} 0", f"-a {name} -d {_quoted(about[*command.path, name])}") for name in command.commands
    ]
    lines += [_line(f"__toru_at {path}", _option(option)) for option in command.options]
    for place, value in enumerate(command.arguments):
        if value.kind is not Kind.ANYTHING:
            lines.append(_line(f"__toru_at {path} {place}{'+' if value.repeated else ''}", _values(value)))
    return lines


def _line(condition: str, rest: str) -> str:
    return f'complete -c toru -n "{condition}" {rest}'


def _option(option: Option) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    about = f"-d {_quoted(option.about)}"
    if option.value is None:
        return " ".join((*names, about))
    is_file = option.value.kind is Kind.FILE
    return " ".join(filter(None, (*names, "-r" if is_file else "-x", _values(option.value), about)))


def _values(value: Value) -> str:
    match value.kind:
        case Kind.PLUGIN:
            return "-a '(__toru_plugins)'"
        case Kind.USER:
            return "-a '(__toru_users)'"
        case Kind.DIRECTORY:
            return "-a '(__fish_complete_directories)'"
        case Kind.WORD:
            return f"-a '{' '.join(value.words)}'"
        case Kind.FILE:
            return "-F"
        case _:
            return ""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
