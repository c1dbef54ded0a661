"""A plugin's storage, for itself and for its front end."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from toru.core.kv import KEY_BYTES, MOST_SECONDS, Kv, parse
from toru.core.plugins import Plugins
from toru.domain.errors import Forbidden, InvalidInput
from toru.domain.ids import PluginId
from toru.web.caller import Caller, PluginOrPerson
from toru.web.parameters import IdInPath
from toru.web.plugins import check_may_see
from toru.web.problems import documented

ACTIONS = ("get", "set", "delete")

_NO_NUL = r"^[^\x00]*$"


class KvAnswer(BaseModel):
    value: Any = Field(description="what is kept under the key now; null: nothing")


class KvEntryRow(BaseModel):
    key: str
    value: Any
    expires_at: float | None = Field(description="in seconds since 1970; null: never")


class KvPage(BaseModel):
    entries: list[KvEntryRow]
    next: str | None = Field(description="for `after`, to go on; null: this is all")


_KEY = {
    "type": "string",
    "minLength": 1,
    "maxLength": KEY_BYTES,
    "pattern": _NO_NUL,
    "description": f"{KEY_BYTES} bytes at most",
}
_TTL = {
    "type": ["number", "null"],
    "exclusiveMinimum": 0,
    "maximum": MOST_SECONDS,
    "description": "seconds after which it is gone; null: never",
}


def _action(name: str, **more: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": ["action", "key", *({"value"} & more.keys())],
        "properties": {"action": {"const": name}, "key": _KEY, **more},
    }


# The body is read by hand: a value is any JSON, and the reason for a refusal should speak of what was sent.
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    _action("get"),
                    _action("set", value={"description": "any JSON"}, ttl=_TTL),
                    _action("delete"),
                ]
            }
        }
    },
}


def router(kv: Kv, plugins: Plugins) -> APIRouter:
    routes = APIRouter(prefix="/api/plugins", tags=["storage"])

    def check(caller: Caller, plugin_id: PluginId) -> None:
        if caller.plugin is None:
            check_may_see(caller, plugin_id)
            plugins.view(plugin_id)  # there is no storage for what is no plugin
        elif caller.plugin != plugin_id:
            raise Forbidden("a plugin reaches its own storage, and no other's")

    @routes.post(
        "/{plugin_id}/kv",
        response_model=KvAnswer,
        openapi_extra={"requestBody": _BODY},
        responses=documented(413),
    )
    async def post_kv(plugin_id: IdInPath, caller: PluginOrPerson, request: Request) -> Response:
        """Get, set or delete one entry. A set is on disk when it is answered."""
        check(caller, plugin_id)
        asked = parse(await request.body())
        match asked.get("action"):
            case "get":
                value = await kv.get(plugin_id, asked.get("key"))
            case "set":
                if "value" not in asked:
                    raise InvalidInput("value: is missing", field="value")
                value = await kv.set(plugin_id, asked.get("key"), asked["value"], asked.get("ttl"))
            case "delete":
                await kv.delete(plugin_id, asked.get("key"))
                value = None
            case _:
                raise InvalidInput(f"action: must be one of {', '.join(ACTIONS)}", field="action")
        return _json(f'{{"value":{"null" if value is None else value}}}')

    @routes.get("/{plugin_id}/kv", response_model=KvPage)
    async def list_kv(
        plugin_id: IdInPath,
        caller: PluginOrPerson,
        prefix: Annotated[
            str, Query(max_length=KEY_BYTES, pattern=_NO_NUL, description="only keys that begin so")
        ] = "",
        after: Annotated[str, Query(max_length=KEY_BYTES, pattern=_NO_NUL, description="go on after this key")] = "",
        limit: Annotated[int, Query(ge=1, le=1000, description="entries at most; a page has 1 MiB at most")] = 100,
    ) -> Response:
        """Entries in the order of their keys."""
        check(caller, plugin_id)
        page = await kv.page(plugin_id, prefix=prefix, after=after, count=limit)
        entries = ",".join(
            f'{{"key":{json.dumps(entry.key)},"value":{entry.value},"expires_at":{json.dumps(entry.expires_at)}}}'
            for entry in page.entries
        )
        return _json(f'{{"entries":[{entries}],"next":{json.dumps(page.next)}}}')

    return routes


def _json(text: str) -> Response:
    # Values are JSON already, and go out as they came in.
    return Response(text.encode(), media_type="application/json")
