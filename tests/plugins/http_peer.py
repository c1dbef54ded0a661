#!/usr/bin/python3
"""A web server that keeps connections and tells who asked it: the process at the other end, as the kernel has it.

`/bytes/N` is answered by so many bytes; whoever wants a WebSocket gets back every byte."""

import base64
import hashlib
import json
import os
import signal
import socket
import struct
import sys
import threading

METADATA = {}

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def serve(connection):
    pid, _, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return
            data += part
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        said = {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines)}
        path = first.split()[1].decode()
        if b"sec-websocket-key" in said:
            accept = base64.b64encode(hashlib.sha1(said[b"sec-websocket-key"] + GUID).digest())
            connection.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            while part := data or connection.recv(65536):
                connection.sendall(part)
                data = b""
            return
        length = int(said.get(b"content-length", 0))
        while len(data) < length:
            data += connection.recv(65536)
        body, data = data[:length], data[length:]
        if path.startswith("/bytes/"):
            answer = b"x" * int(path.rpartition("/")[2])
        else:
            told = {"asked_by": pid, "path": path, "length": length, "sha256": hashlib.sha256(body).hexdigest()}
            answer = json.dumps(told).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
listener = socket.socket(fileno=3)
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
