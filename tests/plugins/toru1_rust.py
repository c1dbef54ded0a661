#!/usr/bin/python3
"""Has the habits of the plugins that are written in Rust: strict in what it reads, and its answers look like requests.

A message that lacks anything is answered by closing. What stands behind a message in the same read is lost. Before a
whole `init` no route answers.
"""

import json
import os
import socket
import sys
from datetime import datetime

METADATA = {}

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)


class Strict(Exception):
    pass


def text(value):
    if not isinstance(value, str):
        raise Strict(f"{value!r} is no text")
    return value


def field(value, name):
    if not isinstance(value, dict) or name not in value:
        raise Strict(f"missing field {name}")
    return value[name]


def read(connection):
    """One message; whatever has come with it is gone."""
    data = b""
    while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
        part = connection.recv(1 << 20)
        if not part:
            return None
        data += part
    message = json.loads(data[4 : 4 + int.from_bytes(data[:4], "big")])
    kind, payload = text(field(message, "type")), field(message, "payload")
    if datetime.fromisoformat(text(field(message, "timestamp"))).tzinfo is None:
        raise Strict("a timestamp without a zone")
    if text(field(payload, "type")) != kind:
        raise Strict(f"{payload['type']} in {kind}")
    if kind != "lifecycle":
        text(field(payload, "request_id"))
    return message


def http(payload):
    request = field(payload, "payload")
    method, path = text(field(request, "method")), text(field(request, "path"))
    headers, body = field(request, "headers"), field(request, "body")
    for value in headers.values():
        text(value)
    if body is not None:
        text(body)
    print(f"http {path}", flush=True)
    said = {"method": method, "path": path, "headers": headers, "body": body, "pid": os.getpid()}
    said["body_base64"] = request.get("body_base64")
    if path == "/object":
        return {"status": 200, "headers": {}, "body": {"an": "object"}}
    return {"status": 201, "headers": {"content-type": "application/json"}, "body": json.dumps(said)}


stored = {}


def kv(payload):
    action, key = text(field(payload, "action")), text(field(payload, "key"))
    if action == "Set":
        stored[key] = field(payload, "value")
    elif action == "Delete":
        stored.pop(key, None)
    elif action != "Get":
        raise Strict(f"unknown variant {action}")
    return stored.get(key)


path = os.environ["TORU_PLUGIN_SOCKET"]
if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(path)
listener.listen(5)
context = None
while True:
    connection, _ = listener.accept()
    with connection:
        try:
            while (message := read(connection)) is not None:
                payload = message["payload"]
                if message["type"] == "lifecycle" and payload.get("action") == "shutdown":
                    sys.exit(0)
                elif message["type"] == "lifecycle":
                    if {"instance_id", "plugin_socket", "log_path"} <= payload.keys():
                        context = payload
                        print(f"init pid={os.getpid()}", flush=True)
                elif context is not None:
                    request_id = payload["request_id"]
                    if message["type"] == "http":
                        inner = {"method": "RESPONSE", "path": "", "headers": {}, "body": json.dumps(http(payload))}
                        said = {"type": "http", "request_id": request_id, "payload": inner}
                    else:
                        said = {"type": "kv", "request_id": request_id, "value": kv(payload)}
                    answer = {"type": message["type"], "timestamp": "2026-01-01T00:00:00Z", "request_id": None}
                    data = json.dumps(answer | {"payload": said}).encode()
                    connection.sendall(len(data).to_bytes(4, "big") + data)
        except (Strict, ValueError) as error:
            print(f"<4>closing: {error!r}", flush=True)
        except OSError as error:
            print(f"<4>{error!r}", flush=True)
