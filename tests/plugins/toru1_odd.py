#!/usr/bin/python3
"""A plugin of toru/1 that answers as its path says, in every way a plugin in the field may answer, or not."""

import base64
import json
import os
import signal
import socket
import sys
import time

METADATA = {}

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)


def read(connection):
    prefix = connection.recv(4)  # as they do: what doesn't come with the first read is a broken message
    if not prefix:
        return None
    if len(prefix) < 4:
        print(f"<3>a length of {len(prefix)} bytes", flush=True)
        return None
    data = b""
    while len(data) < int.from_bytes(prefix, "big"):
        part = connection.recv(1 << 20)
        if not part:
            return None
        data += part
    return json.loads(data)


def framed(message):
    data = json.dumps(message).encode()
    return len(data).to_bytes(4, "big") + data


def answer(request_id, status=200, body="", **more):
    payload = {"status": status, "headers": {"content-type": "text/plain"}, "body": body, **more}
    return framed({"type": "http", "timestamp": "2026-01-01T00:00:00Z", "request_id": request_id, "payload": payload})


def respond(connection, number, request):
    """Sends what the path asks for. False: the connection is to be closed now."""
    route, _, argument = request["path"][1:].partition("?")
    way = route.partition("/")[0]
    if way == "mute":
        return True
    if way == "close":
        return False
    if way == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if way == "slow":
        time.sleep(float(argument))
    while way == "hold" and not os.path.exists(os.path.join(os.path.dirname(path), "go-on")):
        time.sleep(0.01)
    if way == "rubbish":
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"rubbish " * 100)
        return True
    if way == "text":
        connection.sendall(b"\0\0\0\x05hello")
        return True
    if way == "endless":
        connection.sendall((16 * 1024 * 1024 + 1).to_bytes(4, "big"))
        return True
    if way == "nothing":
        connection.sendall(bytes(4))
        return True
    if way == "half":
        connection.sendall(answer(number, body="half of it")[:-20])
        return False
    if way == "others":
        connection.sendall(answer("another") + answer("one more") + answer(number, body="yours"))
        return True
    if way == "only-others":
        try:
            while True:
                connection.sendall(answer("another", body="x" * 10_000))
        except OSError:
            return False
    if way == "bytewise":
        for byte in answer(number, body="byte by byte"):
            connection.sendall(bytes([byte]))
        return True
    if way == "status":
        connection.sendall(answer(number, status=int(argument)))
        return True
    if way == "binary":
        connection.sendall(answer(number, body_base64=base64.b64encode(bytes(range(256))).decode()))
        return True
    if way == "large":
        connection.sendall(answer(number, body="x" * int(argument)))
        return True
    if way == "injected":
        connection.sendall(answer(number, headers={"x-a": "b\r\nset-cookie: c=d"}))
        return True
    body = request.get("body")
    if (encoded := request.get("body_base64")) is not None:
        body = base64.b64decode(encoded).hex()
    about = {"pid": os.getpid(), "method": request["method"], "path": request["path"], "headers": request["headers"]}
    size = len(request["body"] or "")
    connection.sendall(answer(number, body=json.dumps(about | {"size": size, "body": (body or "")[:1000]})))
    return True


def serve(connection):
    while (message := read(connection)) is not None:
        payload = message["payload"]
        if payload.get("action") == "shutdown":
            sys.exit(0)
        if payload.get("action") == "init":
            print(f"init pid={os.getpid()}", flush=True)
        elif message["type"] == "http":
            print(f"http {payload['payload']['path']}", flush=True)
            if not respond(connection, message["request_id"], payload["payload"]):
                return


path = os.environ["TORU_PLUGIN_SOCKET"]
if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(path)
listener.listen(5)
while True:
    connection, _ = listener.accept()
    with connection:
        try:
            serve(connection)
        except OSError as error:
            print(f"<4>{error!r}", flush=True)
