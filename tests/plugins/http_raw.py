#!/usr/bin/python3
"""A web server that does exactly what each request tells it, byte by byte, and takes down what it received.

X-Case names a request. X-Says has what to do with it, as steps in JSON in base64; without it: read the body, answer 200.
What comes to /control/… is the tests' own way in. It isn't taken down.
"""

import base64
import json
import socket
import struct
import sys
import threading
from collections import defaultdict
from urllib.parse import unquote

METADATA = {}

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)

sys.path.insert(0, "/usr/local/lib/toru-tests")
from tests.gateway.conformance.wire import (  # noqa: E402
    Cut,
    Malformed,
    Wire,
    chunked,
    dripping,
    headers_of,
    pattern,
    read,
    request_body,
    values,
)

ANSWER = [["body"], ["send", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]]


class Notes:
    """What was received, by the case that it belongs to; everything, as bytes; gates that a case opens for another."""

    def __init__(self):
        self.changed = threading.Condition()
        self.records = defaultdict(list)
        self.raw = bytearray()
        self.open_gates = set()
        self.connections = 0

    def wait(self, happened):
        with self.changed:
            return self.changed.wait_for(happened, 30)

    def note(self, change):
        with self.changed:
            change()
            self.changed.notify_all()


NOTES = Notes()


class Recorded(Wire):
    """Takes down every byte, once it is known not to come from the tests themselves."""

    def __init__(self, connection):
        super().__init__(connection)
        self.first = True

    def more(self):
        before = len(self._buffer)
        more = super().more()
        # Bodies of some size are not kept: they are hashed where they are read.
        if more and len(self._buffer) - before < 65536 and not self._buffer.startswith(b"GET /control/"):
            with NOTES.changed:
                NOTES.raw += self._buffer[before:]
                del NOTES.raw[: -(1 << 20)]
        return more


def serve(connection):
    wire = Recorded(connection)
    with connection:
        try:
            while (lines := wire.head()) is not None:
                if not lines:
                    continue  # RFC 9112 section 2.2
                method, target, version = lines[0].split(b" ", 2)
                if target.startswith(b"/control/"):
                    control(connection, unquote(target.decode()))
                elif not answer(wire, method, target, version, headers_of(lines[1:])):
                    break
        except (Cut, Malformed, ValueError, ConnectionError) as error:
            print(f"{type(error).__name__}: {error}", flush=True)


def answer(wire, method, target, version, headers):
    """Whether the connection stays."""
    record = {"request": [text.decode("latin-1") for text in (method, target, version)], "headers": headers}
    case = (values(headers, "x-case") or ["?"])[0]
    says = values(headers, "x-says")
    said = ", ".join(values(headers, "connection")).lower().replace(" ", "").split(",")
    stays = "close" not in said and (version != b"HTTP/1.0" or "keep-alive" in said)
    try:
        for name, *arguments in json.loads(base64.b64decode(says[0])) if says else ANSWER:
            stays = do(wire, record, name, *arguments) is not False and stays
    except (Cut, ConnectionError):
        record["stopped"] = name
        stays = False
    NOTES.note(lambda: NOTES.records[case].append(record))
    return stays


def do(wire, record, name, *arguments):
    connection = wire.connection
    if name == "body":
        record["body"] = request_body(wire, record["headers"])
    elif name == "some":
        record["some"] = read(lambda _: wire.sized(arguments[0]))
    elif name == "rest":
        record["rest"] = wire.rest().decode("latin-1")
    elif name == "send":
        connection.sendall(arguments[0].encode("latin-1"))
    elif name == "bytewise":
        for byte in arguments[0].encode("latin-1"):
            connection.sendall(bytes([byte]))
    elif name == "drip":
        for byte in dripping(arguments[0].encode("latin-1")):
            connection.sendall(byte)
    elif name == "flood":
        text, count = arguments
        connection.sendall(text.encode("latin-1") * count)
    elif name == "pattern":
        for piece in pattern(arguments[0]):
            connection.sendall(piece)
    elif name == "chunked":
        for piece in chunked(*arguments):
            connection.sendall(piece)
    elif name == "echo":
        for piece in wire.sized(arguments[0]):
            connection.sendall(piece)
    elif name == "gate":
        record["gate"] = NOTES.wait(lambda: arguments[0] in NOTES.open_gates)
    elif name == "open":
        NOTES.note(lambda: NOTES.open_gates.add(arguments[0]))
    elif name == "gone":
        # Until nobody is there any more; what else they send is thrown away.
        record["gone"] = True
        while wire.connection.recv(1 << 18):
            pass
    elif name == "shut":
        connection.shutdown(socket.SHUT_WR)
    elif name == "close":
        return False
    elif name == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    else:
        raise ValueError(f"no such step: {name}")


def control(connection, target):
    what, _, argument = target.removeprefix("/control/").partition("/")
    if what == "records":
        # What a case left, once so many of its requests have come to an end.
        case, count = argument.rsplit("/", 1)
        NOTES.wait(lambda: len(NOTES.records[case]) >= int(count))
        said = NOTES.records.pop(case, [])
    elif what == "raw":
        with NOTES.changed:
            said = NOTES.raw.decode("latin-1")
            NOTES.raw.clear()
    elif what == "connections":
        said = NOTES.connections
    elif what == "open":
        NOTES.note(lambda: NOTES.open_gates.add(argument))
        said = True
    elif what == "wait":
        said = NOTES.wait(lambda: argument in NOTES.open_gates)
    body = json.dumps(said).encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def attend(connection):
    NOTES.note(lambda: setattr(NOTES, "connections", NOTES.connections + 1))
    try:
        serve(connection)
    finally:
        NOTES.note(lambda: setattr(NOTES, "connections", NOTES.connections - 1))


listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=attend, args=[connection], daemon=True).start()
