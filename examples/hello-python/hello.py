#!/usr/bin/python3
"""A plugin in plain toru/1: nothing but Python's standard library and the protocol of docs/protocol.md."""

import json
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

METADATA = {
    "id": "hello-python",
    "name": "Hello from Python",
    "version": "1.0.0",
    "author": "The Toru authors",
    "icon": "🐍",
    "route": "/hello-python",
    "description": "The smallest useful plugin: it greets, and counts how often.",
}


class Hello:
    def __init__(self) -> None:
        self.greeted = 0
        self.instance_id = ""

    def init(self, payload: dict[str, Any]) -> None:
        """The first message of a plugin's life."""
        self.instance_id = payload["instance_id"]
        print(f"serving instance {self.instance_id}", flush=True)

    def respond(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What to answer an HTTP request: status and a body to be JSON."""
        path = request["path"].partition("?")[0]
        if path in ("/", "/hello"):
            self.greeted += 1
            return 200, {"message": "Hello from Python!", "greeted": self.greeted}
        if path == "/about":
            return 200, {"instance_id": self.instance_id, "pid": os.getpid()}
        return 404, {"error": f"there is nothing at {path}"}


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """The next message, or None when the core has closed."""
    prefix = read_exactly(connection, 4)
    body = read_exactly(connection, int.from_bytes(prefix, "big"))
    return json.loads(body) if body else None


def read_exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes, or fewer when the core has closed."""
    data = b""
    while len(data) < count and (part := connection.recv(count - len(data))):
        data += part
    return data


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    connection.sendall(len(body).to_bytes(4, "big") + body)


def answer(request: dict[str, Any], hello: Hello) -> dict[str, Any]:
    status, content = hello.respond(request["payload"]["payload"])
    return {
        "type": "http",
        "timestamp": datetime.now(UTC).isoformat(),
        "request_id": request["request_id"],
        "payload": {
            "status": status,
            "headers": {"content-type": "application/json"},
            "body": json.dumps(content),
        },
    }


def serve(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    hello = Hello()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(5)
        while True:
            connection, _ = listener.accept()
            with connection:
                while (message := receive(connection)) is not None:
                    if message["type"] == "http":
                        send(connection, answer(message, hello))
                    elif message["payload"].get("action") == "init":
                        hello.init(message["payload"])
                    elif message["payload"].get("action") == "shutdown":
                        print("goodbye", flush=True)
                        return


if __name__ == "__main__":
    if sys.argv[1:2] == ["--metadata"]:
        print(json.dumps(METADATA))
    else:
        serve(Path(os.environ["TORU_PLUGIN_SOCKET"]))
