"""The script for bash: bash(1), Programmable Completion."""

from __future__ import annotations

from toru.cli.completion.sources import PLUGINS, USERS
from toru.cli.completion.table import Command, Kind, Value

_SCRIPT = r"""# Completes command lines of toru(1) in bash. Made by: toru completion bash

_toru_plugins() {
    @PLUGINS@
}

_toru_users() {
    @USERS@
}

# What may come after this command: commands, options (some with =KIND of their value), and kinds of arguments.
_toru_after() {
    commands= options= arguments=
    case $1 in
@TABLE@
    esac
}

_toru() {
    local current=${COMP_WORDS[COMP_CWORD]} path= kind= bare= place=0 index word each
    local commands options arguments
    COMPREPLY=()
    _toru_after ''
    for ((index = 1; index < COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if [[ $kind ]]; then
            # Readline parts --option=value at its sign.
            [[ $word == = ]] || kind=
        elif [[ ! $bare && $word == -- ]]; then
            bare=1
        elif [[ ! $bare && $word == -* ]]; then
            for each in $options; do
                [[ $each != "$word="* ]] || kind=${each#*=}
            done
        elif [[ ! $bare && " $commands " == *" $word "* ]]; then
            path=${path:+$path }$word
            _toru_after "$path"
        else
            ((++place))
        fi
    done
    [[ $current != = ]] || current=
    if [[ ! $kind ]]; then
        if [[ ! $bare && $current == -* ]]; then
            word=
            for each in $options; do word+=" ${each%%=*}"; done
            COMPREPLY=($(compgen -W "$word" -- "$current"))
            return
        fi
        COMPREPLY=($(compgen -W "$commands" -- "$current"))
        each=($arguments)
        kind=${each[place]-}
        # The last one may stand there as often as one likes.
        [[ $kind || $arguments != *+ ]] || kind=${each[-1]}
    fi
    case ${kind%+} in
    plugin) COMPREPLY+=($(compgen -W "$(_toru_plugins)" -- "$current")) ;;
    user) COMPREPLY+=($(compgen -W "$(_toru_users)" -- "$current")) ;;
    word:*) kind=${kind#word:} && COMPREPLY+=($(compgen -W "${kind//,/ }" -- "$current")) ;;
    file)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
    directory)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        ;;
    esac
}

complete -F _toru toru
"""


def script(commands: list[Command]) -> str:
    table = "\n".join(_row(command) for command in commands)
    return _SCRIPT.replace("@PLUGINS@", PLUGINS).replace("@USERS@", USERS).replace("@TABLE@", table)


def _row(command: Command) -> str:
    said = {
        "commands": command.commands,
        "options": [
            name if option.value is None else f"{name}={_kind(option.value)}"
            for option in command.options
            for name in option.names
        ],
        "arguments": [_kind(argument) for argument in command.arguments],
    }
    sets = " ".join(f"{name}='{' '.join(words)}'" for name, words in said.items() if words)
    return f"    '{' '.join(command.path)}') {sets} ;;"


def _kind(value: Value) -> str:
    kind = f"word:{','.join(value.words)}" if value.kind is Kind.WORD else str(value.kind)
    return kind + ("+" if value.repeated else "")
