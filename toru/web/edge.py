"""What is settled before a request comes to a route: where it is from, how large it is, what becomes of a fault."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toru.systemd import notify
from toru.web.caller import SAFE
from toru.web.problems import problem

MAX_BODY_BYTES = 2 << 20
"""Of a request to the API. What goes to a plugin passes by another way."""


def is_of_this_site(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request that changes something may be obeyed, as far as the browser tells where it comes from.

    A browser says so in Sec-Fetch-Site, an old one in Origin; a program says nothing. Whoever shows a token in a header
    is no browser that another site has lured.
    """
    if method in SAFE or "authorization" in headers:
        return True
    if (site := headers.get("sec-fetch-site")) is not None:
        return site in ("same-origin", "none")
    if (origin := headers.get("origin")) is not None:
        # Without the scheme: what is before us may speak HTTPS with the browser.
        try:
            return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
        except ValueError:
            return False
    return True


class Edge:
    """Around the whole application."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not is_of_this_site(scope["method"], headers):
            detail = "a page of another site must not change anything here"
            await problem(403, "cross-site", detail)(scope, receive, send)
            return
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, self._counted(receive, headers), send_and_note)
        except Exception:
            number = secrets.token_hex(4)
            what = f"{scope['method']} {scope['path'][:200]!r}"
            notify.log(notify.ERROR, f"fault {number} in {what}\n{traceback.format_exc()}", TORU_FAULT=number)
            if begun:
                raise  # all that is left is to cut the answer off
            detail = f"this is a fault of Toru's; the journal has more: journalctl TORU_FAULT={number}"
            await problem(500, "fault", detail, {"fault": number})(scope, receive, send)

    def _counted(self, receive: Receive, headers: Headers) -> Receive:
        """`receive`, up to the largest body: beyond it HTTPException, which the application answers as 413."""
        announced = headers.get("content-length", "0")
        left = self._max_body_bytes - (int(announced) if announced.isdecimal() else 0)
        if left >= 0:
            left = self._max_body_bytes

        async def counted() -> Message:
            nonlocal left
            if left >= 0:
                message = await receive()
                left -= len(message.get("body", b""))
            else:
                message = {}
            if left < 0:
                raise HTTPException(413, f"a request to the API has at most {self._max_body_bytes} bytes")
            return message

        return counted
