"""The core's API, as root and members of toru-admin reach it: over api.sock, where the kernel says who is asking."""

from __future__ import annotations

import http.client
import json
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from toru.cli import presence
from toru.cli.refusals import NotPermitted
from toru.domain import places
from toru.domain.errors import ToruError

PATIENCE_SECONDS = 30.0
LOOK_UP_SECONDS = 1.0
"""How often to look up while waiting for something that may never come."""


class CoreDown(ToruError):
    """There is no core to ask."""

    code = "core-down"


class NoAnswer(ToruError):
    """The core is up, but does not answer, or nothing that makes sense."""

    code = "no-answer"


class Refused(ToruError):
    """The core said no, in these words."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def ask(method: str, path: str, body: object = None, *, patience: float = PATIENCE_SECONDS) -> Any:
    """What the core answers; `CoreDown` if there is none, `Refused` if it won't, `NoAnswer` if it is silent."""
    with _asked(method, path, body, patience) as answer:
        return _document(answer)


def is_well(*, patience: float) -> bool:
    """Whether the core says that it is connected with systemd; `CoreDown` and `NoAnswer` as ever."""
    with _asked("GET", "/api/health", None, patience) as answer:
        return answer.status == http.client.OK


def stream(path: str, idle: Callable[[], None]) -> Iterator[tuple[str, Any]]:
    """Server-sent events, their name and what they say, until the core ends them. `idle` is called now and then."""
    with _asked("GET", path, None, PATIENCE_SECONDS, idle) as answer:
        if answer.status != http.client.OK:
            _document(answer)
        name = ""
        for line in answer:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)


def query(**fields: Any) -> str:
    """Those fields that say something, as the end of an address; a list says its field more than once."""
    said = {name: value for name, value in fields.items() if value is not None}
    text = urlencode(said, doseq=True, errors="surrogatepass")
    return f"?{text}" if text else ""


class _Socket(socket.socket):
    """Looks up from waiting now and then, where somebody wants that."""

    idle: Callable[[], None] | None = None

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        # At the bottom of http.client's own buffers, so that nothing which has come is waited for.
        while self.idle is not None and not select.select([self], [], [], LOOK_UP_SECONDS)[0]:
            self.idle()
        return super().recv_into(*arguments, **options)


class _Connection(http.client.HTTPConnection):
    def __init__(self, patience: float, idle: Callable[[], None] | None) -> None:
        super().__init__("toru")
        self._patience = patience
        self._idle = idle

    def connect(self) -> None:
        self.sock = _Socket(socket.AF_UNIX)
        self.sock.settimeout(self._patience)
        self.sock.idle = self._idle
        self.sock.connect(str(places.API_SOCKET))


@contextmanager
def _asked(
    method: str, path: str, body: object, patience: float, idle: Callable[[], None] | None = None
) -> Iterator[http.client.HTTPResponse]:
    if not presence.is_up():
        raise CoreDown(f"the core is down: systemctl start {presence.CORE}")
    connection = _Connection(patience, idle)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json"})
        yield connection.getresponse()
    except TimeoutError as error:
        raise NoAnswer(f"the core does not answer: systemctl status {presence.CORE}") from error
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or "it went away"
        raise NoAnswer(f"the core can't be asked ({why}): systemctl status toru.socket {presence.CORE}") from error
    finally:
        connection.close()


def _document(answer: http.client.HTTPResponse) -> Any:
    said = answer.read()
    try:
        document = json.loads(said)
        if answer.status < http.client.BAD_REQUEST:
            return document
        refusal = Refused(str(document["code"]), str(document["detail"]))
    except (ValueError, LookupError, TypeError) as error:
        raise NoAnswer(f"something that is not the core answers at {places.API_SOCKET}") from error
    if answer.status == http.client.UNAUTHORIZED:
        raise NotPermitted(f"only root and members of the group {presence.ADMINS} may do this")
    raise refusal
