"""Whether the core is well. Open to everybody, so it says no more than that."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response, status
from pydantic import BaseModel

from toru import __version__
from toru.core.observer import Observer


class HealthAnswer(BaseModel):
    status: Literal["ok", "degraded"]
    version: str
    systemd: Literal["connected", "lost"]


def router(observer: Observer) -> APIRouter:
    routes = APIRouter()

    @routes.get("/api/health", responses={503: {"model": HealthAnswer}})
    def health(response: Response) -> HealthAnswer:
        """200 while the core is connected to systemd, 503 while it is not. Plugins run on either way."""
        if observer.connected:
            return HealthAnswer(status="ok", version=__version__, systemd="connected")
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return HealthAnswer(status="degraded", version=__version__, systemd="lost")

    return routes
