"""A proxy as one would write it first, on FastAPI and httpx: `with_fastapi PORT SOCKET`. For comparison."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

_OF_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "host"}


def make_app(path: str) -> FastAPI:
    client = httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=path, limits=httpx.Limits(max_connections=None)), timeout=60
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.api_route("/api/plugins/route/{plugin}/{rest:path}", methods=["GET", "POST"])
    async def forward(request: Request, rest: str) -> StreamingResponse:
        headers = [(name, value) for name, value in request.headers.items() if name not in _OF_CONNECTION]
        asked = client.build_request(request.method, f"http://plugin/{rest}", headers=headers, content=request.stream())
        answer = await client.send(asked, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name not in _OF_CONNECTION}
        return StreamingResponse(answer.aiter_raw(), answer.status_code, kept)

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[2]), port=int(sys.argv[1]), log_level="error", loop="uvloop", http="httptools")
