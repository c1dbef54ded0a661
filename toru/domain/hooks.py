"""Hooks: whom to tell of what happened to plugins, and how, as values.

A hook is an executable that root has put into /etc/toru/hooks.d, or the webhook. Each notice runs each of them once, in
a transient unit of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from toru.domain import places
from toru.domain.events import Event, EventKind
from toru.domain.units import Command, UnitSpec, Value, command

UNIT_PATTERNS = ("toru-hook-*@*.service", "toru-webhook@*.service")
"""Of hooks that run."""

SLICE = "toru-hooks.slice"

TIME_LIMIT = 60
"""Seconds that a hook may take. Longer than the webhook's tries and the waits between them."""

CREDENTIAL = "webhook-url"

# Part of a unit's name. An end in "-" would let toru-hook-a-@.service.d apply to toru-hook-a-b@….service as well.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?")

# What editors and package managers leave beside a file, as executable as that.
_COPY = re.compile(r".*\.(?:bak|old|orig|new|swp|dpkg-[a-z]+|ucf-[a-z]+)")


@dataclass(frozen=True, slots=True)
class Hook:
    name: str
    program: Path | None
    """None: the webhook, which Toru sends itself."""


WEBHOOK = Hook("the webhook", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a hook is told."""

    event: Event
    invocation_id: str
    """Of the plugin's run that this is about, or its last; empty, if there is none that we know of."""
    host: str
    """The machine id, as in the API's events."""
    hostname: str
    left_out: int = 0
    """So many events of this plugin before this one were not told."""

    @property
    def key(self) -> str:
        """The same whenever this event is told, and no other event's."""
        return hashlib.sha256(self.event.cursor.encode()).hexdigest()[:16]

    @property
    def text(self) -> str:
        """One line for people."""
        said = f"{self.event.plugin_id} {_WORDS[self.event.kind]}"
        if self.event.cause is not None:
            said += f": {_one_line(self.event.cause)}"
        if self.left_out:
            said += f" ({self.left_out} more before this)"
        return said

    @property
    def document(self) -> dict[str, object]:
        """For programs: what GET /api/events shows of it but its id, which is the database's, and more."""
        event = self.event
        return {
            "plugin_id": event.plugin_id,
            "event_type": event.kind,
            "timestamp": self._at,
            "cause": event.cause,
            "details": dict(event.details),
            "host": self.host,
            "hostname": self.hostname,
            "invocation_id": self.invocation_id or None,
            "left_out": self.left_out,
            "key": self.key,
            "text": self.text,
        }

    def as_json(self) -> bytes:
        return json.dumps(self.document).encode() + b"\n"

    @property
    def environment(self) -> Mapping[str, str]:
        """For scripts. One line each, and empty where there is nothing to say."""
        return {
            "TORU_EVENT": self.event.kind,
            "TORU_PLUGIN": self.event.plugin_id,
            "TORU_CAUSE": _one_line(self.event.cause or ""),
            "TORU_AT": self._at,
            "TORU_INVOCATION_ID": _one_line(self.invocation_id),
            "TORU_LEFT_OUT": str(self.left_out),
            "TORU_KEY": self.key,
            "TORU_TEXT": self.text,
        }

    @property
    def _at(self) -> str:
        return datetime.fromtimestamp(self.event.at, UTC).isoformat(timespec="microseconds")


def unit_name(hook: Hook, notice: Notice) -> str:
    """The same for the same event, so that systemd refuses to run a hook that is at it already."""
    return f"{_identifier(hook)}@{notice.key}.service"


def unit_for(hook: Hook, notice: Notice, stdin: int) -> UnitSpec:
    """The unit that tells this hook of this. `stdin` is a descriptor from which to read the notice as JSON.

    Its sandbox is in units/toru-hook-@.service.d or units/toru-webhook@.service.d, where ops can read and override it.
    """
    secret: dict[str, Value] = {"LoadCredential": [(CREDENTIAL, str(places.WEBHOOK_URL))]}
    return UnitSpec(
        unit_name(hook, notice),
        {
            "Description": f"Toru tells {hook.name}: {notice.text}",
            # Not "oneshot": its start is a job until the hook ends, and boot is not over while there is a job.
            "Type": "exec",
            "ExecStart": [_program(hook)],
            "Environment": [f"{name}={value}" for name, value in notice.environment.items()],
            "StandardInputFileDescriptor": stdin,
            # Said, because systemd would make all three the same descriptor.
            "StandardOutput": "journal",
            "StandardError": "journal",
            "DynamicUser": True,
            "Slice": SLICE,
            "SyslogIdentifier": _identifier(hook),
            "LogExtraFields": [f"TORU_PLUGIN={notice.event.plugin_id}", f"TORU_NOTICE={notice.key}"],
            "RuntimeMaxUSec": TIME_LIMIT * 1_000_000,
            "TimeoutStopUSec": 5_000_000,
            "CollectMode": "inactive-or-failed",
            **(secret if hook.program is None else {}),
        },
    )


def _identifier(hook: Hook) -> str:
    return "toru-webhook" if hook.program is None else f"toru-hook-{hook.name}"


def _program(hook: Hook) -> Command:
    return command(Path("/usr/bin/toru-admin"), "webhook") if hook.program is None else command(hook.program)


def name_fault(name: str) -> str | None:
    """What keeps a file of this name from being a hook."""
    if not _NAME.fullmatch(name):
        return "its name may have letters and digits, and between them dots, hyphens and underscores, 64 in all"
    if _COPY.fullmatch(name):
        return "by its name it is a copy that an editor or a package manager has left"
    return None


def webhook_address(text: str) -> SplitResult:
    """The address in a file of one line. ValueError tells what is wrong, but not the address: it is a secret."""
    address = text.strip()
    if not address.isascii() or not address.isprintable() or " " in address:
        raise ValueError("must be one address, without blanks, and with %-escapes where it is not ASCII")
    mistake = ValueError("must be an address that begins with http:// or https://")
    try:
        parts = urlsplit(address)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        raise mistake from None
    if not fits:
        raise mistake
    return parts


_WORDS: Mapping[EventKind, str] = {
    EventKind.STARTED: "has started",
    EventKind.STOPPED: "has stopped",
    EventKind.CRASHED: "crashed",
    EventKind.RESTARTED: "has restarted",
    EventKind.GAVE_UP: "is given up",
    EventKind.ENABLED: "was enabled",
    EventKind.DISABLED: "was disabled",
    EventKind.PAUSED: "was paused",
    EventKind.RESUMED: "goes on",
    EventKind.OTHER: "has changed",
}


def _one_line(text: str) -> str:
    """Without anything that could end a line, an environment variable or a terminal's patience."""
    return "".join(char if char.isprintable() else " " for char in text)
