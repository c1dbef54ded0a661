"""nginx and Caddy before Toru, as docs/proxy.md has them set up, with ports and a certificate of the moment."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.docs.pages import TREE, blocks
from tests.hosts.private import PrivateHost

PAGE = "docs/proxy.md"
SOMEBODY = "127.0.0.2"
"""Whose requests come from there."""
PATIENCE = 30
"""Seconds of a client's, with a busy machine."""

NGINX_CONF = """\
daemon off;
pid {directory}/nginx.pid;
worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
{ours}
}}
"""

CADDYFILE = """\
{{
	admin off
	auto_https off
	grace_period 1ms
}}

{ours}
"""


@dataclass(frozen=True)
class Certificate:
    name: str
    file: Path
    key: Path

    @classmethod
    def made(cls, name: str, directory: Path) -> Certificate:
        """One for the occasion, that speaks for itself."""
        file, key = directory / f"{name}.crt", directory / f"{name}.key"
        for_whom = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
        subprocess.run(
            ["openssl", "req", *kind, *for_whom, "-keyout", key, "-out", file], check=True, capture_output=True
        )
        return cls(name, file, key)


@dataclass(frozen=True)
class Site:
    """Toru as its users reach it."""

    name: str
    port: int
    plain_port: int
    """Where nginx speaks HTTP without TLS, if it has the name for itself."""
    base: str
    """The path that everything of Toru's is below; "" where it has the name for itself."""
    certificate: Certificate
    host: PrivateHost

    @cached_property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate.file))

    def client(self, **options: Any) -> httpx.Client:
        """Somebody's browser."""
        transport = httpx.HTTPTransport(verify=self.tls, local_address=SOMEBODY)

        def by_name(request: httpx.Request) -> None:
            request.extensions["sni_hostname"] = self.name

        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}{self.base}",
            headers={"Host": self.name},
            transport=transport,
            event_hooks={"request": [by_name]},
            timeout=PATIENCE,
            **options,
        )

    @contextmanager
    def signed_in(self, password: str) -> Iterator[httpx.Client]:
        with self.client() as client:
            assert client.post("/api/auth/login", json={"name": "admin", "password": password}).status_code == 200
            yield client

    def websocket(self, path: str, client: httpx.Client, *, origin: str | None = None) -> ClientConnection:
        cookie = f"session_id={client.cookies['session_id']}"
        return connect(
            f"wss://{self.name}{self.base}{path}",
            sock=socket.create_connection(("127.0.0.1", self.port), source_address=(SOMEBODY, 0)),
            ssl=self.tls,
            additional_headers={"Cookie": cookie},
            origin=origin,  # type: ignore[arg-type]  # any text
            open_timeout=PATIENCE,
        )


@contextmanager
def served(kind: str, *, below_a_path: bool, host: PrivateHost, directory: Path) -> Iterator[Site]:
    """What the page shows for this web server, at work."""
    block = blocks(kind, page=PAGE)[below_a_path]
    name = "example.com" if below_a_path else "toru.example.com"
    certificate = Certificate.made(name, directory)
    with _port() as port, _port() as plain_port, (directory / "log").open("wb") as log:
        site = Site(name, port, plain_port, "/toru" if below_a_path else "", certificate, host)
        text = _replaced(block.text, "127.0.0.1:3000", f"127.0.0.1:{host.trial.port}")
        command = {"nginx": _nginx, "caddy": _caddy}[kind](text, site, directory)
        # What a server needs of its own lies where it is unpacked, and it keeps what it keeps in the test's directory.
        environment = {**os.environ, "HOME": str(directory), "XDG_DATA_HOME": str(directory)}
        process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log, env=environment)
        try:
            host.wait_for(f"{kind} to listen", lambda: _listens(site.port) or process.poll() is not None)
            assert process.poll() is None, (directory / "log").read_text()
            yield site
        except BaseException:
            sys.stderr.write((directory / "log").read_text())
            raise
        finally:
            process.terminate()
            process.wait()


def _nginx(text: str, site: Site, directory: Path) -> list[str]:
    text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
    text = _replaced(text, "listen 443", f"listen 127.0.0.1:{site.port}")
    text = text.replace("listen 80", f"listen 127.0.0.1:{site.plain_port}")
    text = _replaced(text, f"/etc/letsencrypt/live/{site.name}/fullchain.pem", str(site.certificate.file))
    text = _replaced(text, f"/etc/letsencrypt/live/{site.name}/privkey.pem", str(site.certificate.key))
    configuration = directory / "nginx.conf"
    configuration.write_text(NGINX_CONF.format(directory=directory, ours=text))
    return [_program("nginx"), "-e", "stderr", "-p", str(directory), "-c", str(configuration)]


def _caddy(text: str, site: Site, directory: Path) -> list[str]:
    begins = f"https://{site.name}:{site.port} {{\n\tbind 127.0.0.1\n"
    begins += f"\ttls {site.certificate.file} {site.certificate.key}\n"
    configuration = directory / "Caddyfile"
    configuration.write_text(CADDYFILE.format(ours=_replaced(text, f"{site.name} {{\n", begins)))
    return [_program("caddy"), "run", "--adapter", "caddyfile", "--config", str(configuration)]


def _replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} in {text}"
    return text.replace(old, new)


def _program(name: str) -> str:
    unpacked = sorted((TREE / "build/servers").glob(f"usr/*bin/{name}"))
    found = str(unpacked[0]) if unpacked else shutil.which(name)
    assert found is not None, f"there is no {name}: make setup unpacks it in build/servers"
    return found


@contextmanager
def _port() -> Iterator[int]:
    """One that is nobody else's meanwhile: the kernel gives to none what is bound, and lets servers listen there."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        yield port


def _listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False
