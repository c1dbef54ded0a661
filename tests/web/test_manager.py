"""How the core serves the web manager's files. What is in them has its tests in a browser."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.web.server import Site
from toru.store.engine import Database
from toru.web.manager import BASE, CONTENT_SECURITY_POLICY, Pages

PAGE = b"<head>" + BASE + b'<script src="./assets/app-1.js"></script></head>'
SCRIPT = b"console.log(1)\n" * 100


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("www")
    (directory / "assets").mkdir()
    (directory / "index.html").write_bytes(PAGE)
    (directory / "theme.js").write_bytes(b"1")
    (directory / "assets/app-1.js").write_bytes(SCRIPT)
    (directory / "assets/app-1.js.gz").write_bytes(gzip.compress(SCRIPT))
    (directory / "assets/app-1.js.br").write_bytes(b"as brotli")
    (directory / "notes.xyz").write_bytes(b"no file of a site")
    return directory


@pytest.fixture(scope="module")
def client(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with site_with(built, tmp_path_factory.mktemp("site")) as client:
        yield client


@contextmanager
def site_with(www: Path, directory: Path) -> Iterator[httpx.Client]:
    """The application over real sockets, with this as its built manager."""
    database = Database(f"sqlite:///{directory}/toru.db")
    database.migrate()
    site = Site(database, directory)
    site.app.router.routes[:] = [route for route in site.app.router.routes if not isinstance(route, Pages)]
    site.app.router.routes.append(Pages(www))
    with site.running():
        yield site.nobody()
    database.close()


@pytest.mark.req("SEC-5")
def test_the_page_lets_no_script_run_but_files_of_this_site_and_fits_in_no_frame(client: httpx.Client) -> None:
    headers = client.get("/").headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    policy = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/", "./"),
        ("/plugins", "./"),
        ("/plugins/clock", "../"),
        ("/plugins/clock/logs?q=a/b", "../../"),
        ("/view/clock/", "../../"),
        ("/view/clock/a%2Fb", "../../"),
    ],
)
def test_every_address_of_the_manager_is_the_page_which_finds_its_files_from_there(
    client: httpx.Client, path: str, base: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert f'<base href="{base}" />'.encode() in answer.content


def test_the_page_is_asked_for_each_time_and_sent_only_when_it_is_another(client: httpx.Client) -> None:
    first = client.get("/plugins/clock")
    assert first.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    assert client.get("/plugins/clock", headers=known).status_code == 304
    assert client.get("/plugins", headers=known).status_code == 200, "from elsewhere it is another page"


def test_hashed_files_are_kept_for_ever_and_others_asked_for_anew(client: httpx.Client) -> None:
    assert "immutable" in client.get("/assets/app-1.js").headers["cache-control"]
    assert client.get("/theme.js").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br", "br"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("gzip;q=0.0", None),
        ("identity", None),
    ],
)
def test_files_are_sent_as_small_as_who_asks_can_read(
    client: httpx.Client, accepted: str, encoding: str | None
) -> None:
    request = client.build_request("GET", "/assets/app-1.js", headers={"Accept-Encoding": accepted})
    answer = client.send(request, stream=True)
    sent = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["etag"].startswith("W/"), "a strong one would be another for each encoding"
    unchanged = client.get("/assets/app-1.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (unchanged.status_code, unchanged.headers["vary"]) == (304, "Accept-Encoding")
    assert sent == b"as brotli" if encoding == "br" else (gzip.decompress(sent) if encoding else sent) == SCRIPT


def test_a_head_request_has_the_heads_of_a_get(client: httpx.Client) -> None:
    head, get = client.head("/assets/app-1.js"), client.get("/assets/app-1.js")
    assert head.content == b""
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


def test_a_file_of_another_version_is_missing_rather_than_a_page(client: httpx.Client) -> None:
    answer = client.get("/assets/app-0.js")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("path", ["/%2e%2e/%2e%2e/etc/passwd", "/assets/../../etc/passwd", "/notes.xyz"])
def test_only_files_of_the_manager_are_served(client: httpx.Client, path: str) -> None:
    answer = client.get(httpx.URL(client.base_url, raw_path=path.encode()))
    assert b"root:" not in answer.content
    assert b"no file of a site" not in answer.content


@pytest.mark.req("API-7")
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/plugins/route/nothing"])
def test_under_api_nothing_is_a_page(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_no_get_is_no_page(client: httpx.Client) -> None:
    assert client.post("/plugins").status_code == 404


def test_without_a_built_manager_the_page_says_how_to_get_one(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with site_with(tmp_path, tmp_path_factory.mktemp("bare")) as client:
        answer = client.get("/")
        assert answer.status_code == 404
        assert "make setup" in answer.json()["detail"]
