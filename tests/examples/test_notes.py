"""Notes in Toru's storage, and pushed when they change."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.examples.stage import page_does, put_in_place
from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru

PATH = "/api/plugins/route/notes/notes"


@pytest.fixture
def notes(toru: Toru, host: Host, tmp_path: Path) -> Path:
    put_in_place(toru, "notes", tmp_path)
    for note in Api(host).get(PATH):
        assert Api(host)("DELETE", f"{PATH}/{note['id']}").status == 204
    return tmp_path


def send(host: Host, method: str, path: str, said: Any) -> Any:
    body = json.dumps(said).encode()
    return Api(host)(method, path, headers={"Content-Type": "application/json"}, body=body)


@pytest.mark.req("LANG-1", "KV-2", "KV-3", "UI-6")
def test_notes_are_kept_and_changes_are_pushed(host: Host, notes: Path) -> None:
    with Api(host).stream("/api/stream") as stream:
        stream.first("hello")
        note = send(host, "POST", PATH, {"text": "milk"}).json()
        assert (note["text"], note["changed_by"]) == ("milk", "root")
        assert stream.first("push", id="notes").data["data"] == {"id": note["id"]}
        changed = send(host, "PUT", f"{PATH}/{note['id']}", {"text": "bread"}).json()
        assert stream.first("push", id="notes").data["name"] == "changed"
    host.run("systemctl", "restart", "toru-plugin-notes.service")
    assert Api(host).get(PATH) == [changed]
    entries = json.loads(host.run("toru", "kv", "list", "--json", "notes").stdout)["entries"]
    assert [entry["value"]["text"] for entry in entries] == ["bread"]
    assert send(host, "PUT", f"{PATH}/nothing", {"text": "x"}).status == 404
    assert [send(host, "POST", PATH, wrong).status for wrong in ({}, {"text": " "}, [1])] == [400, 400, 400]


@pytest.mark.req("LANG-1")
def test_its_page_writes_edits_and_removes_in_a_browser(host: Host, notes: Path) -> None:
    acts = """
        const [form, cards] = [view.querySelector("form"), view.querySelector(".cards")];
        await until(() => cards.querySelector(".empty"));
        form.elements.text.value = "<i>milk";
        form.requestSubmit();
        await until(() => cards.querySelector("article p"));
        said.first = cards.querySelector("article p").textContent;
        const button = (words) => [...cards.querySelectorAll("button")].find((it) => it.textContent === words);
        button("Edit").click();
        cards.querySelector("textarea").value = "bread";
        button("Keep").click();
        await until(() => cards.querySelector("article p")?.textContent === "bread");
        said.cards = cards.querySelectorAll("article").length;
        button("Remove").click();
        await until(() => cards.querySelector(".empty"));"""
    assert page_does(host, "notes", notes, acts) == {"first": "<i>milk", "cards": 1}
