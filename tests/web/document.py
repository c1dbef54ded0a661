"""The application's OpenAPI document, as a witness: whatever is answered must be in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.routing import BaseRoute

from toru.web.manager import Pages


class Document:
    def __init__(self, content: Mapping[str, Any]) -> None:
        self._operations = [
            (method.upper(), re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), operation["responses"])
            for path, item in content["paths"].items()
            for method, operation in item.items()
        ]

    def check(self, answer: httpx.Response) -> None:
        """Status and content type of every answer of an operation stand in the document."""
        request = answer.request
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        for method, pattern, answers in self._operations:
            if method == request.method and pattern.fullmatch(path):
                where = f"{method} {path[:80]} answers {answer.status_code}"
                assert str(answer.status_code) in answers, f"{where}, of which the document knows nothing"
                said = answer.headers.get("content-type", "").partition(";")[0]
                content = answers[str(answer.status_code)].get("content", {})
                assert said in content or not (said or content), f"{where} with {said}"
                return


def routes_of(app: FastAPI) -> set[str]:
    """`GET /api/users` and all others, as the application itself has them, whether the document names them or not."""
    routes = set()
    for route in _walk(app.routes):
        if isinstance(route, Pages):
            continue  # every address but the API's: tests/web/test_manager.py
        methods, path = getattr(route, "methods", None), getattr(route, "path", None)
        assert methods, f"{route} has no methods: say in the role matrix what it is"
        routes |= {f"{method} {path}" for method in methods}
    return routes


def _walk(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        included = getattr(route, "original_router", None)  # since FastAPI 0.130 or so; before, they lie side by side
        if included is None:
            yield route
        else:
            yield from _walk(included.routes)
