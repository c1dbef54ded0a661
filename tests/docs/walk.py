"""Does what a page tells its reader to do, and compares what the page says one sees."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.docs.pages import Block
from toru.trial import Trial

# The reader's terminal: wide, without colours, and nothing that waits for a key.
TERMINAL = ("env", "TERM=xterm", "NO_COLOR=1", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=cat", "script", "-qec")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SPINNER = re.compile(r"[\u2801-\u28ff] ")  # gone from the screen when the work is done

SEEN_WITHIN = 10.0
"""The reader is slower than Toru; a test asks again instead."""

PASSWORD = "Quite-a-secret-9"  # noqa: S105  of a trial

# A reader has one shell; here each command has its own, which begins with the variables that the last one left.
SHELL = "stty cols 120; cd /root; [ ! -e .reader ] || . ./.reader; set -a\n{command}\nexport -p >.reader"


class Reader:
    """Has a source tree, and Toru running as `make run` runs it: with an admin of this password."""

    def __init__(self, tree: Path, trial: Trial) -> None:
        self.tree = tree
        self.trial = trial

    def follow(self, block: Block) -> None:
        match block.language:
            case "python" if block.saved_as is not None:
                (self.tree / block.saved_as).write_text(block.text)
            case "sh":
                self._run_on_the_machine(block)
            case "console":
                for command, expected in _steps(block.text):
                    self._run_inside(block, command, expected)

    def _run_on_the_machine(self, block: Block) -> None:
        if "make " in block.text or ".venv" in block.text:
            return  # it is how the trial came to be
        script = re.sub(r"^sudo ", "", block.text, flags=re.MULTILINE)
        path = f"{sys.prefix}/bin:{os.environ['PATH']}"  # where the page has its reader find the command
        subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=self.tree,
            check=True,
            capture_output=True,
            env={**os.environ, "PATH": path},
        )

    def _run_inside(self, block: Block, command: str, expected: list[str]) -> None:
        deadline = time.monotonic() + SEEN_WITHIN
        # What make run has printed, which no page can know.
        typed = command.replace("what make run printed", PASSWORD).replace(":3000", f":{self.trial.port}")
        while True:
            shown = self.trial.run([*TERMINAL, SHELL.format(command=typed), "/dev/null"]).stdout
            seen = [line for line in map(_plain, shown.splitlines()) if line and not SPINNER.match(line)]
            if _pattern(expected).fullmatch("".join(f"{line}\n" for line in seen)):
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"{block}: {command}\nexpected:\n{_lines(expected)}\nseen:\n{_lines(seen)}")
            time.sleep(0.1)


def _steps(text: str) -> list[tuple[str, list[str]]]:
    """Each command with the lines that should follow it."""
    steps: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append((line.removeprefix("$ "), []))
        elif line:
            steps[-1][1].append(_plain(line))
    return steps


def _pattern(expected: list[str]) -> re.Pattern[str]:
    """An ellipsis alone on a line stands for any lines, within one for any words."""
    parts = []
    for line in expected:
        words = ".*".join(map(re.escape, line.split("…")))
        parts.append(r"(?:.*\n)*" if line == "…" else rf"{words}\n")
    return re.compile("".join(parts))


def _plain(line: str) -> str:
    return " ".join(ESCAPE.sub("", line).split())


def _lines(lines: list[str]) -> str:
    return "".join(f"  {line}\n" for line in lines)
