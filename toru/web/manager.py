"""The web manager: files that were built from frontend/, and one page for every address that a person may open.

A deep link is answered with the same page as `/`; what it shows is the page's own business. The page finds its files
and the API by a relative `<base>`, counted from the address as it came in. So it works under any path of a reverse
proxy that takes its own prefix away, and nobody has to be told, or trusted, about that prefix.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request, Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from toru.web.problems import problem

INSTALLED = Path("/usr/share/toru/www")
BUILT = Path(__file__).resolve().parents[2] / "build" / "www"
"""Beside a source tree."""

PAGE = "index.html"
BASE = b'<base href="/" />'
"""As it stands in the page, to be replaced."""

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}

ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""What the build has beside a file, smallest first, and how its name ends."""

_NEVER = re.compile(r"\s*q=0(\.0*)?\s*")

# Nothing from elsewhere, no script but files of this site. Styles may be inline: front ends of plugins bring theirs so.
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'self'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{what} {whence}" for what, whence in _POLICY.items())

_ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
_OF_PAGE = {
    **_ALWAYS,
    "Cache-Control": "no-cache",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file, ready to be sent."""

    body: bytes
    compressed: Mapping[str, bytes]
    """By what a browser calls it, the smallest first."""
    media_type: str
    cache_control: str
    etag: str
    """A weak one (RFC 9110, section 8.8.1): it stands for the content, however small it was packed."""


class Pages(BaseRoute):
    """Every address but the API's, for GET and HEAD. The files are read once: an upgrade restarts the core."""

    def __init__(self, directory: Path | None = None) -> None:
        self._assets: Mapping[str, Asset] = dict(_read(directory or _place()))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            return Match.NONE, {}
        path: str = scope["path"]
        if path in {"/metrics", "/api"} or path.startswith("/api/"):
            return Match.NONE, {}
        return Match.FULL, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(Request(scope))(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: object) -> NoMatchFound:  # type: ignore[override]
        raise NoMatchFound(name, path_params)

    def _answer(self, request: Request) -> Response:
        path = request.scope["path"].lstrip("/")
        if (asset := self._assets.get(path)) is not None and path != PAGE:
            return _file(request, asset)
        # A file of an older version must not be answered with a page, which would fail as a script.
        if path.startswith("assets/"):
            return problem(404, "not-found", "there is no such file in this version of Toru")
        if (page := self._assets.get(PAGE)) is None:
            return problem(404, "not-found", "the web manager is not installed here: build it with make setup")
        return _page(request, page)


def _file(request: Request, asset: Asset) -> Response:
    headers = {**_ALWAYS, "Cache-Control": asset.cache_control, "ETag": asset.etag}
    if asset.compressed:
        headers["Vary"] = "Accept-Encoding"
    if _has(request, asset.etag):
        return Response(status_code=304, headers=headers)
    body = asset.body
    readable = _readable(request.headers.get("accept-encoding", ""))
    for encoding, smaller in asset.compressed.items():
        if encoding in readable:
            body = smaller
            headers["Content-Encoding"] = encoding
            break
    return _sent(request, body, headers, asset.media_type)


def _readable(accepted: str) -> set[str]:
    """The encodings that are named and not refused (RFC 9110, section 12.5.3)."""
    named = (word.partition(";") for word in accepted.lower().split(","))
    return {name.strip() for name, _, weight in named if not _NEVER.fullmatch(weight)}


def _page(request: Request, page: Asset) -> Response:
    # Counted in the address as it was sent: an encoded slash is no slash to a browser.
    raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    up = max(0, raw_path.partition(b"?")[0].count(b"/") - 1)
    body = page.body.replace(BASE, b'<base href="%s" />' % (b"../" * up or b"./"), 1)
    etag = f'{page.etag[:-1]}-{up}"'
    headers = {**_OF_PAGE, "ETag": etag}
    if _has(request, etag):
        return Response(status_code=304, headers=headers)
    return _sent(request, body, headers, page.media_type)


def _sent(request: Request, body: bytes, headers: dict[str, str], media_type: str) -> Response:
    headers["Content-Length"] = str(len(body))
    return Response(b"" if request.method == "HEAD" else body, headers=headers, media_type=media_type)


def _has(request: Request, etag: str) -> bool:
    """Whether the browser has this content."""
    return etag in {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}


def _place() -> Path:
    return BUILT if BUILT.is_dir() else INSTALLED


def _read(directory: Path) -> Iterator[tuple[str, Asset]]:
    for file in sorted(directory.rglob("*")):
        media_type = MEDIA_TYPES.get(file.suffix)
        if media_type is None or not file.is_file():
            continue
        path = file.relative_to(directory).as_posix()
        body = file.read_bytes()
        packed = {encoding: file.with_name(file.name + ending) for encoding, ending in ENCODINGS.items()}
        yield (
            path,
            Asset(
                body=body,
                compressed={encoding: it.read_bytes() for encoding, it in packed.items() if it.is_file()},
                media_type=media_type,
                # The names of these hold a hash of what is in them.
                cache_control="public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache",
                etag=f'W/"{hashlib.sha256(body).hexdigest()[:32]}"',
            ),
        )
