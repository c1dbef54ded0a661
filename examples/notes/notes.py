#!/usr/bin/python3
"""Notes, kept in Toru's own storage. Who has the page open sees what others change, as they change it."""

import secrets
import time
from typing import Any

from toru_plugin import KvTooLarge, Plugin, Refusal, Request

plugin = Plugin(
    id="notes",
    name="Notes",
    version="1.0.0",
    author="The Toru authors",
    icon="📝",
    route="/notes",
    description="Notes that everybody with this page shares.",
    start="on-demand",
    idle_timeout=300,
    bundle="bundle.js",
)
PREFIX = "note:"


@plugin.get("/notes")
async def notes(_request: Request) -> list[dict[str, Any]]:
    entries = await plugin.async_kv.items(PREFIX)
    found = [{"id": entry.key.removeprefix(PREFIX), **entry.value} for entry in entries]
    return sorted(found, key=lambda note: note["changed_at"], reverse=True)


@plugin.post("/notes")
async def create(request: Request) -> dict[str, Any]:
    return await keep(secrets.token_hex(8), request)


@plugin.put("/notes/{note_id}")
async def change(request: Request, note_id: str) -> dict[str, Any]:
    if await plugin.async_kv.get(PREFIX + note_id) is None:
        raise Refusal(404, "somebody has removed this note")
    return await keep(note_id, request)


@plugin.delete("/notes/{note_id}")
async def remove(_request: Request, note_id: str) -> None:
    await plugin.async_kv.delete(PREFIX + note_id)
    plugin.push("changed", {"id": note_id})


async def keep(note_id: str, request: Request) -> dict[str, Any]:
    said = await request.json(limit=256 << 10)
    text = said.get("text") if isinstance(said, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise Refusal(400, "a note has a text")
    note = {"text": text, "changed_at": time.time(), "changed_by": request.user}
    try:
        await plugin.async_kv.set(PREFIX + note_id, note)
    except KvTooLarge as error:
        raise Refusal(413, str(error)) from None
    plugin.push("changed", {"id": note_id})
    return {"id": note_id, **note}


if __name__ == "__main__":
    plugin.run()
