"""Figures for Prometheus (its text format, version 0.0.4): for whoever signed in, and for programs of this host."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from toru import __version__
from toru.core.observer import Observer
from toru.core.overview import Overview, PluginView
from toru.core.plugins import Plugins
from toru.core.traffic import BOUNDS, AllTraffic, Traffic
from toru.domain.errors import Forbidden, Unauthenticated
from toru.domain.people import Scope
from toru.domain.state import ServiceFacts, State
from toru.web.caller import Caller, MaybeCaller, Role
from toru.web.problems import documented

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Whatever a proxy on this host may add: what it passes on comes from elsewhere.
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via")

Figure = Callable[[ServiceFacts], float | None]

FIGURES: tuple[tuple[str, str, str, Figure], ...] = (
    ("toru_plugin_restarts", "gauge", "Restarts in a row, since the slate was wiped.", lambda it: it.restarts),
    ("toru_plugin_memory_bytes", "gauge", "Memory of the plugin's cgroup.", lambda it: it.memory_bytes),
    ("toru_plugin_tasks", "gauge", "Processes and threads of the plugin.", lambda it: it.tasks),
    ("toru_plugin_cpu_seconds_total", "counter", "Processor time since the start.", lambda it: it.cpu_seconds),
)


TRAFFIC: tuple[tuple[str, str, str, Callable[[Traffic], float]], ...] = (
    ("requests_abandoned_total", "counter", "Requests whose client left before the answer.", lambda it: it.abandoned),
    ("requests_in_flight", "gauge", "Requests that are with the plugin.", lambda it: it.in_flight),
    ("request_bytes_total", "counter", "Bytes of requests' bodies.", lambda it: it.bytes_in),
    ("response_bytes_total", "counter", "Bytes of answers.", lambda it: it.bytes_out),
    ("cold_starts_total", "counter", "Requests that woke the plugin and were answered.", lambda it: it.cold_starts),
    ("cold_start_seconds_total", "counter", "How long these took until the answer began.", lambda it: it.cold_seconds),
)


def router(plugins: Plugins, observer: Observer, traffic: AllTraffic) -> APIRouter:
    routes = APIRouter(tags=["metrics"])

    @routes.get("/metrics", response_class=PlainTextResponse, responses=documented(401, 403))
    async def metrics(request: Request, caller: MaybeCaller) -> PlainTextResponse:
        """For an admin or an API token of one, and for programs of this host."""
        _check(request, caller)
        lines = [*_lines(plugins.overview(), connected=observer.connected), *_traffic_lines(traffic)]
        return PlainTextResponse("".join(f"{line}\n" for line in lines), media_type=MEDIA_TYPE)

    return routes


def _check(request: Request, caller: Caller | None) -> None:
    if caller is not None:
        # The figures are of all plugins.
        if caller.role is not Role.ADMIN or not caller.has_scope(Scope.READ):
            raise Forbidden("metrics are for admins")
    elif not _is_of_this_host(request):
        raise Unauthenticated("metrics are for programs of this host and for API tokens")


def _is_of_this_host(request: Request) -> bool:
    if any(name in request.headers for name in (*_PASSED_ON, "authorization")):
        return False
    if request.client is None:
        return True  # api.sock
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _lines(overview: Overview, *, connected: bool) -> Iterator[str]:
    yield from _head("toru_info", "gauge", "The version of Toru.")
    yield f'toru_info{{version="{_escaped(__version__)}"}} 1'
    yield from _head("toru_systemd_connected", "gauge", "Whether the core hears systemd.")
    yield f"toru_systemd_connected {int(connected)}"
    yield from _head("toru_rejected_files", "gauge", "Files of the plugins directory that are no plugins.")
    yield f"toru_rejected_files {len(overview.rejected)}"
    yield from _head("toru_plugin_enabled", "gauge", "Whether the plugin is enabled.")
    yield from (f"toru_plugin_enabled{_label(view)} {int(view.enabled)}" for view in overview.plugins)
    yield from _head("toru_plugin_state", "gauge", "1 for the state that the plugin is in.")
    for view in overview.plugins:
        for state in State:
            yield f"toru_plugin_state{_label(view, state=state)} {int(view.status.state is state)}"
    for name, kind, said, figure in FIGURES:
        yield from _head(name, kind, said)
        for view in overview.plugins:
            value = None if view.facts.service is None else figure(view.facts.service)
            if value is not None:
                yield f"{name}{_label(view)} {value}"


def _traffic_lines(traffic: AllTraffic) -> Iterator[str]:
    everything = sorted(traffic.all().items())
    name = "toru_plugin_requests_total"
    yield from _head(name, "counter", "Answers to requests, by status class: the plugin's own, and those in its place.")
    for plugin_id, it in everything:
        for digit, count in enumerate(it.by_class):
            if digit:
                yield f"{name}{_labels(plugin=plugin_id, status=f'{digit}xx')} {count}"
    name = "toru_plugin_request_seconds"
    yield from _head(name, "histogram", "From a request to the beginning of its answer.")
    for plugin_id, it in everything:
        total = 0
        for bound, count in zip([*BOUNDS, "+Inf"], it.histogram, strict=True):
            total += count
            yield f"{name}_bucket{_labels(plugin=plugin_id, le=str(bound))} {total}"
        yield f"{name}_sum{_labels(plugin=plugin_id)} {it.seconds}"
        yield f"{name}_count{_labels(plugin=plugin_id)} {total}"
    for short, kind, said, figure in TRAFFIC:
        yield from _head(f"toru_plugin_{short}", kind, said)
        for plugin_id, it in everything:
            yield f"toru_plugin_{short}{_labels(plugin=plugin_id)} {figure(it)}"


def _head(name: str, kind: str, said: str) -> Iterator[str]:
    yield f"# HELP {name} {said}"
    yield f"# TYPE {name} {kind}"


def _label(view: PluginView, **more: str) -> str:
    return _labels(plugin=view.id, **more)


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
