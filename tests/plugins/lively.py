#!/usr/bin/python3
"""A web server on the inherited socket that has something to show: memory, work, and lines in the log, over and over."""

import json
import os
import socket
import sys
import threading
import time

METADATA = {}
LINES = ["ready"]
AGAIN_EVERY = None
MEMORY_MIB = 0
WORKS = 0.0
DIES_AFTER = None

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps({"protocol": "http", **METADATA}))
    sys.exit(0)


def say():
    while True:
        for line in LINES:
            print(line if isinstance(line, str) else json.dumps(line), flush=True)
        if AGAIN_EVERY is None:
            return
        time.sleep(AGAIN_EVERY)


def work():
    while True:
        end = time.monotonic() + WORKS * 0.5
        while time.monotonic() < end:
            pass
        time.sleep((1 - WORKS) * 0.5)


kept = bytearray(os.urandom(1)) * (MEMORY_MIB << 20)
threading.Thread(target=say, daemon=True).start()
if WORKS:
    threading.Thread(target=work, daemon=True).start()
if DIES_AFTER is not None:
    threading.Timer(DIES_AFTER, os._exit, [7]).start()
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
