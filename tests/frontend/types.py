"""What the front end knows of the API: frontend/src/api/schema.d.ts, made from the OpenAPI document. `make types`."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from tests.web.server import Site
from toru.store.engine import Database

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
SCHEMA = FRONTEND / "src/api/schema.d.ts"


def write(schema: Path = SCHEMA) -> None:
    with tempfile.TemporaryDirectory() as directory:
        document = Path(directory, "openapi.json")
        document.write_text(json.dumps(_document(Path(directory))))
        program = FRONTEND / "node_modules/.bin/openapi-typescript"
        command: list[str | Path] = [program, document, "--output", schema, "--alphabetize"]
        subprocess.run(command, cwd=FRONTEND, check=True, capture_output=True)


def _document(directory: Path) -> object:
    database = Database(f"sqlite:///{directory}/toru.db")
    try:
        return Site(database, directory).app.openapi()
    finally:
        database.close()


if __name__ == "__main__":
    write()
