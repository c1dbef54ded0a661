"""The web application, from its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from toru import __version__
from toru.core.accounts import Accounts
from toru.core.history import History
from toru.core.host import Host
from toru.core.inspection import Inspector
from toru.core.journals import Journals
from toru.core.kv import Kv
from toru.core.live import Live
from toru.core.observer import Observer
from toru.core.plugins import Plugins
from toru.core.traffic import AllTraffic
from toru.core.wishing import Wishing
from toru.domain.policy import Policy
from toru.store.engine import Database
from toru.web import (
    auth,
    bundles,
    events,
    figures,
    health,
    kv,
    logs,
    manager,
    metrics,
    plugins,
    problems,
    runs,
    sessions,
    stream,
    tokens,
    units,
    users,
    why,
)
from toru.web.caller import AnyCaller, Callers, PluginTokens
from toru.web.edge import Edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes are made from."""

    policy: Policy
    observer: Observer
    accounts: Accounts
    plugin_tokens: PluginTokens
    plugins: Plugins
    wishing: Wishing
    inspector: Inspector
    live: Live
    history: History
    host: Host
    journals: Journals
    database: Database
    kv: Kv
    traffic: AllTraffic = field(default_factory=AllTraffic)


def make_app(parts: Parts) -> FastAPI:
    app = _Application(
        title="Toru",
        version=__version__,
        openapi_url=None,  # ours asks who it is for
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.callers = Callers(parts.accounts, parts.plugin_tokens)
    app.add_middleware(Edge)
    problems.handle(app)
    for router in (
        health.router(parts.observer),
        auth.router(parts.accounts),
        users.router(parts.accounts),
        sessions.router(parts.accounts),
        tokens.router(parts.accounts),
        plugins.router(parts.plugins, parts.wishing, parts.traffic),
        bundles.router(parts.plugins, parts.policy.plugins_dir),
        logs.router(parts.plugins, parts.journals, parts.live),
        why.router(parts.plugins, parts.journals),
        runs.router(parts.plugins, parts.journals),
        units.router(parts.plugins, parts.inspector),
        stream.router(parts.live),
        figures.router(parts.plugins, parts.history, parts.host),
        metrics.router(parts.plugins, parts.observer, parts.traffic),
        kv.router(parts.kv, parts.plugins),
        events.router(parts.database, parts.plugins),
    ):
        app.include_router(router)
    app.add_api_route("/api/openapi.json", app.document, include_in_schema=False)
    app.router.routes.append(manager.Pages())
    return app


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = problems.complete(super().openapi())
        return self.openapi_schema

    def document(self, _caller: AnyCaller) -> JSONResponse:
        return JSONResponse(self.openapi())
