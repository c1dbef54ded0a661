#!/usr/bin/python3
"""A web server whose answers show what a proxy does to them on the way: the functions below say what each path does."""

import base64
import hashlib
import json
import socket
import sys
import threading

METADATA = {}

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)

received = 0
may_go_on = threading.Event()


def told(connection, target, lines, body):
    while len(body) < int(lines.get("content-length", 0)) and (part := connection.recv(65536)):
        body += part
    answer(connection, json.dumps({"target": target, "headers": dict(lines)}))


def moves(connection, *_):
    answer(connection, "", "302 Found", "Location: /told/there", "Set-Cookie: seen=1; Path=/told/there")


def events(connection, *_):
    """One at once, and one when somebody has asked for `/go`, and no length."""
    may_go_on.clear()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: first\n\n")
    may_go_on.wait(60)
    connection.sendall(b"data: second\n\n")
    connection.close()


def go(connection, *_):
    may_go_on.set()
    answer(connection, "{}")


def upload(connection, target, lines, body):
    global received
    received = len(body)
    length = int(lines["content-length"])
    while received < length and (part := connection.recv(65536)):
        received += len(part)
    answer(connection, json.dumps({"received": received}))


def so_far(connection, *_):
    answer(connection, json.dumps({"received": received}))


def websocket(connection, target, lines, body):
    """Gives small messages back (RFC 6455)."""
    key = lines["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    stream = connection.makefile("rb")
    while len(head := stream.read(2)) == 2:
        mask = stream.read(4)
        text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(stream.read(head[1] & 0x7F)))
        connection.sendall(bytes([head[0], len(text)]) + text)
        if head[0] & 0x0F == 8:
            break
    connection.close()


def answer(connection, body, status="200 OK", *lines):
    head = "\r\n".join((f"HTTP/1.1 {status}", *lines, "Connection: close", f"Content-Length: {len(body)}"))
    connection.sendall(f"{head}\r\n\r\n{body}".encode())


def serve(connection):
    with connection:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        target = first.split()[1]
        named = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        what = target.lstrip("/").partition("?")[0].partition("/")[0]
        globals()[what](connection, target, named, body)


listener = socket.socket(fileno=3)
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
