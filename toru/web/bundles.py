"""The front ends of plugins: scripts that lie beside them in the plugins directory.

Where none lies, the request doesn't come here: the gateway takes it to the plugin (toru/gateway/front_ends.py).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from toru.core.plugins import Plugins
from toru.domain.errors import NoBundle
from toru.domain.ids import PluginId
from toru.web import problems
from toru.web.caller import AnyCaller
from toru.web.parameters import IdInPath
from toru.web.plugins import check_may_see

PLACES = ("bundle.js", "frontend/bundle.js")
CHUNK_BYTES = 64 * 1024


def router(plugins: Plugins, plugins_dir: Path) -> APIRouter:
    routes = APIRouter(prefix="/api/plugins", tags=["plugins"])

    @routes.head("/{plugin_id}/bundle.js", include_in_schema=False)
    @routes.get(
        "/{plugin_id}/bundle.js",
        response_class=Response,
        responses={
            200: {"content": {"text/javascript": {}}},
            304: {"description": "It is the same still"},
            **problems.documented(502, 504),  # the plugin's own answer, where it is asked (toru/gateway/front_ends.py)
        },
    )
    async def bundle(plugin_id: IdInPath, caller: AnyCaller, request: Request) -> Response:
        """The front end of an enabled plugin. Asked for anew each time, and sent only when it has changed."""
        check_may_see(caller, plugin_id)
        if not plugins.view(plugin_id).enabled:
            raise NoBundle(f"{plugin_id} is disabled, and so is its front end", id=plugin_id)
        descriptor = await run_in_threadpool(_open, plugins_dir, plugin_id)
        try:
            status = os.fstat(descriptor)
            headers = {
                "Cache-Control": "no-cache",
                "ETag": f'"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"',
                "Last-Modified": formatdate(status.st_mtime, usegmt=True),
                "X-Content-Type-Options": "nosniff",
            }
            if _is_same(request, headers["ETag"], status.st_mtime):
                return Response(status_code=304, headers=headers)
            headers["Content-Length"] = str(status.st_size)
            media_type = "text/javascript; charset=utf-8"
            if request.method == "HEAD":
                return Response(headers=headers, media_type=media_type)
            body = _read(descriptor, status.st_size)
            descriptor = -1
            return StreamingResponse(body, headers=headers, media_type=media_type)
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    return routes


def _open(plugins_dir: Path, plugin_id: PluginId) -> int:
    """The bundle, opened. A link that leads out of the plugins directory leads to nothing.

    The directory is root's, so nobody can lay a link between the look and the opening.
    """
    for place in PLACES:
        try:
            path = (plugins_dir / plugin_id / place).resolve(strict=True)
            if not path.is_relative_to(plugins_dir.resolve()):
                continue
            # A pipe would keep the thread waiting.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, RuntimeError):  # RuntimeError: links in a circle
            continue
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
    raise NoBundle(f"{plugin_id} has no front end: neither {' nor '.join(PLACES)} in its directory", id=plugin_id)


def _read(descriptor: int, size: int) -> Iterator[bytes]:
    """What was announced, and no more, if somebody goes on writing."""
    with open(descriptor, "rb", buffering=0) as file:
        while size > 0 and (chunk := file.read(min(size, CHUNK_BYTES))):
            size -= len(chunk)
            yield chunk


def _is_same(request: Request, etag: str, changed_at: float) -> bool:
    """Whether the browser has this very content (RFC 9110, 13.2.2: If-None-Match counts before If-Modified-Since)."""
    if (known := request.headers.get("if-none-match")) is not None:
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        return "*" in tags or etag in tags
    if (since := request.headers.get("if-modified-since")) is not None:
        try:
            return int(changed_at) <= parsedate_to_datetime(since).timestamp()
        except (ValueError, OverflowError, TypeError):
            return False
    return False
