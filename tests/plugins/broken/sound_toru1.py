#!/usr/bin/python3
"""A sound toru/1 plugin, for others to break in one place."""

import json
import os
import socket
import sys

METADATA = {"id": "broken", "name": "Broken", "version": "1", "route": "/broken"}
LARGEST = 16 * 1024 * 1024


class Bad(Exception):
    pass


class Toru1:
    metadata = METADATA

    def serve(self):
        with self.listener() as listener:
            print("<6>serving", flush=True)
            while True:
                connection, _ = listener.accept()
                with connection:
                    self.attend(connection)

    def listener(self):
        path = os.environ["TORU_PLUGIN_SOCKET"]
        self.make_room(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(5)
        return listener

    def make_room(self, path):
        if os.path.exists(path):
            os.unlink(path)

    def attend(self, connection):
        try:
            while (message := self.read(connection)) is not None:
                self.take(connection, message)
        except (Bad, OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # and it is closed

    def read(self, connection):
        length = int.from_bytes(self.exactly(connection, 4), "big")
        if length == 0:
            return None
        self.check(length)
        return json.loads(self.exactly(connection, length))

    def check(self, length):
        if length > LARGEST:
            raise Bad

    def exactly(self, connection, count):
        data = bytearray()
        while len(data) < count and (part := connection.recv(min(count - len(data), 1 << 20))):
            data += part
        return data

    def take(self, connection, message):
        payload = message["payload"]
        if payload.get("action") == "init":
            self.init(payload)
        elif payload.get("action") == "shutdown":
            self.shutdown()
        elif message["type"] == "http":
            self.answer(connection, message["request_id"], payload["payload"])

    def init(self, payload):
        self.instance_id = payload["instance_id"]

    def shutdown(self):
        sys.exit(0)

    def answer(self, connection, request_id, request):
        body = json.dumps({"method": request["method"], "path": request["path"]})
        self.send(connection, request_id, {"status": 200, "headers": {"content-type": "text/plain"}, "body": body})

    def send(self, connection, request_id, payload):
        message = {"type": "http", "timestamp": "2026-01-01T00:00:00Z", "request_id": request_id, "payload": payload}
        data = json.dumps(message).encode()
        connection.sendall(len(data).to_bytes(4, "big") + data)


def main(plugin):
    if sys.argv[1:] == ["--metadata"]:
        print(json.dumps(plugin.metadata))
    else:
        plugin.serve()


if __name__ == "__main__":
    main(Toru1())
