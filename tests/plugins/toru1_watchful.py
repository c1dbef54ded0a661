#!/usr/bin/python3
"""A plugin of toru/1 that takes as many connections as come, and tells how many messages it ever had at once."""

import json
import os
import socket
import sys
import threading
import time

METADATA = {}

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)

lock = threading.Lock()
now = most = 0


def read(connection):
    prefix = connection.recv(4)
    if not prefix:
        return None
    data = b""
    while len(data) < int.from_bytes(prefix, "big"):
        data += connection.recv(65536)
    return json.loads(data)


def serve(connection):
    global now, most
    with connection:
        while (message := read(connection)) is not None:
            if message["payload"].get("action") == "shutdown":
                os._exit(0)
            if message["type"] != "http":
                continue
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.005)
            with lock:
                now -= 1
            answer = {
                "type": "http",
                "timestamp": message["timestamp"],
                "request_id": message["request_id"],
                "payload": {"status": 200, "headers": {}, "body": json.dumps({"most": most})},
            }
            data = json.dumps(answer).encode()
            connection.sendall(len(data).to_bytes(4, "big") + data)


path = os.environ["TORU_PLUGIN_SOCKET"]
os.makedirs(os.path.dirname(path), exist_ok=True)
if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(path)
listener.listen(5)
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
