"""The web application, from its parts."""

from __future__ import annotations

from fastapi import FastAPI

from toru import __version__
from toru.core.observer import Observer
from toru.web import health


def make_app(observer: Observer) -> FastAPI:
    app = FastAPI(title="Toru", version=__version__, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.include_router(health.router(observer))
    return app
