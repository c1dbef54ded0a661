"""Toru behind a real nginx and a real Caddy, set up as docs/proxy.md says: with a name of its own, and below a path."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.docs.pages import blocks
from tests.hosts.private import PrivateHost
from tests.proxies.before import PAGE, PATIENCE, SOMEBODY, Site, served
from tests.system.toru import Toru
from toru.trial import Options, Trial

pytestmark = pytest.mark.req("OPS-3")

PASSWORD = "Quite-a-secret-9"  # noqa: S105  of a trial
PLUGIN = "/api/plugins/route/behind"
HALF = 4 << 20
"""Bytes, more than any web server takes into its memory by default."""


@pytest.fixture(scope="module")
def toru() -> Iterator[Toru]:
    files = {
        "credstore/toru-admin-password": PASSWORD,
        "toru/toru.toml": blocks("toml", page=PAGE)[0].text,
    }
    with Trial(Options(name=f"proxies-{os.getpid()}", files=files)) as trial:
        toru = Toru(PrivateHost("private", trial))
        toru.plant("behind", "http_behind.py", metadata={"protocol": "http"})
        toru.serve()
        yield toru


@pytest.fixture(scope="module", params=["nginx", "nginx below a path", "caddy", "caddy below a path"])
def site(request: pytest.FixtureRequest, toru: Toru, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    kind, _, where = request.param.partition(" ")
    directory: Path = tmp_path_factory.mktemp(kind)
    assert isinstance(toru.host, PrivateHost)
    with ExitStack() as stack:
        yield stack.enter_context(served(kind, below_a_path=bool(where), host=toru.host, directory=directory))


@pytest.fixture
def admin(site: Site) -> Iterator[httpx.Client]:
    with site.signed_in(PASSWORD) as client:
        yield client


@pytest.mark.req("SEC-2")
def test_who_signs_in_has_a_session_over_https_alone_and_for_toru_alone(site: Site) -> None:
    with site.client() as client:
        assert client.get("/api/auth/me").status_code == 401
        answer = client.post("/api/auth/login", json={"name": "admin", "password": PASSWORD})
        attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
        assert attributes >= {"secure", "httponly", "samesite=lax", f"path={site.base or '/'}"}
        assert client.get("/api/auth/me").json()["name"] == "admin"
        assert client.post("/api/auth/logout").status_code == 200
        assert "session_id" not in client.cookies
        assert client.get("/api/auth/me").status_code == 401


@pytest.mark.req("SEC-1")
def test_a_page_of_another_site_changes_nothing(site: Site, admin: httpx.Client) -> None:
    logout = "/api/auth/logout"
    assert admin.post(logout, headers={"Origin": "https://elsewhere.example"}).json()["code"] == "cross-site"
    assert admin.get("/api/auth/me").status_code == 200
    assert admin.post(logout, headers={"Origin": f"https://{site.name}"}).status_code == 200


@pytest.mark.req("ROUTE-1", "ROUTE-3")
def test_a_plugin_is_asked_as_the_client_has_asked_and_told_of_the_client(site: Site, admin: httpx.Client) -> None:
    lies = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Host": "lies", "X-Forwarded-Prefix": "/lies"}
    said = admin.get(f"{PLUGIN}/told/a%2Fb/%C3%A9?x=%2F&y=a//b", headers={**lies, "X-Forwarded-Proto": "gopher"}).json()
    assert said["target"] == "/told/a%2Fb/%C3%A9?x=%2F&y=a//b"
    told = said["headers"]
    assert told["x-forwarded-for"] == f"{SOMEBODY}, 127.0.0.1"
    assert told["x-forwarded-proto"] == "https"
    assert told["x-forwarded-host"] == told["host"] == site.name
    assert told["x-forwarded-prefix"] == site.base + PLUGIN
    assert told["x-toru-user"] == "admin"


@pytest.mark.req("ROUTE-3")
def test_a_plugins_redirect_and_its_cookie_come_back_to_it(site: Site, admin: httpx.Client) -> None:
    answer = admin.get(f"{PLUGIN}/moves")
    assert answer.headers["location"] == f"{site.base}{PLUGIN}/told/there"
    there = admin.get(answer.headers["location"].removeprefix(site.base)).json()
    assert (there["target"], there["headers"].get("cookie")) == ("/told/there", "seen=1")
    assert "cookie" not in admin.get(f"{PLUGIN}/told").json()["headers"]


@pytest.mark.req("PROTO-7")
def test_a_websocket_leads_through_to_a_plugin_for_pages_of_this_site(site: Site, admin: httpx.Client) -> None:
    with site.websocket(f"{PLUGIN}/websocket", admin, origin=f"https://{site.name}") as connection:
        for text in ("one", "two"):
            connection.send(text)
            assert connection.recv(timeout=30) == text
    with pytest.raises(InvalidStatus, match="403"):
        site.websocket(f"{PLUGIN}/websocket", admin, origin="https://elsewhere.example")


@pytest.mark.req("PROTO-7")
def test_a_plugins_events_come_as_they_happen(site: Site, admin: httpx.Client) -> None:
    with admin.stream("GET", f"{PLUGIN}/events") as answer, site.signed_in(PASSWORD) as other:
        lines = (line for line in answer.iter_lines() if line)
        # The second one only happens when somebody has seen the first.
        assert next(lines) == "data: first"
        assert other.get(f"{PLUGIN}/go").status_code == 200
        assert next(lines) == "data: second"


@pytest.mark.req("UI-6")
def test_the_live_stream_comes_as_things_happen(site: Site, admin: httpx.Client, toru: Toru) -> None:
    with admin.stream("GET", "/api/stream") as answer:
        lines = answer.iter_lines()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert any(line.startswith("event: ") for line in lines)
        name = f"news-{len(toru._planted)}"
        toru.plant(name)
        toru.scan()
        assert any(name in line for line in lines)


@pytest.mark.req("PROTO-7")
def test_a_large_upload_reaches_the_plugin_while_it_is_sent(site: Site, admin: httpx.Client, toru: Toru) -> None:
    with site.signed_in(PASSWORD) as other:

        def parts() -> Iterator[bytes]:
            yield bytes(HALF)
            # Nothing more is sent before the plugin has all that.
            toru.wait_until("the first half", lambda: other.get(f"{PLUGIN}/so_far").json()["received"] == HALF)
            yield bytes(HALF)

        answer = admin.post(f"{PLUGIN}/upload", content=parts(), headers={"Content-Length": str(2 * HALF)})
    assert answer.json() == {"received": 2 * HALF}


@pytest.mark.req("OBS-4")
def test_figures_are_not_for_everybody_out_there(site: Site, admin: httpx.Client) -> None:
    with site.client() as nobody:
        assert nobody.get("/metrics").status_code == 401
    assert "toru_plugin" in admin.get("/metrics").text


def test_whoever_leaves_out_the_last_slash_is_sent_on(site: Site) -> None:
    with site.client() as client:
        if site.base:
            answer = client.get(f"https://127.0.0.1:{site.port}/toru")
            assert (answer.status_code, httpx.URL(answer.headers["location"]).path) == (308, "/toru/")
        assert client.get("/api/health").status_code == 200


@pytest.mark.parametrize("site", ["nginx"], indirect=True)
def test_whoever_comes_without_tls_is_sent_on(site: Site) -> None:
    there, headers = f"http://127.0.0.1:{site.plain_port}/a?b", {"Host": site.name}
    answer = httpx.get(there, headers=headers, trust_env=False, timeout=PATIENCE)
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{site.name}/a?b")


def test_browsers_get_http_2(site: Site, admin: httpx.Client) -> None:
    """Over HTTP/1.1 they have 6 connections for all pages of a name, and each page's live stream takes one."""
    there = f"{site.name}:{site.port}"
    asks = ["curl", "--silent", "--http2", "--cacert", str(site.certificate.file)]
    asks += ["--connect-to", f"{there}:127.0.0.1:"]
    asks += ["--cookie", f"session_id={admin.cookies['session_id']}; theme=dark", "--write-out", "%{http_version}"]
    asked = [f"https://{there}{site.base}{PLUGIN}/told", "--data", "x"]
    said = subprocess.run([*asks, *asked], capture_output=True, text=True, check=True).stdout
    assert said.endswith("}2")
    assert json.loads(said.removesuffix("2"))["headers"]["cookie"] == "theme=dark"


@pytest.mark.req("UI-1")
@pytest.mark.parametrize("path", ["/", "/plugins/behind", "/a%2Fb/c"])
def test_the_web_managers_page_finds_its_files_and_the_api(site: Site, admin: httpx.Client, path: str) -> None:
    page = admin.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    base = page.url.join(re.findall(r'<base href="([^"]*)"', page.text)[0])
    assert base.path == f"{site.base}/"
    files = re.findall(r'(?:src|href)="\./?([^"]+\.(?:js|css))"', page.text)
    assert files
    for file in files:
        assert admin.get(str(base.join(file))).status_code == 200
    assert admin.get(str(base.join("api/auth/me"))).json()["name"] == "admin"
