#!/usr/bin/python3
"""A web server on the inherited socket. `/crash` kills it, `/exit` ends it well, `/slow` takes its time.

`/headers`, `/environment` and `/credential` say what it was given."""

import json
import os
import signal
import socket
import sys
import threading
import time

METADATA = {}
EXITS_WHEN_IDLE_FOR = None
CRASHES_AFTER = None
NOTIFIES = False

if sys.argv[1:2] == ["--metadata"]:
    print(json.dumps(METADATA))
    sys.exit(0)


def serve(connection):
    with connection:
        head = b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(65536)
            if not part:
                return
            head += part
        path = head.split()[1].decode()
        if path == "/crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if path == "/slow":
            time.sleep(0.5)
        if path == "/credential":
            answer = open(os.environ["CREDENTIALS_DIRECTORY"] + "/toru-token").read()
        elif path == "/environment":
            answer = dict(os.environ)
        elif path == "/headers":
            answer = head.decode("latin-1").split("\r\n")[1:-2]
        else:
            answer = {"pid": os.getpid(), "uid": os.getuid(), "path": path, "version": METADATA.get("version")}
        body = json.dumps(answer).encode()
        length = len(body)
        if head.startswith(b"HEAD "):
            body = b""
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (length, body))
        if path == "/exit":
            connection.close()
            os._exit(0)


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])


print(f"serving as {os.getpid()}", flush=True)
listener = socket.socket(fileno=3)
listener.settimeout(0.05)
at_work = []
idle_since = time.monotonic()
told_to_end = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: told_to_end.set())
if CRASHES_AFTER is not None:
    threading.Timer(CRASHES_AFTER, os._exit, [7]).start()
if NOTIFIES:
    notify("READY=1")
while not told_to_end.is_set():
    try:
        connection, _ = listener.accept()
    except TimeoutError:
        if EXITS_WHEN_IDLE_FOR is not None and time.monotonic() - idle_since > EXITS_WHEN_IDLE_FOR:
            print("idle", flush=True)
            os._exit(0)
        continue
    connection.settimeout(None)
    idle_since = time.monotonic()
    at_work = [thread for thread in at_work if thread.is_alive()]
    at_work.append(threading.Thread(target=serve, args=[connection]))
    at_work[-1].start()
# What it has accepted is its own to finish; whoever still waits in the socket is served by the next process.
for thread in at_work:
    thread.join()
os._exit(0)
