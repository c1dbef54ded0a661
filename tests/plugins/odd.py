#!/usr/bin/python3
"""A plugin that goes wrong in one of many ways once it runs; its metadata are as they should be."""

import json
import os
import signal
import socket
import sys
import time

METADATA = {}
WAY = ""

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)

print(f"going wrong: {WAY}", flush=True)
if WAY == "crashes at once":
    sys.exit(3)
elif WAY == "exits 0 at once":
    sys.exit(0)
elif WAY == "forks":
    for _ in range(20):
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(1000)
            os._exit(0)
    time.sleep(1000)
elif WAY == "forks without end":
    children = 0
    while True:
        try:
            if os.fork() == 0:
                time.sleep(1000)
                os._exit(0)
            children += 1
        except OSError:
            print(f"stopped at {children} children", flush=True)
            time.sleep(1000)
elif WAY == "ignores SIGTERM":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1000)
elif WAY == "eats memory":
    hoard = []
    while True:
        hoard.append(os.urandom(1 << 20))
elif WAY == "never accepts":
    time.sleep(1000)
elif WAY == "burns the processor":
    while True:
        pass
elif WAY == "stops answering the watchdog":
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(b"READY=1\nWATCHDOG=1", os.environ["NOTIFY_SOCKET"])
    time.sleep(1000)
elif WAY == "forges events":
    forged = """MESSAGE=disabled victim
SYSLOG_IDENTIFIER=toru-admin
PRIORITY=5
_UID=0
_PID=1
TORU_EVENT=disabled
TORU_PLUGIN=victim
TORU_REASON=a lie
UNIT=toru-plugin-victim.service
INVOCATION_ID=00000000000000000000000000000000
MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c
UNIT_RESULT=exit-code
"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(forged.encode(), "/run/systemd/journal/socket")
    print("forged", flush=True)
    time.sleep(1000)
elif WAY == "lays a trap":
    # Where a socket should be: a link to a file that root should never touch.
    os.symlink("/etc/shadow", os.environ["TORU_PLUGIN_SOCKET"])
    time.sleep(1000)
