"""What stands in the addresses of several resources."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema

from toru.domain.ids import PluginId

ID = {"type": "string", "pattern": "^[A-Za-z0-9-]{1,64}$"}
"""A plugin's id, in the OpenAPI document."""

# Whatever is no id raises InvalidId, which is a ToruError: it is refused in the words that it is refused in everywhere.
IdInPath = Annotated[
    PluginId,
    PlainValidator(PluginId),
    WithJsonSchema({**ID, "title": "Plugin Id"}),
    Path(description="A plugin's id."),
]

_LAST_MOMENT = 253_402_300_799  # in the year 9999


def _of_seconds(value: object) -> object:
    """A number is seconds since 1970, however large: Pydantic would take large ones for milliseconds."""
    try:
        seconds = float(value) if isinstance(value, str) else None
    except ValueError:
        return value
    if seconds is None:
        return value
    if not 0 <= seconds <= _LAST_MOMENT:
        raise ValueError(f"seconds since 1970 are a number from 0 to {_LAST_MOMENT}")
    return datetime.fromtimestamp(seconds, UTC)


def _with_zone(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


Moment = Annotated[
    datetime,
    BeforeValidator(_of_seconds),
    AfterValidator(_with_zone),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
                {"type": "number", "minimum": 0, "maximum": _LAST_MOMENT},
            ],
            "description": "RFC 3339, in UTC where it names no zone; or seconds since 1970.",
        }
    ),
]
