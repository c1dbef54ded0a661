"""The FastAPI app: one file with FastAPI in it, or without it on a host that has it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.examples.stage import page_does, put_in_place
from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru


@pytest.fixture
def links(toru: Toru, host: Host, tmp_path: Path) -> Path:
    # What is compiled in the file is for the Python of this machine; Debian 13 has another, and FastAPI as a package.
    leaves_out = {} if host.name == "private" else {"WITH": ""}
    put_in_place(toru, "links", tmp_path, **leaves_out)
    return tmp_path


@pytest.mark.req("LANG-1", "PROTO-7")
def test_a_fastapi_app_keeps_links(toru: Toru, host: Host, links: Path) -> None:
    api, path = Api(host), "/api/plugins/route/links/links"

    def post(**link: Any) -> Any:
        answer = api("POST", path, headers={"Content-Type": "application/json"}, body=json.dumps(link).encode())
        return answer.status, answer.json()

    link = {"title": "Toru", "url": "https://example.org/"}
    kept = {**link, "id": 1, "added_by": "root"}
    assert post(**link) == (201, kept)
    assert post(**link)[0] == 409
    assert post(title="", url="javascript:alert(1)")[0] == 422
    host.run("systemctl", "restart", "toru-plugin-links.service")
    assert api.get(path) == [kept]
    assert api.get("/api/plugins/route/links/openapi.json")["info"]["title"] == "Links"
    assert api("DELETE", f"{path}/1").status == 204
    assert api.get(path) == []
    assert toru.service("links", "Type")["Type"] == "notify"


@pytest.mark.req("LANG-1")
def test_its_page_adds_and_removes_in_a_browser(host: Host, links: Path) -> None:
    acts = """
        await until(() => view.querySelector(".empty"));
        const form = view.querySelector("form");
        form.elements.title.value = "<b>Toru";
        form.elements.url.value = "https://example.org/";
        form.requestSubmit();
        await until(() => view.querySelector("a"));
        said.link = [view.querySelector("a").textContent, view.querySelector("a").href];
        view.querySelector("li button").click();
        await until(() => view.querySelector(".empty"));"""
    assert page_does(host, "links", links, acts) == {"link": ["<b>Toru", "https://example.org/"]}
