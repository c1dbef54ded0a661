#!/usr/bin/python3
"""A plugin as they exist in the field: binds TORU_PLUGIN_SOCKET, one connection at a time, tells the journal all."""

import json
import os
import socket
import sys
import time

METADATA = {}
LISTENS_AFTER = 0
BUSY_FOR = 0

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)


def read(connection):
    prefix = connection.recv(4)
    if not prefix:
        return None
    data = b""
    while len(data) < int.from_bytes(prefix, "big"):
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    return json.loads(data)


def say(text):
    print(text, flush=True)


path = os.environ["TORU_PLUGIN_SOCKET"]
time.sleep(LISTENS_AFTER)
os.makedirs(os.path.dirname(path), exist_ok=True)
if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(path)
listener.listen(5)


def serve(connection):
    while (message := read(connection)) is not None:
        payload = message["payload"]
        if payload.get("action") == "init":
            say(f"init {payload['instance_id']} {payload['plugin_socket']} {payload['log_path']} pid={os.getpid()}")
        elif payload.get("action") == "shutdown":
            say("shutdown received")
            time.sleep(BUSY_FOR)
            sys.exit(0)
        elif message["type"] == "http":
            say(f"http {payload['payload']['path']}")
            body = json.dumps({"pid": os.getpid(), "path": payload["payload"]["path"]})
            if payload["payload"]["path"] == "/version":
                body = METADATA["version"]
            answer = {
                "type": "http",
                "timestamp": message["timestamp"],
                "request_id": message["request_id"],
                "payload": {"status": 200, "headers": {}, "body": body},
            }
            data = json.dumps(answer).encode()
            connection.sendall(len(data).to_bytes(4, "big") + data)


while True:
    connection, _ = listener.accept()
    with connection:
        try:
            serve(connection)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            say(f"<4>closing: {error!r}")  # whoever comes next is served
