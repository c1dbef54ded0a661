"""What a person may ask of a trial."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from toru.domain.errors import ToruError

DEFAULT_NAME = "toru"
DEFAULT_PORT = 3000

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class TrialError(ToruError):
    """A trial can't be had, or not any more. `str(error)` is a sentence for the person who asked."""

    code = "trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One trial, as asked for.

    port     None: 3000, or the next one that is free
    plugins  a directory that the trial shows, but never writes to; None: an empty one of its own
    limits   enforce MemoryMax=, TasksMax= and CPUQuota= also where only cgroup v1 can
    files    more files for the trial's /etc: path below /etc → text
    units    the folder with install.sh; None: the one beside the running package
    """

    name: str = DEFAULT_NAME
    port: int | None = None
    plugins: Path | None = None
    limits: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    units: Path | None = None

    def __post_init__(self) -> None:
        checked_name(self.name)
        if self.port is not None and not 0 < self.port < 2**16:
            raise TrialError(f"{self.port} is no port: give one from 1 to 65535.")
        for path in self.files:
            parts = PurePosixPath(path).parts
            if not parts or parts[0] == "/" or ".." in parts:
                raise TrialError(f"{path!r} is no path below /etc.")
        if self.plugins is not None and not self.plugins.is_dir():
            raise TrialError(f"There is no plugins directory {self.plugins}.")


def checked_name(name: str) -> str:
    """Return the name of a trial, which is also the name of directories and of a unit, or raise TrialError."""
    if not _NAME.fullmatch(name):
        raise TrialError(f"{name!r} is no name for a trial: use lower-case letters, digits and hyphens, 32 at most.")
    return name
