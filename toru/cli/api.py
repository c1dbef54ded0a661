"""The core's API, as root and members of toru-admin reach it: over api.sock, where the kernel says who is asking."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import quote

from toru.cli.refusals import NotPermitted
from toru.domain import places
from toru.domain.errors import ToruError

PATIENCE_SECONDS = 30.0


class CoreDown(ToruError):
    """Nobody listens at api.sock."""

    code = "core-down"


class Refused(ToruError):
    """The core said no, in these words."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_SECONDS)
        self.sock.connect(str(places.API_SOCKET))


def ask(method: str, path: str, body: object = None) -> Any:
    """What the core answers; `CoreDown` if there is none, `Refused` if it won't."""
    connection = _Connection("toru")
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said, status = answer.read(), answer.status
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise CoreDown("the core is down: systemctl start toru.socket toru.service") from error
    except TimeoutError as error:
        raise Refused("no-answer", "the core does not answer: systemctl status toru.service") from error
    except (ConnectionError, http.client.HTTPException) as error:
        raise Refused("no-answer", "the core went away: systemctl status toru.service") from error
    finally:
        connection.close()
    try:
        document = json.loads(said)
    except ValueError as error:
        raise Refused("no-answer", f"something that is not the core answers at {places.API_SOCKET}") from error
    if status == 401:
        raise NotPermitted("only root and members of the group toru-admin may do this")
    if status >= 400:
        raise Refused(str(document["code"]), str(document["detail"]))
    return document


def segment(text: str) -> str:
    """The text as one segment of a path, whatever is in it."""
    return quote(text, safe="")
