#!/usr/bin/python3
"""A FastAPI app that is a plugin by its last line: links that everybody on this host should find."""

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field, HttpUrl
from toru_plugin import asgi

DATABASE = Path(os.environ.get("STATE_DIRECTORY", "."), "links.db")
SCHEMA = """CREATE TABLE IF NOT EXISTS links (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, url TEXT NOT NULL UNIQUE, added_by TEXT NOT NULL)"""


class NewLink(BaseModel):
    title: str = Field(min_length=1, max_length=120)
    url: HttpUrl


class Link(NewLink):
    id: int
    added_by: str


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    with sqlite3.connect(DATABASE) as database:
        database.execute(SCHEMA)
    database.close()
    yield


def opened() -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(DATABASE, check_same_thread=False)
    database.row_factory = sqlite3.Row
    try:
        with database:
            yield database
    finally:
        database.close()


Database = Annotated[sqlite3.Connection, Depends(opened)]
app = FastAPI(title="Links", lifespan=lifespan)


@app.get("/links")
def links(database: Database) -> list[Link]:
    rows = database.execute("SELECT * FROM links ORDER BY title COLLATE NOCASE").fetchall()
    return [Link(**dict(row)) for row in rows]


@app.post("/links", status_code=201)
def add(link: NewLink, database: Database, x_toru_user: Annotated[str, Header()] = "") -> Link:
    try:
        row = database.execute(
            "INSERT INTO links (title, url, added_by) VALUES (?, ?, ?) RETURNING *",
            (link.title, str(link.url), x_toru_user),
        ).fetchone()
    except sqlite3.IntegrityError:
        raise HTTPException(409, "this link is there already") from None
    return Link(**dict(row))


@app.delete("/links/{link_id}", status_code=204)
def remove(link_id: int, database: Database) -> None:
    if not database.execute("DELETE FROM links WHERE id = ?", (link_id,)).rowcount:
        raise HTTPException(404, "there is no such link")


if __name__ == "__main__":
    asgi.run(app, id="links", name="Links", icon="🔗", route="/links", version="1.0.0", bundle="bundle.js")
