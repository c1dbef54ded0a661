#!/usr/bin/python3
"""The same work in each protocol: every request is answered by 1 kB of text. One process, one thread, no libraries."""

import asyncio
import json
import os
import socket
import sys

METADATA = {}

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)

BODY = "x" * 1000


class Http(asyncio.Protocol):
    """Requests without bodies."""

    ANSWER = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}".encode()

    def connection_made(self, transport):
        self.transport = transport
        self.begun = b""

    def data_received(self, data):
        *heads, self.begun = (self.begun + data).split(b"\r\n\r\n")
        self.transport.write(self.ANSWER * len(heads))


class Toru2(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.begun = b""

    def data_received(self, data):
        data, position, answers = self.begun + data, 0, []
        while len(data) - position >= 4:
            end = position + 4 + int.from_bytes(data[position + 1 : position + 4], "big")
            if end > len(data):
                break
            answers += self.answer(json.loads(data[position + 4 : end]))
            position = end
        self.begun = data[position:]
        self.transport.write(b"".join(answers))

    def answer(self, message):
        kind, payload = message["type"], message["payload"]
        if kind == "lifecycle" and payload["action"] == "hello":
            return [self.message({"type": kind, "payload": {"action": "hello", "version": 2, "requests": 1000}})]
        if kind != "http":
            return []
        number = message["request_id"]
        headers = {"content-type": ["text/plain"], "content-length": [str(len(BODY))]}
        head = {"type": kind, "request_id": number, "payload": {"status": 200, "headers": headers, "body": True}}
        content = number.to_bytes(4, "big") + BODY.encode()
        return [self.message(head), (2 << 24 | len(content)).to_bytes(4, "big"), content]

    def message(self, said):
        text = json.dumps(said).encode()
        return len(text).to_bytes(4, "big") + text


async def serve(protocol):
    server = await asyncio.get_running_loop().create_server(protocol, sock=socket.socket(fileno=3), backlog=1024)
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(b"READY=1", path.replace("@", "\0", 1) if path.startswith("@") else path)
    await server.serve_forever()


def serve_toru1():
    """As plugins in the field do: one connection at a time, and one message at a time."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.environ["TORU_PLUGIN_SOCKET"])
    listener.listen(5)
    while True:
        with listener.accept()[0] as connection:
            while (message := read(connection)) is not None:
                if message["type"] == "http":
                    connection.sendall(answer_of(message))
                elif message["payload"].get("action") == "shutdown":
                    sys.exit(0)


def read(connection):
    prefix = connection.recv(4)
    data = b""
    while prefix and len(data) < int.from_bytes(prefix, "big"):
        data += connection.recv(65536)
    return json.loads(data) if prefix else None


def answer_of(message):
    said = {"status": 200, "headers": {"content-type": "text/plain"}, "body": BODY}
    text = json.dumps({**message, "payload": said}).encode()
    return len(text).to_bytes(4, "big") + text


match METADATA["protocol"]:
    case "http":
        asyncio.run(serve(Http))
    case "toru/2":
        asyncio.run(serve(Toru2))
    case _:
        serve_toru1()
