"""HTTP as a program speaks it: one connection to a Unix socket, kept open."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path

from toru.domain import places


class Client(http.client.HTTPConnection):
    """To the core at api.sock, as root or as the token says; or to another server's socket."""

    def __init__(self, path: Path = places.API_SOCKET, *, token: str | None = None) -> None:
        super().__init__("toru")
        self._path = path
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self._path))

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> str:
        """The answer's body; the end, if it is none that one wants."""
        content = None if body is None else json.dumps(body)
        said = {} if body is None else {"Content-Type": "application/json"}
        self.request(method, path, content, {**self._headers, **said, **headers})
        answer = self.getresponse()
        text = answer.read().decode(errors="replace")
        if answer.status not in {200, 201}:
            raise SystemExit(f"{method} {path} was answered by {answer.status}: {text}")
        return text
