#!/usr/bin/python3
"""Looks around while it is asked for its metadata, and says in its description what it was able to do."""

import json
import os
import socket

METADATA = {}


def can(action):
    try:
        action()
    except OSError:
        return False
    return True


able = {
    "write beside itself": can(lambda: open(os.path.dirname(__file__) + "/spoor", "w")),
    "write beside /srv": can(lambda: open("/srv/spoor", "w")),
    "read /etc/shadow": can(lambda: open("/etc/shadow")),
    "reach the network": can(lambda: socket.create_connection(("127.0.0.1", 3000), timeout=1)),
    "be root": os.getuid() == 0,
    "see secrets": any("TOKEN" in name or "CREDENTIAL" in name for name in os.environ),
}
print(
    json.dumps({**METADATA, "description": "able to: " + (", ".join(what for what in able if able[what]) or "nothing")})
)
