"""`--dev`: a plugin without Toru, on a port, started again when a file beside it changes.

One process holds the port and watches; another serves, and is replaced. So nobody is refused meanwhile, and a plugin
that doesn't even start with a mistake in it is started again once that is mended.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from toru_plugin.exchange import Application
from toru_plugin.http1 import Http
from toru_plugin.link import Link
from toru_plugin.preview import Preview
from toru_plugin.process import Process, leave

WATCHED = {".css", ".html", ".js", ".json", ".py", ".toml"}
NOT_WATCHED = {"__pycache__", "build", "dist", "node_modules"}
LOOKS_EVERY = 0.3
STOPS_WITHIN = 3.0

_DESCRIPTOR = "TORU_DEV_DESCRIPTOR"


def run(application: Application, metadata: Mapping[str, Any], link: Link, *, address: str, port: int) -> NoReturn:
    inherited = os.environ.pop(_DESCRIPTOR, None)
    if inherited is None:
        _watch(metadata, address, port)
    listener = socket.socket(fileno=int(inherited))
    preview = Preview(application, metadata)
    process = Process(preview, lambda activity: Http(listener, preview, activity), link)
    leave(process.run())


def _watch(metadata: Mapping[str, Any], address: str, port: int) -> NoReturn:
    listener = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    where = f"[{address}]" if ":" in address else address
    print(f"{metadata['name']} is at http://{where}:{listener.getsockname()[1]}/", flush=True)
    folder = Path(sys.argv[0]).resolve().parent
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seen = _looks_of(folder)  # before: what changes while it starts is a change
    child = _start(listener)
    try:
        while True:
            time.sleep(LOOKS_EVERY)
            now = _looks_of(folder)
            if now == seen:
                continue
            changed = sorted(str(path.relative_to(folder)) for path, _ in set(now.items()) ^ set(seen.items()))
            print(f"{', '.join(dict.fromkeys(changed))} changed: starting again", flush=True)
            seen = now
            _stop(child)
            child = _start(listener)
    except KeyboardInterrupt:
        _stop(child)
        sys.exit(0)
    finally:
        _stop(child)


def _start(listener: socket.socket) -> subprocess.Popen[bytes]:
    command: list[str] = [sys.executable, *getattr(sys, "orig_argv", ["", *sys.argv])[1:]]
    environment = {**os.environ, _DESCRIPTOR: str(listener.fileno())}
    return subprocess.Popen(command, pass_fds=[listener.fileno()], env=environment)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _looks_of(folder: Path) -> dict[Path, int]:
    looks: dict[Path, int] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in NOT_WATCHED]
        for name in names:
            path = Path(place, name)
            if path.suffix in WATCHED:
                try:
                    looks[path] = path.stat().st_mtime_ns
                except FileNotFoundError:
                    continue  # gone between the two looks
    return looks
