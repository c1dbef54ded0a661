"""A case: what a client says, what the plugin does, and what has to be the same whether Toru is between them or not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Step = Sequence[Any]
Json = Any

PREFIX = "~"
"""In a target: where the plugin is."""
SIGNED_IN = "\0signed in\0"
"""In a head: who asks."""
SAYS = "\0says\0"
"""In a head: which case it belongs to, and what the plugin is to do."""
CASE = "\0case\0"
"""In a head: which case it belongs to; the plugin reads the body and answers 200."""

OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
"""An answer of the plugin's."""
GIVES_OK: Step = ("send", OK)


@dataclass(frozen=True)
class Way:
    """To the plugin: straight to its socket, or by Toru."""

    name: str
    address: str | int
    prefix: str = ""
    head: str = ""
    """Lines that go into every head."""

    def fill(self, text: str, run: str, says: str) -> str:
        """What is sent to have this said by this case."""
        case = f"X-Case: {run}\r\n"
        filled = {f" {PREFIX}": f" {self.prefix}", SIGNED_IN: self.head, SAYS: case + says, CASE: case, "{run}": run}
        for mark, meaning in filled.items():
            text = text.replace(mark, meaning)
        return text


@dataclass(frozen=True)
class Seen:
    """What came of it, at both ends."""

    client: Json
    plugin: Json


@dataclass(frozen=True)
class Difference:
    """What Toru makes of a case, from what was seen without it; `requests` of it reach the plugin (None: as many)."""

    make: Callable[[Seen], Seen]
    requests: int | None = None


@dataclass(frozen=True)
class Case:
    """A row of the table.

    client    what it does, step by step (the methods of agent.Client)
    plugin    what it is told to do with each request (the steps of tests/plugins/http_raw.py)
    requests  so many reach the plugin
    differs   what Toru makes of what was seen without it, where that is not the same
    """

    name: str
    client: Sequence[Step]
    plugin: Sequence[Step] = (("body",), GIVES_OK)
    requests: int = 1
    differs: Difference | None = None
    why: str = ""
    """For whoever reads the table."""

    def script(self, way: Way, run: str) -> list[Step]:
        """For the agent. Gates of this run are called {run}."""
        steps = json.dumps(list(map(list, self.plugin))).replace("{run}", run)
        says = f"X-Says: {base64.b64encode(steps.encode()).decode()}\r\n"

        def filled(argument: Any) -> Any:
            return way.fill(argument, run, says) if isinstance(argument, str) else argument

        return [[name, *(arguments if name == "raw" else map(filled, arguments))] for name, *arguments in self.client]


def head(method: str = "GET", target: str = "~/", *lines: str, version: str = "HTTP/1.1", says: str = SAYS) -> str:
    """The head of a request for the plugin, `target` being as the plugin is to see it, with ~ before it."""
    said = "".join(f"{line}\r\n" for line in (f"{method} {target} {version}", "Host: toru", *lines))
    return f"{said}{SIGNED_IN}{says}\r\n"


def get(target: str = "~/", *lines: str) -> list[Step]:
    """Asks, and reads the answer."""
    return [("send", head("GET", target, *lines)), ("answer",)]


def post(body: str, *lines: str) -> list[Step]:
    return [("send", head("POST", "~/", f"Content-Length: {len(body)}", *lines) + body), ("answer",)]


AGAIN: list[Step] = [("send", head(target="~/again", says=CASE)), ("answer",)]
"""The connection is still good for another request."""

SAID_OK: Json = {
    "status": 200,
    "reason": "OK",
    "headers": [["content-length", "2"]],
    "interim": [],
    "body": {"length": 2, "content": "ok", "end": "complete"},
}
ASKED_AGAIN: Json = {
    "request": ["GET", "/again"],
    "headers": [["host", "toru"]],
    "body": {"length": 0, "content": "", "end": "complete"},
}
"""What is seen of it at the two ends."""

CLOSES: list[Step] = [("end",)]
"""The other side closes, and says nothing more."""


# Differences.


def refused(status: int, *then: Json) -> Difference:
    """Toru answers for itself, with a problem, and the plugin knows nothing of it."""
    return Difference(lambda _: Seen([{"refused": status}, *then], []), requests=0)


def no_use(status: int, *then: Json) -> Difference:
    """What the plugin made of it is no answer, and Toru says so."""
    return Difference(lambda directly: Seen([{"refused": status}, *then], directly.plugin))


def last(directly: Seen) -> Seen:
    """The answer is the same, but Toru closes the connection behind it, and the next request doesn't come."""
    return Seen([*directly.client[:-1], "closed"], directly.plugin[:-1])


ENDED: Json = {"ended with": ""}
