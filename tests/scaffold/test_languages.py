"""A project in each language: its own test passes, it builds, `toru check` finds nothing, and a host serves it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.check.command import TORU, TREE, check, verdicts
from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import PLUGINS, Toru
from toru.scaffold import Language

# What the examples are built into is used again: the crates that both need are the same.
ENVIRONMENT = {**os.environ, "CARGO_TARGET_DIR": str(TREE / "build" / "cargo")}


def plugin_id(language: Language) -> str:
    return f"my-{language}"


@pytest.fixture(scope="module", params=Language)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Language, Path]:
    """Made, and built into its folder `build`."""
    language: Language = request.param
    parent = tmp_path_factory.mktemp("new")
    subprocess.run([TORU, "new", plugin_id(language), "--lang", language, "--into", parent], check=True)
    folder = parent / plugin_id(language)
    run(folder, "build.sh", "build")
    return language, folder


def run(folder: Path, script: str, *arguments: str) -> None:
    ran = subprocess.run(
        ["sh", script, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.req("LANG-1", "LANG-2")
def test_its_own_test_passes(project: tuple[Language, Path]) -> None:
    run(project[1], "test.sh")


@pytest.mark.req("LANG-3")
def test_the_check_finds_nothing(project: tuple[Language, Path]) -> None:
    language, folder = project
    said = check(folder / "build" / f"{plugin_id(language)}.binary")
    assert [sentence for outcome, sentence in verdicts(said).values() if outcome == "failed"] == []
    assert said.returncode == 0


@pytest.mark.req("LANG-1", "LANG-2", "API-3")
def test_a_host_serves_it_and_its_page(project: tuple[Language, Path], toru: Toru, host: Host) -> None:
    language, folder = project
    name = plugin_id(language)
    bundle = folder / "build" / name / "bundle.js"
    host.run("mkdir", "-p", f"{PLUGINS}/{name}")
    host.put(f"{PLUGINS}/{name}/bundle.js", bundle.read_bytes())
    toru.drop(f"{name}.binary", (folder / "build" / f"{name}.binary").read_bytes())
    toru.serve(name)
    try:
        api = Api(host)
        answers = [api.get(f"/api/plugins/route/{name}/hello") for _ in range(2)]
        assert [answer["greeted"] for answer in answers] == [1, 2]
        assert answers[0]["message"] == "Hello, root!"
        assert toru.plugin(name)["pid"] == toru.pid(name) != 0
        assert api("GET", f"/api/plugins/{name}/bundle.js").body == bundle.read_bytes()
    finally:
        host.run("rm", "-r", f"{PLUGINS}/{name}")
