#!/usr/bin/python3
"""Serves on the inherited socket, and writes to the journal what no honest plugin would."""

import json
import socket
import sys

METADATA = {"id": "chatty"}
LINES = ["hello"]
ENTRIES = [[["MESSAGE", "hello"]]]

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)


def field(name: str, value: str) -> bytes:
    """A field of journald's native protocol, in the form that allows any bytes (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""
    data = value.encode()
    return b"%s\n%s%s\n" % (name.encode(), len(data).to_bytes(8, "little"), data)


for line in LINES:
    print(line, flush=True)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
    for entry in ENTRIES:
        journal.sendto(b"".join(field(name, value) for name, value in entry), "/run/systemd/journal/socket")

listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    connection.close()
