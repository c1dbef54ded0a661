"""Which handler answers which request.

A pattern is a path whose segments may be `{name}` (a text), `{name:int}` or, at its end, `{name:path}` (all the rest).
"""

from __future__ import annotations

import re
from typing import Any, Callable, NamedTuple
from urllib.parse import unquote

from toru_plugin.errors import Refusal

Handler = Callable[..., Any]

_PARAMETER = re.compile(r"\{([a-z_][a-z0-9_]*)(?::(\w+))?\}", re.IGNORECASE)
_KINDS = {None: r"([^/]+)", "str": r"([^/]+)", "int": r"(-?[0-9]{1,18})", "path": r"(.*)"}


class Route(NamedTuple):
    method: str
    pattern: re.Pattern[str]
    converters: list[tuple[str, Callable[[str], Any]]]
    handler: Handler

    def match(self, path: str) -> dict[str, Any] | None:
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        return {name: convert(text) for (name, convert), text in zip(self.converters, found.groups())}


class Router:
    """Patterns without parameters come first, and then in the order in which they were given."""

    def __init__(self) -> None:
        self._exact: dict[str, dict[str, Handler]] = {}
        self._routes: list[Route] = []

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        if not pattern.startswith("/"):
            raise ValueError(f"a route begins with a slash: {pattern!r}")
        if "{" not in pattern:
            self._exact.setdefault(pattern, {})[method.upper()] = handler
        else:
            self._routes.append(Route(method.upper(), *_compiled(pattern), handler))

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, Any]]:
        """By the path as it came, not decoded. `Refusal`, where there is none. What answers GET answers HEAD."""
        allowed: set[str] = set()
        # HEAD is answered by its own handler where there is one.
        for asked in (method, "GET") if method == "HEAD" else (method,):
            handlers = self._exact.get(path, {})
            if asked in handlers:
                return handlers[asked], {}
            allowed.update(handlers)
            for route in self._routes:
                parameters = route.match(path)
                if parameters is None:
                    continue
                if route.method == asked:
                    return route.handler, parameters
                allowed.add(route.method)
        if allowed:
            raise MethodNotAllowed(method, allowed)
        raise Refusal(404, f"there is nothing at {unquote(path)}")


class MethodNotAllowed(Refusal):
    def __init__(self, method: str, allowed: set[str]) -> None:
        super().__init__(405, f"{method} is not for this path")
        self.allow = ", ".join(sorted(allowed | {"HEAD"} if "GET" in allowed else allowed))


def _compiled(pattern: str) -> tuple[re.Pattern[str], list[tuple[str, Callable[[str], Any]]]]:
    regex, end = "", 0
    converters: list[tuple[str, Callable[[str], Any]]] = []
    for parameter in _PARAMETER.finditer(pattern):
        name, kind = parameter.groups()
        if kind not in _KINDS:
            raise ValueError(f"{pattern!r}: there is no kind {kind!r}, but str, int and path")
        if kind == "path" and parameter.end() != len(pattern):
            raise ValueError(f"{pattern!r}: a path takes all the rest, and stands at the end")
        if name in (known for known, _ in converters):
            raise ValueError(f"{pattern!r} has {name} twice")
        regex += re.escape(pattern[end : parameter.start()]) + _KINDS[kind]
        converters.append((name, int if kind == "int" else unquote))
        end = parameter.end()
    rest = pattern[end:]
    if "{" in rest or "}" in rest:
        raise ValueError(f"{pattern!r} has a brace that stands for nothing")
    return re.compile(regex + re.escape(rest), re.DOTALL), converters
