"""The least that the core could be: FastAPI on uvicorn, with the libraries that the core has, and nothing of Toru's.

`python -m tests.bench.bare SOCKET FILE` answers every GET / with what is in the file.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STARTS_WITHIN = 30


@dataclass(frozen=True, slots=True)
class Bare:
    pid: int
    socket: Path


@contextmanager
def serving(body: str) -> Iterator[Bare]:
    """Such a server, which answers with this."""
    with tempfile.TemporaryDirectory() as directory:
        path, content = Path(directory, "socket"), Path(directory, "content")
        content.write_text(body)
        with subprocess.Popen([sys.executable, "-m", "tests.bench.bare", path, content]) as process:
            try:
                deadline = time.monotonic() + STARTS_WITHIN
                while not path.is_socket():
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit("the bare server did not start")
                    time.sleep(0.01)
                yield Bare(process.pid, path)
            finally:
                process.terminate()


def main() -> None:
    import alembic.command  # noqa: F401, PLC0415  here and below: what the core imports
    import argon2  # noqa: F401, PLC0415
    import dbus_fast.aio  # noqa: F401, PLC0415
    import sqlmodel  # noqa: F401, PLC0415
    import systemd.journal  # noqa: F401, PLC0415
    import uvicorn  # noqa: PLC0415
    import uvloop  # noqa: F401, PLC0415
    from fastapi import FastAPI, Response  # noqa: PLC0415

    path, content = sys.argv[1:]
    body = Path(content).read_bytes()
    app = FastAPI(openapi_url=None)

    @app.get("/")
    async def whole() -> Response:
        return Response(body, media_type="application/json")

    uvicorn.run(app, uds=path, http="httptools", loop="uvloop", log_level="error", access_log=False)


if __name__ == "__main__":
    main()
