#!/usr/bin/python3
"""A well-behaved web server: keeps connections alive, and on SIGTERM finishes what it has begun and closes the others.

What is a request to it ends with an empty line, or so many bytes later as Content-Length says. `/bytes/N` is answered
by so many bytes, `/echo` becomes a WebSocket that gives back every byte, and everything else is answered by its version.
"""

import asyncio
import base64
import hashlib
import json
import re
import signal
import socket
import sys

METADATA = {}

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)

LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
SWITCHED = b"""\
HTTP/1.1 101 Switching Protocols\r
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Accept: %b\r
\r
"""
VERSION = METADATA["version"].encode()


class Connection(asyncio.Protocol):
    there = set()
    stopping = False

    def connection_made(self, transport):
        self.transport = transport
        self.begun = b""
        self.body = 0
        self.echoes = self.closes = False
        self.there.add(self)

    def connection_lost(self, _):
        self.there.discard(self)

    def data_received(self, data):
        while data:
            if self.echoes:
                self.transport.write(data)
                break
            if self.body:
                taken = min(self.body, len(data))
                self.body, data = self.body - taken, data[taken:]
                if not self.body:
                    self.answer()
                continue
            head, end, data = (self.begun + data).partition(b"\r\n\r\n")
            self.begun = b"" if end else head
            if end:
                self.target = head.split(b" ", 2)[1]
                self.closes = b"connection: close" in head.lower()
                self.key = (KEY.search(head) or [b"", b""])[1]
                found = LENGTH.search(head)
                self.body = int(found[1]) if found else 0
                if not self.body:
                    self.answer()

    def answer(self):
        if self.target == b"/echo":
            self.echoes = True
            self.transport.write(SWITCHED % base64.b64encode(hashlib.sha1(self.key + GUID).digest()))
            return
        self.closes = self.closes or self.stopping
        body = b"x" * int(self.target[7:]) if self.target.startswith(b"/bytes/") else VERSION
        last = b"Connection: close\r\n" if self.closes else b""
        self.transport.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (last, len(body), body))
        if self.closes:
            self.transport.close()

    @property
    def idle(self):
        return not self.begun and not self.body


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, sock=socket.socket(fileno=3), backlog=1024)
    told = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, told.set_result, None)
    await told
    # Whoever connects from here on waits in the socket for the next process.
    Connection.stopping = True
    server.close()
    for connection in list(Connection.there):
        if connection.idle:
            connection.transport.close()
    while Connection.there:
        await asyncio.sleep(0.01)


asyncio.run(main())
