"""Types lines into a real shell, presses TAB behind each, and prints what the shell then has to choose from, as JSON.

Runs on a host: typist.py SHELL LINE…, with the shell's completion where Debian's package puts it.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASH = r"""
source /usr/share/bash-completion/bash_completion
# As the first TAB does. The name of the function depends on the version.
_completion_loader toru 2>/dev/null || _comp_load toru
[[ $(complete -p toru) == *" _toru "* ]] || echo "the file was not found" >>OUT
spy() {
    _toru "$@"
    { printf '%s\n' "${COMPREPLY[@]}"; echo .; } >>OUT
}
complete -F spy toru
bind -x '"\C-t": echo ready >>OUT'
"""

ZSH = r"""
autoload -Uz compinit
compinit -u -D
LISTMAX=10000
compadd() {
    local -a hits
    if [[ " ${@[1,(i)(-|--)]} " != *" -"(O|A|D)" "* ]]; then
        builtin compadd -A hits "$@"
        (( $#hits )) && print -rl -- $hits >>OUT
    fi
    builtin compadd "$@"
}
typed() {
    zle complete-word
    print . >>OUT
    BUFFER=
}
zle -C complete-word complete-word _main_complete
zle -N typed
bindkey '^I' typed
ready() { print ready >>OUT }
zle -N ready
bindkey '^T' ready
"""

WITHIN = 60


def main() -> None:
    shell, *lines = sys.argv[1:]
    print(json.dumps(fish(lines) if shell == "fish" else at_terminal(shell, lines)))


def fish(lines: list[str]) -> list[list[str]]:
    """fish says by itself what it would offer."""
    ask = 'for line in $argv; complete -C "$line"; echo .; end'
    said = subprocess.run(["fish", "-c", ask, *lines], capture_output=True, text=True, check=True)
    assert said.stderr == ""
    offered: list[list[str]] = [[]]
    for offer in said.stdout.splitlines():
        if offer == ".":
            offered.append([])
        else:
            offered[-1].append(offer.partition("\t")[0])
    return offered[:-1]


def at_terminal(shell: str, lines: list[str]) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as directory:
        out, start = Path(directory, "out"), Path(directory, "start")
        out.touch()
        start.write_text({"bash": BASH, "zsh": ZSH}[shell].replace("OUT", str(out)))
        bare = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[shell]
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm", HOME=directory, PS1="> ")
            os.execvp(bare[0], bare)  # noqa: S606  (a shell is what it is to become)
        os.set_blocking(terminal, False)
        shown = bytearray()

        def wait_for(what: str) -> list[str]:
            deadline = time.monotonic() + WITHIN
            while what not in (said := out.read_text().splitlines()):
                try:
                    shown.extend(os.read(terminal, 65536))
                except BlockingIOError:
                    time.sleep(0.01)
                assert time.monotonic() < deadline, (said, bytes(shown))
            return said

        # What is typed before the shell itself reads the terminal is not read as keys; this one waits for it.
        os.write(terminal, f" source {start}\n\x14".encode())
        wait_for("ready")
        offered = []
        for line in lines:
            out.write_text("")
            os.write(terminal, b"\x15" + line.encode() + b"\t")
            offered.append([offer for offer in wait_for(".") if offer not in ("", ".")])
        os.write(terminal, b"\x15exit\n")
        os.close(terminal)
        os.waitpid(pid, 0)
        return offered


main()
