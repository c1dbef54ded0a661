"""What the journal knows of a plugin's runs, from systemd's own entries about its unit (systemd.journal-fields(7))."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from systemd import journal

from toru.domain.errors import BadCursor
from toru.domain.ids import PluginId
from toru.systemd.fields import sought


class Moment(StrEnum):
    """MESSAGE_IDs of systemd's (sd-messages.h), the same in 252 and 257."""

    STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5"
    STARTED = "39f53479d3a045ac8e11786248231fbf"
    STOPPING = "de5b426a63be47a7b6ac3eaac82e2f6f"
    """Somebody wants it to end."""
    PROCESS_EXITED = "98e322203f7a4ed290d09fe03c09fe15"
    SUCCEEDED = "7ad2d189f7e94e70a38c781354912448"
    FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
    STOPPED = "9d1aaa27d60140bd96365438aad20286"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that systemd says has happened to the unit."""

    moment: Moment
    at: datetime
    invocation_id: str
    result: str | None = None
    """FAILED: in the words of a service's Result."""
    exit_code: str | None = None
    """PROCESS_EXITED: exited, killed or dumped."""
    exit_status: str | None = None
    command: str | None = None
    """PROCESS_EXITED: of which setting the process was, such as ExecStart."""
    cursor: str = ""
    """Its place in the journal."""


def entries(plugin_id: PluginId, invocation_id: str | None = None, *, before: str | None = None) -> Iterator[Entry]:
    """Newest first. Of one run, or of all; from the newest on, or before this place (`BadCursor`, if it is none)."""
    reader = journal.Reader()
    try:
        # Process 1: nobody else can be that, so no plugin can invent a run.
        reader.add_match(UNIT=plugin_id.service, _PID="1")
        if invocation_id is not None:
            reader.add_match(INVOCATION_ID=invocation_id)
        for moment in Moment:
            reader.add_match(MESSAGE_ID=moment)
        if before is None:
            reader.seek_tail()
        elif not sought(reader, before):
            raise BadCursor("this cursor is none of the journal's")
        while found := reader.get_previous():
            # A place that was sought is itself the first that is found, if it is still there.
            if found["__CURSOR"] != before:
                yield _entry(found)
    finally:
        reader.close()


def _entry(found: dict[str, Any]) -> Entry:
    return Entry(
        moment=Moment(found["MESSAGE_ID"].hex),
        at=found["__REALTIME_TIMESTAMP"].astimezone(UTC),
        invocation_id=_word(found.get("INVOCATION_ID")) or "",
        result=_word(found.get("UNIT_RESULT")),
        exit_code=_word(found.get("EXIT_CODE")),
        exit_status=_word(found.get("EXIT_STATUS")),
        command=_word(found.get("COMMAND")),
        cursor=found["__CURSOR"],
    )


def _word(value: Any) -> str | None:
    return None if value is None else str(value)
