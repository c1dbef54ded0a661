"""What stands in the addresses of several resources."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import PlainValidator, WithJsonSchema

from toru.domain.ids import PluginId

# Whatever is no id raises InvalidId, which is a ToruError: it is refused in the words that it is refused in everywhere.
IdInPath = Annotated[
    PluginId,
    PlainValidator(PluginId),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9-]{1,64}$", "title": "Plugin Id"}),
    Path(description="A plugin's id."),
]
