"""The command `toru` on a host, as scripts and people run it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from subprocess import CompletedProcess
from typing import Any

from tests.hosts.host import Host


class Command:
    def __init__(self, host: Host) -> None:
        self.host = host

    def __call__(self, *arguments: str, user: str | None = None) -> CompletedProcess[str]:
        """Run it in a pipe, to its end, however that is."""
        return self.host.run("toru", *arguments, user=user, check=False)

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json").stdout)

    def table(self, *arguments: str) -> list[list[str]]:
        """What it says in a pipe, line by line and field by field."""
        return [line.split("\t") for line in self(*arguments).stdout.splitlines()]

    def on_terminal(self, *arguments: str, columns: int = 80, environment: Mapping[str, str] | None = None) -> str:
        """What it writes on a terminal of its own, escape sequences and all."""
        variables = {"TERM": "xterm-256color", "COLUMNS": str(columns), **(environment or {})}
        settings = [f"{name}={value}" for name, value in variables.items()]
        words = shlex.join(["env", *settings, "toru", *arguments])
        return self.host.run("script", "--quiet", "--command", words, "/dev/null").stdout.replace("\r\n", "\n")
