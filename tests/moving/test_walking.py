"""Directories that somebody else writes to: nothing leads out of them, and nothing holds the reader up."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from toru.moving.roots import Layout, Root
from toru.moving.walking import entries_of, held_still

pytestmark = pytest.mark.req("SEC-3", "OPS-3")


@pytest.fixture
def root(tmp_path: Path) -> Root:
    (tmp_path / "root").mkdir()
    return Root(name="data", directory=tmp_path / "root", is_plugins_own=True)


def test_where_there_is_nothing_nothing_is_found(root: Root) -> None:
    root.directory.rmdir()
    assert list(entries_of(root)) == []


def test_links_are_seen_and_not_followed(root: Root, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key").write_text("secret")
    (root.directory / "to-file").symlink_to(tmp_path / "secret/key")
    (root.directory / "to-directory").symlink_to(tmp_path / "secret")
    found = {entry.path: entry.link for entry in entries_of(root)}
    assert found == {"to-file": str(tmp_path / "secret/key"), "to-directory": str(tmp_path / "secret")}


@pytest.mark.parametrize("becomes", ["a link", "a pipe", "a socket", "nothing"])
def test_a_file_that_becomes_something_else_is_gone(root: Root, tmp_path: Path, becomes: str) -> None:
    file = root.directory / "file"
    file.write_text("harmless")
    (tmp_path / "secret").write_text("secret")
    for entry in entries_of(root):
        file.unlink()
        match becomes:
            case "a link":
                file.symlink_to(tmp_path / "secret")
            case "a pipe":
                os.mkfifo(file)
            case "a socket":
                with socket.socket(socket.AF_UNIX) as listener:
                    listener.bind(str(file))
        with pytest.raises(FileNotFoundError):
            held_still(entry, tmp_path)


def test_a_file_that_nobody_writes_to_is_as_it_was(root: Root, tmp_path: Path) -> None:
    (root.directory / "file").write_bytes(b"x" * 3_000_000)
    for entry in entries_of(root):
        copy, size, was_still = held_still(entry, tmp_path)
        with copy:
            assert (copy.read(), size, was_still) == (b"x" * 3_000_000, 3_000_000, True)


def test_a_file_that_is_always_written_to_is_told_as_such(
    root: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = root.directory / "file"
    file.write_bytes(b"x")
    look = os.fstat

    def write_and_look(descriptor: int) -> os.stat_result:
        """Somebody writes before each look."""
        with file.open("ab") as writer:
            writer.write(b"x")
        return look(descriptor)

    monkeypatch.setattr("toru.moving.walking.os.fstat", write_and_look)
    for entry in entries_of(root):
        copy, _size, was_still = held_still(entry, tmp_path)
        copy.close()
        assert not was_still


def test_only_what_is_ours_is_found(tmp_path: Path) -> None:
    units = tmp_path / "units"
    for name in ("toru.service.d", "toru-plugin-a.service.d", "nginx.service.d", "torus.service", ".toru-restore-1"):
        (units / name).mkdir(parents=True)
        (units / name / "x.conf").touch()
    (root,) = (it for it in Layout(plugins_dir=tmp_path, database=None).roots(with_data=True) if it.name == "units")
    ours = Root(name=root.name, directory=units, ours=root.ours)
    assert [entry.path for entry in entries_of(ours)] == [
        "toru-plugin-a.service.d",
        "toru.service.d",
        "toru-plugin-a.service.d/x.conf",
        "toru.service.d/x.conf",
    ]


@pytest.mark.parametrize(
    ("inside", "target", "may"),
    [
        ("clock.binary", "clock-1.2", True),
        ("clock/bundle.js", "../shared/bundle.js", True),
        ("clock.binary", "./lib/../clock-1.2", True),
        ("clock.binary", "../toru.db", False),
        ("clock/a", "../../toru.db", False),
        ("clock.binary", "lib/../../x", False),
        ("clock.binary", "/etc/shadow", False),
        ("x.conf", "/dev/null", True),
        ("x.conf", "/dev/null/../../etc/shadow", False),
    ],
)
def test_links_may_lead_to_what_lies_beside_them(root: Root, inside: str, target: str, may: bool) -> None:  # noqa: FBT001
    assert root.may_link(inside, target) == may
