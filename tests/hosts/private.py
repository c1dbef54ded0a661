"""The machine's own systemd, in a private copy: 252 on Debian 12, 257 on Debian 13."""

from __future__ import annotations

import os
from pathlib import Path
from subprocess import Popen
from typing import Any, Self

from tests.hosts.host import Host
from toru.trial import Options, Trial


class PrivateHost(Host):
    def __init__(self, name: str, trial: Trial) -> None:
        self.name = name
        self.trial = trial

    @classmethod
    def boot(cls, name: str, *, limits: bool = False) -> Self:
        kind = "limited" if limits else "tests"
        return cls(name, Trial(Options(name=f"{kind}-{os.getpid()}", limits=limits)).start())

    def popen(self, *argv: str, user: str | None = None, **options: Any) -> Popen[str]:
        return self.trial.popen(argv, user=user, **options)

    def reboot(self) -> None:
        self.trial.reboot()

    def path(self, inner: str) -> Path:
        return self.trial.path(inner)

    def stop(self) -> None:
        self.trial.stop()
