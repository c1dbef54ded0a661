"""A PostgreSQL of the tests' own: Debian's, in a directory of its own, gone with the tests."""

from __future__ import annotations

import itertools
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from typing import Any, Self

import psycopg

USER = "postgres"

# Nobody needs what a test wrote after a power cut.
SETTINGS = {"listen_addresses": "", "fsync": "off", "max_connections": "60", "shared_buffers": "32MB"}

SOCKET = ".s.PGSQL.5432"
"""As libpq looks for it, in the directory that it is told of."""


class PostgreSql:
    """A server that only its Unix socket leads to."""

    def __init__(self, directory: Path, settings: dict[str, str]) -> None:
        self.directory = directory
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()

    @classmethod
    def start(cls, **settings: str) -> Self:
        # Not the test's own temporary directory, which is closed to other users.
        directory = Path(tempfile.mkdtemp(prefix="toru-postgresql-"))
        shutil.chown(directory, USER, USER)
        server = cls(directory, {**SETTINGS, **settings})
        options = ("--auth=trust", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8")
        made = server._run("initdb", "-D", directory / "data", *options)
        assert made.wait(60) == 0, server._said()
        server.serve()
        return server

    def serve(self) -> None:
        """Returns when it answers."""
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        data, sockets = self.directory / "data", f"-cunix_socket_directories={self.directory}"
        self._process = self._run("postgres", "-D", data, sockets, *options)
        deadline = time.monotonic() + 60
        while True:
            with suppress(psycopg.OperationalError), self._connected():
                return
            assert self._process.poll() is None, self._said()
            assert time.monotonic() < deadline, self._said()
            time.sleep(0.05)

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it in order, or with SIGQUIT as in a crash. What was committed is there when it serves again."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(60)

    def new_database(self, seen_at: Path | None = None) -> str:
        """Make an empty database and return its URL, for who sees the server's socket here or elsewhere."""
        name = f"toru{next(self._numbers)}"
        with self._connected() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://{USER}@/{name}?host={seen_at or self.directory}"

    def rows(self, url: str, question: str) -> list[Any]:
        """What the database itself says, whoever wrote to it."""
        name = url.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(host=str(self.directory), user=USER, dbname=name) as connection:
            return connection.execute(question.encode()).fetchall()

    def stop(self) -> None:
        self.end()
        shutil.rmtree(self.directory)

    def _connected(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.directory), user=USER, dbname="postgres", autocommit=True)

    def _run(self, program: str, *arguments: object) -> subprocess.Popen[bytes]:
        # It refuses to run as root, and must not outlive us. SIGQUIT: stop at once.
        become = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--pdeathsig=QUIT", "--"]
        command = [*become, str(_program(program)), *map(str, arguments)]
        with (self.directory / "log").open("ab") as log:
            return subprocess.Popen(command, stdin=DEVNULL, stdout=log, stderr=STDOUT, cwd="/")

    def _said(self) -> str:
        return (self.directory / "log").read_text(errors="replace")


def _program(name: str) -> Path:
    # Debian keeps each version's programs to itself.
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    assert found, "there is no PostgreSQL: make setup installs it"
    return found[-1]
