#!/usr/bin/python3
"""A sound toru/2 plugin, for others to break in one place."""

import asyncio
import json
import os
import signal
import socket
import sys

METADATA = {"id": "broken", "name": "Broken", "version": "1", "route": "/broken", "protocol": "toru/2"}
MESSAGE, DATA, END = 0, 1, 2
LARGEST = 65_536
CREDIT, CREDIT_OF_ALL = 65_536, 1_048_576


class Breach(Exception):
    pass


class Request:
    def __init__(self, payload, credit):
        self.method, self.path = payload["method"], payload["path"]
        self.length = 0
        self.unpaid = 0
        self.complete = asyncio.Event()
        if not payload["body"]:
            self.complete.set()
        self.credit = credit


class Connection:
    def __init__(self, plugin, reader, writer):
        self.plugin, self.reader, self.writer = plugin, reader, writer
        self.requests = {}
        self.tasks = {}
        self.last = 0
        self.unpaid = 0
        self.greeted = False
        self.more_credit = asyncio.Event()

    async def run(self):
        try:
            while True:
                head = await self.reader.readexactly(4)
                kind, length = head[0], int.from_bytes(head[1:], "big")
                if kind > END or length > LARGEST or length < {MESSAGE: 1, DATA: 5, END: 4}[kind]:
                    raise Breach(f"a frame of kind {kind} with {length} bytes")
                content = await self.reader.readexactly(length)
                if kind == MESSAGE:
                    self.take(content)
                else:
                    self.take_data(int.from_bytes(content[:4], "big"), content[4:], kind == END)
        except Breach as breach:
            self.plugin.on_breach(self, str(breach))
        except (OSError, asyncio.IncompleteReadError):
            pass
        for task in self.tasks.values():
            task.cancel()
        self.writer.close()

    def say(self, kind, payload, number=None):
        text = json.dumps({"type": kind, "payload": payload, "request_id": number}).encode()
        self.writer.write(len(text).to_bytes(4, "big") + text)

    def goodbye(self, code, reason):
        said = {"action": "goodbye", "code": code, "reason": reason, "last_request_id": self.last}
        self.say("lifecycle", said)

    def take(self, content):
        try:
            message = json.loads(content)
            kind, payload, number = message["type"], message["payload"], message.get("request_id")
            if not isinstance(payload, dict):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            raise Breach("a message that is none") from None
        if kind == "lifecycle" and payload.get("action") == "hello":
            self.hello(payload)
        elif kind == "http":
            if number <= self.last:
                raise Breach("a request id that is not higher")
            self.last = number
            request = self.requests[number] = Request(payload, self.first_credit)
            self.tasks[number] = asyncio.create_task(self.serve(number, request))
        elif kind == "credit":
            if number is None:
                self.credit += payload["bytes"]
            elif number in self.requests:
                self.requests[number].credit += payload["bytes"]
            self.more_credit.set()
        elif kind == "cancel":
            if number in self.tasks:
                self.tasks[number].cancel()
        elif kind != "lifecycle":
            self.plugin.on_unknown(self, kind)

    def hello(self, payload):
        if self.greeted:
            raise Breach("a second hello")
        if 2 not in payload["versions"]:
            self.plugin.on_other_versions(self)
            self.writer.close()
            return
        self.greeted = True
        self.first_credit, self.credit = payload["credit"], payload["connection_credit"]
        said = {"action": "hello", "version": 2, "credit": CREDIT, "connection_credit": CREDIT_OF_ALL, "requests": 100}
        self.say("lifecycle", said)
        self.plugin.on_hello(self)

    def take_data(self, number, content, last):
        if not 0 < number <= self.last:
            raise Breach(f"data for the request {number}, which never was")
        self.unpaid += len(content)
        if self.unpaid >= CREDIT_OF_ALL // 2:
            self.say("credit", {"bytes": self.unpaid})
            self.unpaid = 0
        if (request := self.requests.get(number)) is None:
            return
        request.length += len(content)
        request.unpaid += len(content)
        if last:
            request.complete.set()
        elif request.unpaid >= CREDIT // 2:
            self.plugin.give_credit(self, number, request)
            request.unpaid = 0

    async def serve(self, number, request):
        try:
            await self.plugin.handle(self, number, request)
        finally:
            del self.requests[number], self.tasks[number]

    async def answer(self, number, request, content):
        has_body = self.plugin.has_body(request)
        headers = {"content-type": ["text/plain"], "content-length": [str(len(content))]}
        self.say("http", {"status": 200, "headers": headers, "body": has_body}, number)
        while has_body and content:
            while not (room := self.plugin.room(self, request)):
                self.more_credit.clear()
                await self.more_credit.wait()
            part, content = content[:room], content[room:]
            request.credit -= len(part)
            self.credit -= len(part)
            kind = DATA if content else END
            self.writer.write((kind << 24 | 4 + len(part)).to_bytes(4, "big") + number.to_bytes(4, "big") + part)
            await self.writer.drain()


class Toru2:
    metadata = METADATA

    async def serve(self):
        self.connections = {}
        self.stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stop)
        await asyncio.start_server(self.attend, sock=socket.socket(fileno=3), limit=2 * LARGEST)
        self.ready()
        print("<6>serving", flush=True)
        await self.stopping.wait()
        while self.connections:
            await asyncio.wait(self.connections.values(), return_when=asyncio.FIRST_COMPLETED)
        os._exit(0)

    async def attend(self, reader, writer):
        connection = Connection(self, reader, writer)
        self.connections[connection] = asyncio.current_task()
        try:
            await connection.run()
        finally:
            del self.connections[connection]

    def ready(self):
        self.notify("READY=1")

    def notify(self, text):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])

    def stop(self):
        self.stopping.set()
        for connection in self.connections:
            connection.goodbye("stopping", "SIGTERM")

    async def handle(self, connection, number, request):
        await request.complete.wait()
        about = {"method": request.method, "path": request.path, "bytes": request.length, "about": "x" * 200}
        await connection.answer(number, request, json.dumps(about).encode())

    def has_body(self, request):
        return request.method != "HEAD"

    def room(self, connection, request):
        return min(request.credit, connection.credit, LARGEST - 4)

    def give_credit(self, connection, number, request):
        connection.say("credit", {"bytes": request.unpaid}, number)

    def on_hello(self, connection):
        pass

    def on_unknown(self, connection, kind):
        pass

    def on_breach(self, connection, reason):
        connection.goodbye("protocol", reason)

    def on_other_versions(self, connection):
        connection.goodbye("version", "it speaks 2")


def main(plugin):
    if sys.argv[1:] == ["--metadata"]:
        print(json.dumps(plugin.metadata))
    else:
        asyncio.run(plugin.serve())


if __name__ == "__main__":
    main(Toru2())
