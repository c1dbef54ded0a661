"""A PostgreSQL of the tests' own: Debian's, in a directory of its own, gone with the tests."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT
from typing import Self

import psycopg

USER = "postgres"

# Nobody needs what a test wrote after a power cut.
SETTINGS = {"listen_addresses": "", "fsync": "off", "max_connections": "60", "shared_buffers": "32MB"}


class PostgreSql:
    """A running server that only its Unix socket leads to."""

    def __init__(self, directory: Path, process: subprocess.Popen[str]) -> None:
        self.directory = directory
        self.process = process
        self._numbers = itertools.count()

    @classmethod
    def start(cls, **settings: str) -> Self:
        # Not the test's own temporary directory, which is closed to other users.
        directory = Path(tempfile.mkdtemp(prefix="toru-postgresql-"))
        shutil.chown(directory, USER, USER)
        data = directory / "data"
        made = _as_its_user(
            _program("initdb"), "-D", data, "--auth=trust", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"
        )
        said, _ = made.communicate(timeout=60)
        assert made.returncode == 0, said
        options = [f"-c{name}={value}" for name, value in {**SETTINGS, **settings}.items()]
        server = _as_its_user(_program("postgres"), "-D", data, f"-cunix_socket_directories={directory}", *options)
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if "ready to accept connections" in line:
                return cls(directory, server)
        raise AssertionError(said)

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"toru{next(self._numbers)}"
        with psycopg.connect(host=str(self.directory), user=USER, dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://{USER}@/{name}?host={self.directory}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=60)
        shutil.rmtree(self.directory)


def _program(name: str) -> Path:
    # Debian keeps each version's programs to itself.
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    assert found, "there is no PostgreSQL: make setup installs it"
    return found[-1]


def _as_its_user(*argv: object) -> subprocess.Popen[str]:
    # It refuses to run as root, and must not outlive us. SIGQUIT: stop at once.
    become = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--pdeathsig=QUIT", "--"]
    return subprocess.Popen([*become, *map(str, argv)], stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, text=True, cwd="/")
