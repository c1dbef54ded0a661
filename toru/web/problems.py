"""Every error as one shape: RFC 9457's problem, with a code for programs and the facts behind the sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from toru.core.lifecycle import WishFailed
from toru.domain import errors
from toru.domain.errors import ToruError
from toru.systemd import notify

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[ToruError], int] = {
    errors.InvalidId: 404,  # it names nothing
    errors.UnknownPlugin: 404,
    errors.RejectedPlugin: 404,
    errors.NoBundle: 404,
    errors.NotEnabled: 409,
    errors.WrongState: 409,
    errors.BadCursor: 400,
    errors.TooManyReaders: 429,
    errors.NotStarted: 502,
    WishFailed: 502,
    errors.SystemdRefused: 503,
    errors.WishesUnreadable: 503,
    errors.StoreUnavailable: 503,
    errors.InvalidInput: 400,
    errors.TooLarge: 413,
    errors.Unauthenticated: 401,
    errors.SignInRefused: 401,
    errors.Forbidden: 403,
    errors.UnknownRun: 404,
    errors.UnknownUser: 404,
    errors.UnknownToken: 404,
    errors.UnknownSession: 404,
    errors.AlreadyExists: 409,
    errors.LastAdmin: 409,
    errors.TooManyAttempts: 429,
}
"""What isn't here is a fault of ours: 500."""

CODES = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}
"""Of what never came to a route of ours; for others the status's own phrase."""


METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


class Problem(BaseModel):
    """What went wrong, in the shape of RFC 9457."""

    type: str = Field(default="about:blank", description="always about:blank: `code` is what tells problems apart")
    title: str = Field(description="what the status means")
    status: int
    detail: str = Field(description="a sentence for the person who asked")
    code: str = Field(description="for programs")
    facts: dict[str, Any] = Field(default_factory=dict, description="what the sentence speaks of")


def problem(
    status: int,
    code: str,
    detail: str,
    facts: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    content = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, facts=dict(facts or {})
    ).model_dump()
    # ASCII, because what was asked for may be no Unicode text; str, because facts may be anything.
    body = json.dumps(content, default=str)
    return Response(body, status, headers, MEDIA_TYPE)


def problem_of(error: ToruError) -> Response:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    if status >= 500 and status != 502:  # 502 speaks of a plugin, and was logged where it happened
        notify.log(notify.ERROR, f"{error.code}: {error}")
    headers = {}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(retry_after := error.facts.get("retry_after"), int | float):
        headers["Retry-After"] = str(math.ceil(retry_after))
    return problem(status, error.code, str(error), error.facts, headers)


def handle(app: FastAPI) -> None:
    """Let every error of this application be a problem."""

    async def ours(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ToruError)  # noqa: S101  that is what it is registered for
        return problem_of(error)

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  that is what it is registered for
        # Where and what, but not what was sent: that may be a password, or no text.
        breaches = [
            {"where": ".".join(str(part) for part in breach["loc"]), "what": breach["msg"]}
            for breach in error.errors()[:20]
        ]
        detail = "; ".join(f"{it['where']}: {it['what']}" for it in breaches)
        return problem(400, "invalid-input", detail, {"breaches": breaches})

    async def of_the_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  that is what it is registered for
        phrase = HTTPStatus(error.status_code).phrase
        code = CODES.get(error.status_code, phrase.lower().replace(" ", "-"))
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_methods_at(request))
        return problem(error.status_code, code, str(error.detail), headers=headers)

    app.add_exception_handler(ToruError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, of_the_framework)


def _methods_at(request: Request) -> list[str]:
    """What may be done at an address. The framework names only what the first of several routes there does."""

    def is_there(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in METHODS if is_there(method)]


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that may answer so, beside what any route may."""
    return {status: _documentation(status) for status in sorted({*statuses})}


def _documentation(status: int) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with every error of every operation in the one shape."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    for path, item in document.get("paths", {}).items():
        for operation in item.values():
            answers = operation["responses"]
            answers.pop("422", None)  # what FastAPI says of itself; we answer 400
            for answer in answers.values():
                # FastAPI calls a stream a text. It is one event after the other, of which OpenAPI 3.1 can't speak.
                answer.get("content", {}).get("text/event-stream", {}).clear()
            for status in _anywhere(path, operation):
                answers.setdefault(str(status), _documentation(status))
    return document


def _anywhere(path: str, operation: Mapping[str, Any]) -> list[int]:
    """What a route may answer without a word of its own about it."""
    statuses = [400, 500, 503]
    if operation.get("security"):
        statuses += [401, 403]
    if "{" in path:
        statuses.append(404)
    if "requestBody" in operation:
        statuses += [403, 413]
    return statuses
