"""What belongs to this Toru, and where it lies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from toru.domain import places
from toru.domain.policy import Policy

UNITS = Path("/etc/systemd/system")
INSTALLED_UNITS = "/usr/lib/systemd/system/"

STAGING = ".toru-restore-"
"""What restoring lays down beside what is there begins so."""

_ANYTHING = re.compile(r"[^\0]+", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A directory, and which of its entries are ours."""

    name: str
    """Of its folder in a backup."""
    directory: Path
    ours: re.Pattern[str] = _ANYTHING
    is_plugins_own: bool = False
    """Plugins write to it. Its files belong to whoever systemd gives them to."""
    links: tuple[str, ...] = ()
    """Beginnings of what links in it may point to, beside its own entries."""

    def has(self, entry: str) -> bool:
        return not entry.startswith(STAGING) and self.ours.fullmatch(entry) is not None

    def entries(self) -> list[str]:
        """Those of ours that are there now."""
        try:
            return sorted(entry.name for entry in self.directory.iterdir() if self.has(entry.name))
        except FileNotFoundError:
            return []

    def may_link(self, inside: str, target: str) -> bool:
        """Whether a link at this place in it leads to something in it, or is one that ops make there."""
        if target == "/dev/null" or target.startswith(self.links):
            return ".." not in target.split("/")
        if target.startswith("/") or "\0" in target:
            return False
        depth = inside.count("/")
        for part in target.split("/"):
            depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
            if depth < 0:
                return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where this Toru, or that of a backup, keeps what it has."""

    plugins_dir: Path
    database: Path | None
    """None: not in a file of this host."""

    @classmethod
    def of_policy(cls, policy: Policy) -> Self:
        return cls(plugins_dir=policy.plugins_dir, database=sqlite_file(policy.database_url))

    def as_json(self) -> dict[str, Any]:
        return {
            "plugins_dir": str(self.plugins_dir),
            "database": None if self.database is None else str(self.database),
        }

    def roots(self, *, with_data: bool) -> Iterator[Root]:
        yield Root(name="plugins", directory=self.plugins_dir)
        yield Root(name="settings", directory=places.SETTINGS_FILE.parent)
        yield Root(
            name="units", directory=UNITS, ours=re.compile(r"toru[.-][\w@.:\\-]+"), links=(f"{INSTALLED_UNITS}toru",)
        )
        yield Root(name="state", directory=places.STATE, ours=re.compile(re.escape(places.INSTANCE_ID.name)))
        if with_data:
            yield Root(name="data", directory=places.OWN_DATA, is_plugins_own=True)


def sqlite_file(database_url: str) -> Path | None:
    """The file behind a database's URL; None, if there is none."""
    try:
        url = make_url(database_url)
    except ArgumentError:
        return None
    name = url.database if url.get_backend_name() == "sqlite" else None
    return Path(name) if name and name.startswith("/") else None
