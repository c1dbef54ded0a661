"""Plugins for tests/gateway/server.py, each as the text of a program."""

TELLS = """
import json, threading
gates = {}
def gate(name):
    return gates.setdefault(name, threading.Event())
def serve(connection):
    while head := read_head(connection):
        head, _, body = head.partition(b"\\r\\n\\r\\n")
        first, *lines = head.decode("latin-1").split("\\r\\n")
        method, target, _ = first.split(" ")
        pairs = [line.split(": ", 1) for line in lines]
        said = dict((name.lower(), value) for name, value in pairs)
        length = int(said.get("content-length", 0))
        while len(body) < length or ("transfer-encoding" in said and not body.endswith(b"0\\r\\n\\r\\n")):
            part = connection.recv(65536)
            if not part:
                return
            body += part
        what, _, argument = target.lstrip("/").partition("/")
        if what == "hold":
            gate("held " + argument).set()
            gate(argument).wait(30)
        elif what == "held":
            assert gate("held " + argument).wait(30)
        elif what == "release":
            gate(argument).set()
        elif what == "until-gone":
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\n\\r\\ndata: 1\\n\\n")
            gate("gone").clear()
            assert connection.recv(1) == b""
            gate("gone").set()
            return
        elif what == "gone":
            assert gate("gone").wait(30)
        answer = json.dumps({"method": method, "target": target, "headers": pairs, "body": body.decode("latin-1"),
            "pid": os.getpid()}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%b" % (len(answer), answer))
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
"""
"""Says what it was asked. `/hold/x` waits for `/release/x`; `/held/x` waits until somebody holds; `/until-gone` and
`/gone` are for who leaves."""

FORGETFUL = """
count = 0
while True:
    connection, _ = listener.accept()
    count += 1
    if count == 1:
        # Answers, and then closes without reading what comes next: as who ends while the next request is under way.
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nfirst")
        while len(connection.recv(1, socket.MSG_PEEK)) == 0:
            pass
        connection.close()
        continue
    head = read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 6\\r\\n\\r\\nsecond")
    connection.close()
"""

NEVER_READS = """
connection, _ = listener.accept()
while len(connection.recv(1, socket.MSG_PEEK)) == 0:
    pass
connection.close()
connection, _ = listener.accept()
read_head(connection)
connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 6\\r\\n\\r\\nsecond")
connection.close()
"""
"""The first of its connections: so ends who was told to before it came to that one."""

READS_AND_CLOSES = """
count = 0
while True:
    connection, _ = listener.accept()
    while head := read_head(connection):
        count += 1
        if b" /count " in head:
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n%2d" % count)
        elif b" /first " in head:
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        else:
            break
    connection.close()
"""

POURS = """
sent = 0
connection, _ = listener.accept()
read_head(connection)
connection.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
try:
    while True:
        sent += connection.send(b"x" * 65536)
except OSError:
    pass
connection, _ = listener.accept()
read_head(connection)
answer = b"%20d" % sent
connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 20\\r\\n\\r\\n" + answer)
"""
"""An answer without end, and then how much of it went out."""

CROSSES = """
# As Go's server when it is told to end: it closes the connections that it kept, and drops what has just come by them.
count = 0
while True:
    connection, _ = listener.accept()
    count += 1
    read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n%2d" % count)
    read_head(connection)
    connection.close()
"""

COUNTS_CONNECTIONS = """
import select
count = 0
while True:
    connection, _ = listener.accept()
    count += 1
    read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 2\\r\\n\\r\\n%2d" % count)
    connection.close()
"""

PIECE = 1 << 14
PIECES = """
import queue, threading
OK = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
wanted = queue.Queue()
def serve(connection):
    while head := read_head(connection):
        what = head.split(b" ")[1]
        if what == b"/pieces":
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
            end = b""
            while not end:
                end = wanted.get()
                connection.sendall(b"4000\\r\\n" + b"x" * 0x4000 + b"\\r\\n" + end)
            continue
        if what in {b"/more", b"/last"}:
            wanted.put(b"0\\r\\n\\r\\n" if what == b"/last" else b"")
        connection.sendall(OK)
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
"""
"""The answer to `/pieces` comes piece by piece, each when somebody asks for `/more` or the `/last` one."""
