#!/usr/bin/python3
"""A plugin that speaks toru/2, written from docs/protocol.md with nothing but Python's standard library.

The first half is the protocol, and knows nothing of what this plugin is for; the second half is the plugin, and knows
nothing of frames.
"""

import asyncio
import json
import os
import signal
import socket
import sys

METADATA = {}
SLEEPS_AFTER = None
PUSHES_AT_START = 0
SPEAKS = 2
CREDIT = 65_536
CONNECTION_CREDIT = 1_048_576
REQUESTS = 100

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)

# The protocol.

MESSAGE, DATA, END = 0, 1, 2
LARGEST_FRAME = 65_536
LARGEST_PART = LARGEST_FRAME - 4


class Breach(Exception):
    """The other side broke a rule. The text says which."""


class Request:
    """One request: `method`, `path`, `headers`, and a body that can be read once."""

    def __init__(self, connection, number, payload):
        self.connection = connection
        self.number = number
        self.method = payload["method"]
        self.path = payload["path"]
        self.headers = payload["headers"]
        self.parts = []
        self.is_whole = not payload["body"]
        self.received = asyncio.Event()
        self.may_receive = CREDIT
        self.to_give = 0
        self.credit = connection.first_credit
        self.more_credit = asyncio.Event()
        self.has_answered = False
        self.task = None

    async def body(self):
        """Part by part. Credit is given for what is taken, so a slow reader holds up this one sender."""
        while self.parts or not self.is_whole:
            if not self.parts:
                self.received.clear()
                await self.received.wait()
                continue
            part = self.parts.pop(0)
            self.connection.give_back(len(part))
            self.to_give += len(part)
            if self.to_give >= CREDIT // 2 and not self.is_whole:
                self.connection.message("credit", {"bytes": self.to_give}, self.number)
                self.may_receive += self.to_give
                self.to_give = 0
            yield part

    async def whole_body(self):
        return b"".join([part async for part in self.body()])

    def head(self, status, headers, *, body):
        self.has_answered = True
        self.connection.message("http", {"status": status, "headers": headers, "body": body}, self.number)

    async def send(self, content, *, last=False):
        """A part of the answer's body, as fast as the other side gives credit and reads."""
        while content:
            while not (room := min(self.credit, self.connection.credit, LARGEST_PART)):
                self.more_credit.clear()
                await self.more_credit.wait()
            part, content = content[:room], content[room:]
            self.credit -= len(part)
            self.connection.credit -= len(part)
            self.connection.data(self.number, part, last=last and not content)
            if last and not content:
                return
            await self.connection.drain()
        if last:
            self.connection.data(self.number, b"", last=True)

    async def answer(self, status, headers, content=b""):
        has_body = self.method != "HEAD" and status not in (204, 304)
        self.head(status, {**headers, "content-length": [str(len(content))]}, body=has_body)
        if has_body:
            await self.send(content, last=True)


class Connection:
    def __init__(self, plugin, reader, writer):
        self.plugin = plugin
        self.reader = reader
        self.writer = writer
        self.requests = {}
        self.last_number = 0
        self.first_credit = 0
        self.credit = 0
        self.may_receive = CONNECTION_CREDIT
        self.to_give = 0
        self.greeted = False
        self.leaving = False

    async def run(self):
        try:
            while frame := await self.frame():
                self.take(*frame)
        except Breach as breach:
            print(f"<4>the core broke a rule: {breach}", flush=True)
            self.message("lifecycle", {"action": "goodbye", "code": "protocol", "reason": str(breach)})
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for request in self.requests.values():
                request.task.cancel()
            self.writer.close()

    # What is sent.

    def message(self, kind, payload, number=None):
        message = {"type": kind, "payload": payload}
        if number is not None:
            message["request_id"] = number
        text = json.dumps(message).encode()
        assert len(text) <= LARGEST_FRAME
        self.writer.write(len(text).to_bytes(4, "big") + text)

    def data(self, number, content, *, last):
        head = ((END if last else DATA) << 24 | 4 + len(content)).to_bytes(4, "big")
        self.writer.write(head + number.to_bytes(4, "big") + content)

    async def drain(self):
        await self.writer.drain()

    def give_back(self, count):
        self.to_give += count
        if self.to_give >= CONNECTION_CREDIT // 2:
            self.message("credit", {"bytes": self.to_give})
            self.may_receive += self.to_give
            self.to_give = 0

    def leave(self, reason):
        """No request that comes from now on is answered here; all that came are."""
        if not self.leaving:
            self.leaving = True
            goodbye = {"action": "goodbye", "code": "stopping", "last_request_id": self.last_number, "reason": reason}
            self.message("lifecycle", goodbye)

    # What comes.

    async def frame(self):
        try:
            head = await self.reader.readexactly(4)
        except asyncio.IncompleteReadError:
            return None
        kind, length = head[0], int.from_bytes(head[1:], "big")
        if kind > END or length > LARGEST_FRAME or length < {MESSAGE: 1, DATA: 5, END: 4}[kind]:
            raise Breach(f"a frame of kind {kind} with {length} bytes")
        return kind, await self.reader.readexactly(length)

    def take(self, kind, content):
        if kind != MESSAGE:
            self.on_data(int.from_bytes(content[:4], "big"), content[4:], last=kind == END)
            return
        try:
            self.on_message(json.loads(content))
        except (ValueError, KeyError, TypeError) as error:
            raise Breach(f"a message without what it must have: {error!r}") from None

    def on_message(self, message):
        kind, payload = message["type"], message["payload"]
        if kind == "lifecycle":
            self.on_lifecycle(payload)
        elif not self.greeted:
            raise Breach("a message before hello")
        elif kind == "http":
            self.on_request(message["request_id"], payload)
        elif kind == "credit":
            self.on_credit(message.get("request_id"), payload["bytes"])
        elif kind == "cancel":
            self.on_cancel(message["request_id"])

    def on_lifecycle(self, payload):
        if payload["action"] == "goodbye":
            self.leaving = True
        if payload["action"] != "hello":
            return
        if self.greeted:
            raise Breach("a second hello")
        if SPEAKS not in payload["versions"]:
            self.message(
                "lifecycle", {"action": "goodbye", "code": "version", "reason": f"this plugin speaks {SPEAKS}"}
            )
            self.writer.close()
            return
        self.greeted = True
        self.first_credit = payload.get("credit", 65_536)
        self.credit = payload.get("connection_credit", 1_048_576)
        hello = {
            "action": "hello",
            "version": SPEAKS,
            "credit": CREDIT,
            "connection_credit": CONNECTION_CREDIT,
            "requests": REQUESTS,
        }
        self.message("lifecycle", hello)
        self.plugin.greeted(self)

    def on_request(self, number, payload):
        if number <= self.last_number:
            raise Breach(f"the request {number} after {self.last_number}")
        if len(self.requests) >= REQUESTS:
            raise Breach(f"more than {REQUESTS} requests at once")
        if self.leaving:
            return  # goodbye is on its way, and says that it was not begun
        self.last_number = number
        request = self.requests[number] = Request(self, number, payload)
        request.task = asyncio.get_running_loop().create_task(self.serve(request))

    def on_data(self, number, content, *, last):
        if not 0 < number <= self.last_number and not self.leaving:
            raise Breach(f"data for the request {number}, which never was")
        self.may_receive -= len(content)
        if self.may_receive < 0:
            raise Breach("more data on the connection than there was credit")
        request = self.requests.get(number)
        if request is None:
            self.give_back(len(content))  # it is over: nobody else will
            return
        request.may_receive -= len(content)
        if request.is_whole or request.may_receive < 0:
            raise Breach(f"data for the request {number} that it can't have")
        if content:
            request.parts.append(content)
        request.is_whole = last
        request.received.set()

    def on_credit(self, number, count):
        if number is None:
            self.credit += count
            for request in self.requests.values():
                request.more_credit.set()
        elif number in self.requests:
            self.requests[number].credit += count
            self.requests[number].more_credit.set()

    def on_cancel(self, number):
        if number in self.requests:
            self.requests[number].task.cancel()

    async def serve(self, request):
        try:
            await self.plugin.handle(request)
        except asyncio.CancelledError:
            print(f"cancelled {request.method} {request.path}", flush=True)
        except Exception as error:
            print(f"<3>{request.method} {request.path}: {error!r}", flush=True)
            self.message("cancel", {"reason": repr(error)}, request.number)
        finally:
            self.requests.pop(request.number)
            self.give_back(sum(map(len, request.parts)))  # what came and was not read
            self.plugin.rested()


def notify(text):
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(text.encode(), path.replace("@", "\0", 1) if path.startswith("@") else path)


class Plugin:
    """Serves on the inherited socket until SIGTERM, or until nothing has been asked for a while."""

    def __init__(self):
        self.connections = {}
        self.stopping = asyncio.Event()
        self.sleep_timer = None

    async def main(self):
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop, "SIGTERM")
        listener = socket.socket(fileno=3)
        # Not start_unix_server, which from Python 3.13 on looks at the socket's path, where a plugin can't.
        await asyncio.start_server(self.connected, sock=listener, limit=2 * LARGEST_FRAME)
        notify("READY=1")
        print(f"serving as {os.getpid()}", flush=True)
        self.rested()
        await self.stopping.wait()
        # Whoever connects from now on waits in the socket, which systemd goes on holding, for the next process.
        loop.remove_reader(listener.fileno())
        # The core closes a connection when its last answer has come. systemd sees to it that this takes not too long.
        while self.connections:
            await asyncio.wait(self.connections.values(), return_when=asyncio.FIRST_COMPLETED)
        os._exit(0)  # and the socket stays as it is

    def connected(self, reader, writer):
        connection = Connection(self, reader, writer)
        task = asyncio.get_running_loop().create_task(connection.run())
        self.connections[connection] = task
        task.add_done_callback(lambda _: self.connections.pop(connection))

    def stop(self, reason):
        print(f"goodbye: {reason}", flush=True)
        self.stopping.set()
        for connection in list(self.connections):
            connection.leave(reason)

    def rested(self):
        """Called whenever a request is over."""
        if self.sleep_timer is not None:
            self.sleep_timer.cancel()
        busy = any(connection.requests for connection in self.connections)
        if SLEEPS_AFTER is not None and not busy:
            self.sleep_timer = asyncio.get_running_loop().call_later(SLEEPS_AFTER, self.stop, "idle")

    def greeted(self, connection):
        if self.stopping.is_set():
            connection.leave("it came too late")
        for number in range(PUSHES_AT_START):
            self.push("start", {"number": number})

    def push(self, name, data):
        """An event for the open views, by one of the connections."""
        for connection in self.connections:
            if connection.greeted and not connection.leaving:
                connection.message("push", {"name": name, "data": data})
                return


# The plugin.


class Example(Plugin):
    def __init__(self):
        super().__init__()
        self.crowd = asyncio.Condition()
        self.here = 0
        self.held = asyncio.Event()

    async def handle(self, request):
        path, _, query = request.path.partition("?")
        handler = getattr(self, f"on_{path[1:].replace('/', '_') or 'root'}", self.on_root)
        await handler(request, query)

    async def on_root(self, request, query):
        about = {
            "pid": os.getpid(),
            "method": request.method,
            "path": request.path,
            "headers": request.headers,
            "body": (await request.whole_body()).decode("latin-1"),
        }
        headers = {"content-type": ["application/json"], "set-cookie": ["a=1", "b=2"]}
        await request.answer(200, headers, json.dumps(about).encode())

    async def on_echo(self, request, query):
        """The request's body, as it comes."""
        request.head(200, {"content-type": ["application/octet-stream"]}, body=True)
        async for part in request.body():
            await request.send(part)
        await request.send(b"", last=True)

    async def on_count(self, request, query):
        """How long the request's body is."""
        length = 0
        async for part in request.body():
            length += len(part)
        await request.answer(200, {}, str(length).encode())

    async def on_bytes(self, request, query):
        """So many bytes."""
        left = int(query)
        request.head(200, {}, body=True)
        while left:
            part = bytes(range(256)) * 256
            await request.send(part[:left])
            left -= min(left, len(part))
        await request.send(b"", last=True)

    async def on_slow(self, request, query):
        """An answer after so many seconds."""
        print(f"slow {query}", flush=True)
        await asyncio.sleep(float(query))
        await request.answer(200, {}, json.dumps({"pid": os.getpid()}).encode())

    async def on_together(self, request, query):
        """An answer when so many wait for this one."""
        async with self.crowd:
            self.here += 1
            self.crowd.notify_all()
            await self.crowd.wait_for(lambda: self.here >= int(query))
        await request.answer(200, {})

    async def on_hold(self, request, query):
        """An answer when somebody has asked for `/release`."""
        self.held.clear()
        print(f"holding {query}", flush=True)
        await self.held.wait()
        await request.answer(200, {}, json.dumps({"pid": os.getpid()}).encode())

    async def on_release(self, request, query):
        self.held.set()
        await request.answer(200, {})

    async def on_version(self, request, query):
        await request.answer(200, {}, METADATA["version"].encode())

    async def on_drip(self, request, query):
        """A part of the answer every 0.1 seconds, for ever."""
        request.head(200, {"content-type": ["text/plain"]}, body=True)
        while True:
            await request.send(b"drip\n")
            await asyncio.sleep(0.1)

    async def on_early(self, request, query):
        """An answer without a look at the body."""
        await request.answer(403, {}, b"no")

    async def on_crash(self, request, query):
        os.kill(os.getpid(), signal.SIGKILL)

    async def on_fail(self, request, query):
        raise RuntimeError("this went wrong")

    async def on_fail_late(self, request, query):
        request.head(200, {}, body=True)
        await request.send(b"a part")
        raise RuntimeError("this went wrong")

    async def on_status(self, request, query):
        request.head(int(query), {}, body=False)

    async def on_raw(self, request, query):
        """Whatever the request's body says, as a frame or a part of one."""
        request.connection.writer.write(await request.whole_body())
        await asyncio.sleep(3600)

    async def on_push(self, request, query):
        """So many events for the views."""
        for number in range(int(query)):
            self.push("tick", {"number": number, "text": "<script>\n\u2028"})
        await request.answer(204, {})

    async def on_stop(self, request, query):
        await request.answer(204, {})
        self.stop("asked")


asyncio.run(Example().main())
