"""FastAPI and Starlette apps as plugins."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from toru_plugin.asgi import AsgiPlugin
from toru_plugin.testing import serving

pytestmark = pytest.mark.req("LANG-1", "PROTO-7")

WHO = {"id": "mine", "name": "Mine", "route": "/mine"}
seen: list[str] = []


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    seen.append("start")
    yield {"words": "from the lifespan"}
    seen.append("stop")


app = FastAPI(lifespan=lifespan)


@app.get("/items/{item_id}")
def item(item_id: int, request: Request) -> dict[str, Any]:
    client = request.client.host if request.client else None
    return {"id": item_id, "query": dict(request.query_params), "words": request.state.words, "client": client}


@app.post("/echo")
async def echo(request: Request) -> StreamingResponse:
    return StreamingResponse(request.stream(), media_type="application/octet-stream")


@app.get("/url")
def url(request: Request) -> str:
    return str(request.url_for("item", item_id=7))


@app.get("/fails")
def fails() -> None:
    raise RuntimeError("a secret of the app")


def test_a_fastapi_app_is_a_plugin() -> None:
    seen.clear()
    with serving(AsgiPlugin(app, **WHO)) as client:
        headers = {"x-forwarded-for": "192.0.2.1", "x-forwarded-prefix": "/api/plugins/route/mine"}
        assert client.get("/items/7?a=b", headers=headers).json() == {
            "id": 7, "query": {"a": "b"}, "words": "from the lifespan", "client": "192.0.2.1"
        }  # fmt: skip
        assert client.get("/items/x").status == 422
        assert client.get("/nowhere", headers=headers).json() == {"detail": "Not Found"}
        assert client.post("/echo", bytes(range(256)) * 1000).body == bytes(range(256)) * 1000
        assert client.request("HEAD", "/docs").body == b""
        said = client.get("/url", headers={**headers, "host": "toru.example", "x-forwarded-proto": "https"}).json()
        assert said == "https://toru.example/api/plugins/route/mine/items/7"
        assert "/api/plugins/route/mine/openapi.json" in client.get("/docs", headers=headers).text
        assert seen == ["start"]
    assert seen == ["start", "stop"]


@pytest.mark.req("PROTO-5")
def test_an_app_that_fails_answers_500_and_keeps_its_secrets() -> None:
    with serving(AsgiPlugin(app, **WHO)) as client:
        answer = client.get("/fails")
        assert (answer.status, "secret" in answer.text) == (500, False)
        assert client.get("/items/1").status == 200


def test_a_starlette_app_is_a_plugin_and_its_handlers_hear_who_leaves() -> None:
    async def root(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("hello", headers={"set-cookie": "a=1"})

    with serving(AsgiPlugin(Starlette(routes=[Route("/", root)]), **WHO)) as client:
        answer = client.get("/")
        assert (answer.status, answer.text, answer.headers["set-cookie"]) == (200, "hello", "a=1")
        assert client.request("HEAD", "/").headers["content-length"] == "5"


def test_an_app_that_knows_no_lifespan_starts_all_the_same() -> None:
    async def bare(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"1"), (b"x", b"2")]})
        await send({"type": "http.response.body", "body": json.dumps(scope["path"]).encode() + body})

    with serving(AsgiPlugin(bare, **WHO)) as client:
        answer = client.post("/a%20b", b"!")
        assert (answer.text, answer.headers.all("x")) == ('"/a b"!', ["1", "2"])


def test_an_app_that_fails_to_start_is_no_plugin() -> None:
    @asynccontextmanager
    async def broken(_app: FastAPI) -> AsyncIterator[None]:
        if WHO["id"] == "mine":
            raise RuntimeError("no database")
        yield

    with pytest.raises(RuntimeError, match="no database"), serving(AsgiPlugin(FastAPI(lifespan=broken), **WHO)):
        raise AssertionError("it must not serve")
