"""Drop-in files of units: what stands in them, and who put them there (systemd.unit(5), systemd.syntax(7))."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from toru.domain.ids import PluginId

_OURS = PurePosixPath("/usr/lib/systemd/system/toru-plugin-.service.d")
_OUR_FILES = frozenset({str(_OURS / "10-sandbox.conf"), str(_OURS / "20-messages.conf")})


class Origin(StrEnum):
    """Who put a drop-in where it is."""

    TORU = "toru"
    """It came with Toru, for every plugin."""
    PROFILE = "profile"
    """Toru laid it down, for the sandbox profile that this plugin has."""
    DISTRIBUTION = "distribution"
    OPS = "ops"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One line of a unit file: `Section`, and in it `name=value`."""

    section: str
    name: str
    value: str


def origin_of(path: str, plugin_id: PluginId) -> Origin:
    if path in _OUR_FILES:
        return Origin.TORU
    if path == str(plugin_id.profile_drop_in):
        return Origin.PROFILE
    # /lib is /usr/lib, by its other name.
    if path.startswith(("/usr/lib/", "/lib/")):
        return Origin.DISTRIBUTION
    return Origin.OPS


def assignments(text: str) -> Iterator[Assignment]:
    """What a unit file assigns, in its order. Lines that systemd would not understand are passed over, as it does."""
    section = ""
    for line in _joined(text):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif section and "=" in line:
            name, _, value = line.partition("=")
            yield Assignment(section=section, name=name.strip(), value=value.strip())


def _joined(text: str) -> Iterator[str]:
    """Lines without comments and empty ones; those that end in a backslash with the next one."""
    begun = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith(("#", ";")) or (not line and not begun):
            continue  # comments are left out of a line that goes on, too
        if line.endswith("\\"):
            begun += line[:-1] + " "
            continue
        yield begun + line
        begun = ""
    if begun:
        yield begun.rstrip()
