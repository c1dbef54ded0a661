"""What the gateway answers where no plugin does: an error of the one shape, for programs as for people."""

from __future__ import annotations

import html
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from toru.gateway.forwarding import joined
from toru.gateway.heads import ACCEPT, SEC_FETCH_MODE, Head
from toru.gateway.targets import Availability, Target
from toru.web.problems import problem

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{status} {title}</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
main {{ margin: 20vh auto 0; max-width: 34rem; padding: 0 1.5rem }}
h1 {{ font-size: 1.4rem }}
code {{ opacity: .7 }}
</style>
<main>
<h1>{heading}</h1>
<p>{detail}.</p>
<p><code>{status} {title}</code></p>
</main>
</html>
"""
_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer of the gateway's own. The plugin's id and name are added where the answer is written."""

    status: int
    code: str
    """For programs."""
    detail: str
    """A sentence for the person who asked."""
    facts: Mapping[str, object] = field(default_factory=dict)
    retry_after: float | None = None
    """In so many seconds it is worth another try."""
    headers: Mapping[str, str] = field(default_factory=dict)
    log: str | None = None
    """What the journal is to say beyond `detail`: what the plugin sent instead of an answer, and the like."""


def answer(refusal: Refusal, target: Target | None, head: Head | None, *, closes: bool) -> bytes:
    """The whole answer: a problem as the API has it, or a page for a browser that shows it to somebody."""
    facts = {} if target is None else {"plugin": target.plugin, "name": target.name}
    headers = dict(refusal.headers)
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(refusal.retry_after))
    headers["Connection"] = "close" if closes else "keep-alive"
    headers["Cache-Control"] = "no-store"
    made = problem(refusal.status, refusal.code, refusal.detail, {**facts, **refusal.facts}, headers)
    body, lines = bytes(made.body), [name.title() + b": " + value for name, value in made.raw_headers]
    title = HTTPStatus(refusal.status).phrase
    if head is not None and _is_for_people(head):
        heading = title if target is None else target.name
        body = _PAGE.format(
            status=refusal.status,
            title=title,
            heading=html.escape(heading),
            detail=html.escape(_sentence(refusal.detail)),
        ).encode()
        lines = [line for line in lines if not line.startswith((b"Content-Length:", b"Content-Type:"))]
        lines += [
            b"Content-Type: text/html; charset=utf-8",
            b"Content-Security-Policy: " + _CSP.encode(),
            b"Content-Length: %d" % len(body),
        ]
    without_body = head is not None and head.method == b"HEAD"
    return joined(f"HTTP/1.1 {refusal.status} {title}".encode(), lines) + (b"" if without_body else body)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is_for_people(head: Head) -> bool:
    """Whether somebody has gone there with a browser, rather than a program."""
    if (mode := head.said.get(SEC_FETCH_MODE)) is not None:
        return mode == b"navigate"
    return b"text/html" in head.said.get(ACCEPT, b"")


def bad_answer(why: str, sent: bytes = b"") -> Refusal:
    """502: it answered, but not as its protocol has it. `why` completes "the plugin …"; 200 bytes are logged."""
    log = f"it sent {sent[:200]!r}" if sent else None
    return Refusal(status=502, code="bad-answer", detail=f"the plugin {why}", log=log)


def no_answer(why: str = "closed the connection without an answer") -> Refusal:
    """502: the plugin ended before its answer did."""
    return Refusal(status=502, code="no-answer", detail=f"the plugin {why}")


def too_slow(seconds: float) -> Refusal:
    """504: it had its time."""
    return Refusal(
        status=504,
        code="timeout",
        detail=f"the plugin did not answer within {seconds:g} seconds",
        facts={"timeout_seconds": seconds},
    )


def unavailable(why: str, retry_after: float | None = None) -> Refusal:
    """503: it is not there, or has too much to do."""
    facts = {} if retry_after is None else {"retry_after": retry_after}
    return Refusal(status=503, code="unavailable", detail=f"the plugin {why}", facts=facts, retry_after=retry_after)


def too_large(most: int) -> Refusal:
    """413."""
    return Refusal(
        status=413,
        code="too-large",
        detail=f"a request to this plugin has at most {most} bytes",
        facts={"max_body_bytes": most},
    )


def not_supported(what: str) -> Refusal:
    """501: its protocol has no way to say that."""
    return Refusal(status=501, code="not-supported", detail=f"the plugin's protocol has no {what}")


def unknown(route: str) -> Refusal:
    """404: nobody has this route, or whoever has it is disabled, or not for this caller to see."""
    return Refusal(status=404, code="unknown-plugin", detail=f"no plugin that is enabled has the route {route}")


def for_now(target: Target) -> Refusal:
    """Why nobody is to knock at this plugin now."""
    if target.availability is Availability.OFF:
        return unknown(target.route)
    if target.availability is Availability.BACKING_OFF:
        wait = 1.0 if target.retry_at is None else max(1.0, target.retry_at - time.time())
        why = f"failed ({target.reason}) and" if target.reason else "failed and"
        return unavailable(f"{why} is started again in {math.ceil(wait)} s", round(wait, 1))
    why = f"is not running: {target.reason}" if target.reason else "is not running"
    return unavailable(why)
