#!/usr/bin/python3
"""A sound http plugin, for others to break in one place."""

import asyncio
import json
import os
import signal
import socket
import sys

METADATA = {"id": "broken", "name": "Broken", "version": "1", "route": "/broken", "protocol": "http"}


class Bad(Exception):
    pass


class Http:
    metadata = METADATA

    async def serve(self):
        loop = asyncio.get_running_loop()
        self.stopping = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        await asyncio.start_server(self.attend, sock=self.listener(), limit=1 << 17)
        print("<6>serving", flush=True)
        await self.stopping.wait()
        os._exit(0)

    def listener(self):
        return socket.socket(fileno=3)

    def stop(self):
        self.stopping.set()

    async def attend(self, reader, writer):
        try:
            while await self.one(reader, writer):
                pass
        except Bad:
            writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        writer.close()

    async def one(self, reader, writer):
        """Whether the connection goes on."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or words[2] != "HTTP/1.1" or not all(":" in line for line in lines):
            raise Bad
        fields = [line.split(":", 1) for line in lines]
        lengths = {value.strip() for name, value in fields if name.lower() == "content-length"}
        if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
            raise Bad
        chunked = any(name.lower() == "transfer-encoding" for name, _ in fields)
        body = await self.chunks(reader) if chunked else await self.body(reader, int(*lengths or [0]))
        answer = await self.answer(words[0], words[1], body)
        if answer is None:
            return False
        writer.write(answer)
        await writer.drain()
        return b"Connection: close" not in answer

    async def body(self, reader, length):
        return await reader.readexactly(length)

    async def chunks(self, reader):
        body = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            try:
                size = int(line, 16)
            except ValueError:
                raise Bad from None
            body += (await reader.readexactly(size + 2))[:-2]
            if size == 0:
                return body

    async def answer(self, method, path, body):
        """All of it, or None."""
        content = self.content(method, path, body)
        return self.head(len(content)) + (b"" if method == "HEAD" else content)

    def content(self, method, path, body):
        return json.dumps({"method": method, "path": path, "bytes": len(body), "about": "x" * 100}).encode()

    def head(self, length):
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % length


def main(plugin):
    if sys.argv[1:] == ["--metadata"]:
        print(json.dumps(plugin.metadata))
    else:
        asyncio.run(plugin.serve())


if __name__ == "__main__":
    main(Http())
