#!/usr/bin/python3
"""Writes numbered lines, as many as COUNT says, each time that somebody connects; and one when it is ready."""

import json
import socket
import sys

METADATA = {}
COUNT = 1000

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)

listener = socket.socket(fileno=3)
number = 0
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    connection.close()
    for number in range(number + 1, number + COUNT + 1):
        print(f"line {number}", flush=True)
