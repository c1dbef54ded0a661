"""The way to Toru: by the core, or straight to systemd. Both answer the same questions with the same rows.

The core is asked while it is up, well and knows who asks. It knows more than systemd (before 254, how often it has
restarted a plugin itself), and lets members of toru-admin do what systemd leaves to root. Otherwise nothing is missing:
systemd tells everybody, and does what root wishes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from toru.cli import output, presence
from toru.domain.errors import ToruError
from toru.domain.ids import PluginId
from toru.domain.levels import DEBUG

PROBE_SECONDS = 3.0
"""For the core to say that it is well. It takes milliseconds."""

Row = dict[str, Any]
"""A plugin, a log line …, as toru.core.rows makes them and the API shows them."""

Document = dict[str, list[Row]]
"""`{"plugins": […], "rejected": […]}`"""

Verb = Literal["enable", "disable", "restart", "pause", "resume", "retry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesWanted:
    """Which log lines of a plugin."""

    plugin_id: PluginId
    most_verbose: int = DEBUG
    """The least urgent priority, by what the line itself says where it is JSON."""
    text: str | None = None
    invocation_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Way(Protocol):
    def overview(self) -> Document:
        """Every plugin and every rejected file, or `NotScanned`."""

    def plugin(self, plugin_id: PluginId) -> Row:
        """One plugin, or an error that says what stands in its way."""

    def why(self, plugin_id: PluginId) -> Row:
        """How its last run ended, with that run's last lines; `JournalHidden` from who may not know."""

    def runs(self, plugin_id: PluginId, count: int) -> Row:
        """So many of its runs, the newest first, and where older ones begin; `JournalHidden` from who may not know."""

    def run(self, plugin_id: PluginId, invocation_id: str) -> Row:
        """One of them, with its last lines; `UnknownRun` where the journal remembers none of that id."""

    def units(self, plugin_id: PluginId) -> Row:
        """What systemd has in force for it, and how well that keeps it in."""

    def wish(self, verb: Verb, plugin_id: PluginId) -> Row | None:
        """Carry it out, and return the plugin as it is then; None, where there is nothing left of it."""

    def newest(self, wanted: LinesWanted, count: int) -> list[Row]:
        """The newest lines, oldest first; `JournalHidden` from who may not read them."""

    def follow(self, wanted: LinesWanted, after: str | None, idle: Callable[[], None]) -> Iterator[Row]:
        """Each line after this cursor, or from now on, as it is written. While there is none, `idle` is called."""


def to_toru() -> Way:
    """The better of the two. Where the core should answer and does not, stderr says so."""
    if presence.knows_me() and presence.is_up() and _is_well():
        from toru.cli.by_core import ByCore

        return ByCore()
    from toru.cli.straight import Straight

    return Straight()


def _is_well() -> bool:
    from toru.cli import api

    try:
        if api.is_well(patience=PROBE_SECONDS):
            return True
        output.warn("core-degraded", "the core is not connected with systemd, so systemd is asked itself")
    except api.NoAnswer as silence:
        output.warn(silence.code, f"{silence}; systemd is asked instead")
    return False


def unknown(text: str) -> ToruError:
    """What to say of a name that is no plugin's: the rejected file that may be meant, or the id that is nearest."""
    from difflib import get_close_matches

    from toru.core.overview import read_catalogue
    from toru.domain.errors import RejectedPlugin, UnknownPlugin

    catalogue = read_catalogue()
    for rejection in catalogue.rejected:
        if text in {rejection.id, rejection.file, rejection.file.removesuffix(".binary")}:
            return RejectedPlugin(f"{rejection.file} was rejected: {rejection.reason}")
    near = get_close_matches(text, [plugin.id for plugin in catalogue.plugins], n=1)
    return UnknownPlugin(f"there is no plugin {text}" + (f"; did you mean {near[0]}?" if near else ""))


def checked_id(text: str) -> PluginId:
    """The id, or an error that says what it isn't. The name of a rejected file says why that was rejected."""
    if text.endswith(".binary"):
        raise unknown(text)
    return PluginId(text)
