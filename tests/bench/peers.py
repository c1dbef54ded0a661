"""What the gateway is compared with, in front of the same plugins, each with one process and one thread.

nginx, HAProxy             Debian's packages
configurable-http-proxy    JupyterHub's, by npm, on node
FastAPI with httpx         what one would write first
bytes on uvloop            the least that there can be in Python: it passes on what it doesn't read
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench import processes
from tests.bench.driver import property_of, run
from toru.domain import places
from toru.domain.ids import PluginId

WHERE = Path(__file__).parents[2] / "build" / "peers"
"""Where set-up has unpacked them."""
RUNNING = Path("/run/toru-bench")
PREFIX = "/api/plugins/route"

TORU = "Toru"
NGINX, HAPROXY, CHP, FASTAPI, BYTES = (
    "nginx", "HAProxy", "configurable-http-proxy", "FastAPI with httpx", "bytes on uvloop",
)  # fmt: skip

NGINX_CONF = """\
user root;
worker_processes 1;
daemon off;
pid {running}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {running}/body;
    proxy_temp_path {running}/proxy;
    fastcgi_temp_path {running}/fastcgi;
    uwsgi_temp_path {running}/uwsgi;
    scgi_temp_path {running}/scgi;
    client_max_body_size 0;
    proxy_request_buffering off;
    keepalive_requests 1000000000;
    map $http_upgrade $to_say {{ default upgrade; '' ''; }}
    {upstreams}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Connection $to_say;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header X-Forwarded-For $remote_addr;
        {locations}
    }}
}}
"""
NGINX_UPSTREAM = "upstream {id} {{ server unix:{path}; keepalive 256; keepalive_requests 1000000000; }}"
NGINX_LOCATION = "location {prefix}/{id}/ {{ proxy_pass http://{id}/; }}"

HAPROXY_CONF = """\
global
    nbthread 1
    maxconn 8192
defaults
    mode http
    http-reuse always
    option forwardfor
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
frontend all
    bind 127.0.0.1:{port} backlog 4096
{uses}
{backends}
"""
HAPROXY_USE = "    use_backend {id} if {{ path_beg {prefix}/{id}/ }}"
HAPROXY_BACKEND = """\
backend {id}
    http-request replace-path {prefix}/{id}(/.*) \\1
    server plugin unix@{path}
"""


@dataclass(frozen=True)
class Peer:
    name: str
    port: int
    pid: int
    """Of the process that does the work."""

    def url(self, plugin: str, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}/{plugin}{path}"

    def processor(self) -> float:
        """Seconds that it has been busy for."""
        return processes.processor(self.pid)

    def most_memory(self) -> int:
        """In bytes, since `forget_most_memory`."""
        return _status(self.pid, "VmHWM")

    def forget_most_memory(self) -> int:
        """How much it is now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # proc(5)
        return _status(self.pid, "VmRSS")

    def memory(self) -> int:
        """In bytes: the proportional share."""
        return processes.memory(self.pid)


def _status(pid: int, key: str) -> int:
    found = re.search(rf"^{key}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) << 10


@contextmanager
def peers(*wanted: str, plugins: Mapping[str, Path]) -> Iterator[list[Peer]]:
    """Those of the wanted that are to be had, Toru last, in front of these plugins; id → socket."""
    shutil.rmtree(RUNNING, ignore_errors=True)
    RUNNING.mkdir()
    with ExitStack() as all_of_them:
        running = []
        for name in wanted:
            port = _free_port()
            if (command := _COMMANDS[name](port, plugins)) is None:
                continue
            process = all_of_them.enter_context(_running(name, command))
            _until_it_listens(port, process)
            running.append(Peer(name, port, _worker(process.pid)))
        listens = property_of("toru.socket", "Listen")
        found = re.search(r"127\.0\.0\.1:(\d+)", listens)
        assert found, listens
        running.append(Peer(TORU, int(found[1]), int(property_of("toru.service", "MainPID"))))
        yield running


def _nginx(port: int, plugins: Mapping[str, Path]) -> list[str] | None:
    if (program := _program("nginx")) is None:
        return None
    text = NGINX_CONF.format(
        running=RUNNING,
        port=port,
        upstreams="\n".join(NGINX_UPSTREAM.format(id=name, path=path) for name, path in plugins.items()),
        locations="\n".join(NGINX_LOCATION.format(id=name, prefix=PREFIX) for name in plugins),
    )
    return [program, "-p", str(RUNNING), "-e", "stderr", "-c", _written("nginx.conf", text)]


def _haproxy(port: int, plugins: Mapping[str, Path]) -> list[str] | None:
    if (program := _program("haproxy")) is None:
        return None
    text = HAPROXY_CONF.format(
        port=port,
        uses="\n".join(HAPROXY_USE.format(id=name, prefix=PREFIX) for name in plugins),
        backends="\n".join(HAPROXY_BACKEND.format(id=name, prefix=PREFIX, path=path) for name, path in plugins.items()),
    )
    return [program, "-db", "-f", _written("haproxy.conf", text)]


def _configurable_http_proxy(port: int, plugins: Mapping[str, Path]) -> list[str] | None:
    script = WHERE / "npm/node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    if not script.exists() or shutil.which("node") is None:
        return None
    (path,) = plugins.values()
    target = "unix+http://" + str(path).replace("/", "%2F")
    ports = ["--ip", "127.0.0.1", "--port", str(port), "--api-ip", "127.0.0.1", "--api-port", str(_free_port())]
    return ["node", str(script), *ports, "--log-level", "error", "--default-target", target]


def _fastapi(port: int, plugins: Mapping[str, Path]) -> list[str] | None:
    (path,) = plugins.values()
    return [sys.executable, "-m", "tests.bench.with_fastapi", str(port), str(path)]


def _bytes(port: int, plugins: Mapping[str, Path]) -> list[str] | None:
    (path,) = plugins.values()
    return [sys.executable, "-m", "tests.bench.with_uvloop", str(port), str(path)]


_COMMANDS = {
    NGINX: _nginx,
    HAPROXY: _haproxy,
    CHP: _configurable_http_proxy,
    FASTAPI: _fastapi,
    BYTES: _bytes,
}


def _program(name: str) -> str | None:
    own = WHERE / "usr/sbin" / name
    return str(own) if own.exists() else shutil.which(name)


def _written(name: str, text: str) -> str:
    path = RUNNING / name
    path.write_text(text)
    return str(path)


@contextmanager
def _running(name: str, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    # Libraries that were unpacked beside the program.
    libraries = ":".join(map(str, WHERE.glob("usr/lib/*-linux-*")))
    with (RUNNING / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, env={**os.environ, "LD_LIBRARY_PATH": libraries})
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def _worker(pid: int) -> int:
    """nginx has a master, which does nothing, and one worker."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if len(children) == 1 else pid


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.01)
    said = "\n".join(log.read_text() for log in RUNNING.glob("*.log"))
    raise SystemExit(f"{process.args!r} does not listen: {said}")


# A plugin that costs as little as one can.

LIGHT = """\
#!/bin/sh
if [ "$1" = --metadata ]; then
    echo '{{"id": "{id}", "name": "{id}", "version": "1", "route": "/{id}", "protocol": "http"}}'
    exit
fi
cd "$RUNTIME_DIRECTORY" && mkdir -p logs && cat >conf <<'END'
daemon off;
worker_processes 1;
pid pid;
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    keepalive_requests 1000000000;
    sendfile on;
    server {{
        listen unix:{socket};
        location ~ /small$ {{ return 200 "{small}"; }}
        location ~ /([^/]*)$ {{ alias {files}/$1; }}
    }}
}}
END
# nginx takes the socket that systemd has handed over as if another nginx had.
NGINX="3;" exec {nginx} -p "$RUNTIME_DIRECTORY" -e stderr -c conf
"""


def plant_light(plugin_id: PluginId, files: Path) -> None:
    """nginx itself as a plugin: `/small` is 1 kB, everything else a file."""
    text = LIGHT.format(
        id=plugin_id, socket=plugin_id.socket_path, small="x" * 1000, files=files, nginx=_program("nginx")
    )
    path = places.PLUGINS / f"{plugin_id}.binary"
    path.write_text(text)
    path.chmod(0o755)
    run("systemctl", "start", "toru-scan.service")
