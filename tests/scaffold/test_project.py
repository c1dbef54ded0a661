"""What `toru new` makes, and what it refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.check.command import BROKEN, TORU, TREE
from toru.scaffold import Language
from toru.scaffold.project import SUFFIX, TEMPLATES

pytestmark = pytest.mark.req("LANG-1")


def new(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([TORU, "new", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("language", Language)
def test_a_project_has_a_plugin_its_page_its_test_and_how_to_build_it(tmp_path: Path, language: Language) -> None:
    said = json.loads(new("my-clock", "--lang", language, "--into", tmp_path, "--json").stdout)
    folder = tmp_path / "my-clock"
    assert (said["id"], said["language"], said["folder"]) == ("my-clock", language, str(folder))
    assert sorted(said["files"]) == sorted(str(it.relative_to(folder)) for it in folder.rglob("*") if it.is_file())
    assert {"README.md", "build.sh", "bundle.js", "test.sh"} < set(said["files"])
    text = "".join((folder / file).read_text() for file in said["files"] if file != "Cargo.lock")
    assert "my-clock" in text
    assert "My clock" in text
    assert '"/my-clock"' in text
    assert "@" not in text.replace("@plugin.", "").replace('"$@"', "")
    readme = (folder / "README.md").read_text().splitlines()
    assert len([line for line in readme if line]) == 5
    for script in folder.glob("*.sh"):
        assert script.stat().st_mode & 0o111
        subprocess.run(["sh", "-n", script], check=True)


def test_a_folder_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "notes.txt").write_text("mine")
    said = new("clock", "--into", tmp_path)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == f"toru: {tmp_path}/clock exists already\n"
    assert [it.name for it in (tmp_path / "clock").iterdir()] == ["notes.txt"]


@pytest.mark.req("META-2", "SEC-5")
@pytest.mark.parametrize("name", ["", "a b", "../x", "/etc", "x" * 65, "klöck", "route", "a\nb", "$(id)", '"'])
def test_a_name_that_can_be_no_id_is_refused(tmp_path: Path, name: str) -> None:
    said = new("--into", tmp_path, "--", name)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("toru: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.req("META-2")
@pytest.mark.parametrize("name", ["7", "-", "a-", "test", "core", "x" * 64, "A"])
@pytest.mark.parametrize("language", [Language.HTTP])
def test_every_id_makes_a_project_whose_metadata_are_right(tmp_path: Path, name: str, language: Language) -> None:
    assert new("--lang", language, "--into", tmp_path, "--", name).returncode == 0
    folder = tmp_path / name
    subprocess.run(["sh", folder / "build.sh", tmp_path / "plugins"], check=True)
    said = subprocess.run(
        [TORU, "check", tmp_path / "plugins" / f"{name}.binary", "--only", "metadata"], capture_output=True, check=False
    )
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize(
    "arguments", [["clock", "--lang", "cobol"], ["clock", "--into", "/nowhere"], [], ["a", "b"]]
)  # fmt: skip
def test_wrong_usage_is_a_sentence(tmp_path: Path, arguments: list[str]) -> None:
    said = new(*arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("toru: ")


def test_the_sdk_is_taken_from_where_one_says(tmp_path: Path) -> None:
    checkout, library = tmp_path / "checkout", Path("sdk", "python", "toru_plugin")
    shutil.copytree(TREE / library, checkout / library, ignore=shutil.ignore_patterns("__pycache__"))
    assert new("clock", "--into", tmp_path, "--sdk", checkout).returncode == 0
    assert f"'{checkout}/sdk'" in (tmp_path / "clock" / "build.sh").read_text()
    subprocess.run(["sh", tmp_path / "clock" / "build.sh", tmp_path / "plugins"], check=True, capture_output=True)
    assert (tmp_path / "plugins" / "clock.binary").exists()


def test_where_there_is_no_sdk_nothing_is_made(tmp_path: Path) -> None:
    said = new("clock", "--lang", "rust", "--into", tmp_path, "--sdk", BROKEN)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == f"toru: there is no SDK for rust in {BROKEN}: rust/Cargo.toml is missing\n"
    assert list(tmp_path.iterdir()) == []


def test_every_template_is_one() -> None:
    assert [file.name for file in TEMPLATES.rglob("*") if file.is_file() and file.suffix != SUFFIX] == []
