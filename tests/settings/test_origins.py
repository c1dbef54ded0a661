"""What is in force, and where each value was said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from toru.domain.policy import Policy
from toru.settings import KEYS, KEYS_OF_A_PLUGIN, mistakes_in, mistakes_in_force, policy_from, read_settings


class Etc:
    def __init__(self, folder: Path) -> None:
        self.main = folder / "toru.toml"
        self.drop_ins = folder / "toru.toml.d"
        self.drop_ins.mkdir()

    def drop_in(self, name: str, text: str) -> Path:
        file = self.drop_ins / name
        file.write_text(text)
        return file

    def rows(self, environment: Mapping[str, str] | None = None) -> dict[str, tuple[Any, str]]:
        rows = read_settings(self.main, self.drop_ins, environment or {}).rows()
        return {".".join(path): (value, str(origin)) for path, value, origin in rows}

    def mistakes(self, environment: Mapping[str, str] | None = None) -> list[str]:
        return [str(mistake) for mistake in mistakes_in_force(self.main, self.drop_ins, environment or {})]


@pytest.fixture
def etc(tmp_path: Path) -> Etc:
    return Etc(tmp_path)


def test_where_nobody_said_anything_every_key_has_its_default(etc: Etc) -> None:
    rows = etc.rows()
    assert list(rows) == list(KEYS)
    assert {origin for _, origin in rows.values()} == {"default"}


def test_what_is_shown_can_be_written_into_a_file_and_means_the_same(etc: Etc) -> None:
    etc.main.write_text(
        "limits.memory = 3221225472\nlimits.cpu = 50\nkv.value = 1025\nplugins_dir = '/a/../b'\n"
        "trusted_proxies = ['::1']\nhooks.events = ['started', 'crashed']\nrestart.first_delay = 0.5\n"
        "[plugins.b]\nsandbox = 'strict'\nmax_body = '2M'\n[plugins.a]\ncpu = 7"
    )
    rows = etc.rows()
    assert rows["limits.memory"][0] == "3G"
    assert rows["kv.value"][0] == "1025"
    assert rows["hooks.events"][0] == ["started", "crashed"]
    assert [key for key in rows if key not in KEYS] == ["plugins.a.cpu", "plugins.b.sandbox", "plugins.b.max_body"]
    said: dict[str, Any] = {}
    for key, (value, _) in rows.items():
        table = said
        *outer, name = key.split(".")
        for step in outer:
            table = table.setdefault(step, {})
        table[name] = value
    assert policy_from(said) == read_settings(etc.main, etc.drop_ins, {}).policy != Policy()


def test_what_counts_is_what_was_said_last_and_that_is_where_it_is_said_to_be(etc: Etc) -> None:
    etc.main.write_text("# settings\nauto_enable = false\n\n[restart]\nfailures = 3\nmax_delay = 8\n")
    etc.drop_in("20-b.toml", "restart.failures = 5\nstart_timeout = 5\nstop_timeout = 2")
    ten = etc.drop_in("10-a.toml", "\n\n[restart]\nfailures = 4\nstable_after = 9\n")
    rows = etc.rows({"TORU_STOP_TIMEOUT": "3", "TORU_PLUGIN_ID": "x"})
    said = {key: row for key, row in rows.items() if row[1] != "default"}
    assert said == {
        "auto_enable": (False, f"{etc.main}:2"),
        "restart.max_delay": (8, f"{etc.main}:6"),
        "restart.failures": (5, f"{etc.drop_ins}/20-b.toml:1"),
        "restart.stable_after": (9, f"{ten}:5"),
        "start_timeout": (5, f"{etc.drop_ins}/20-b.toml:2"),
        "stop_timeout": (3, "TORU_STOP_TIMEOUT in the environment"),
    }


def test_every_key_of_a_plugin_is_shown_where_it_is_said(etc: Etc) -> None:
    etc.main.write_text(
        '[plugins.x]\nsandbox="strict"\nmemory="9M"\ntasks=1\ncpu=1\ntimeout=1\nmax_body=1\nmax_concurrent=1'
    )
    shown = {key: origin for key, (_, origin) in etc.rows().items() if key.startswith("plugins.")}
    assert shown == {f"plugins.x.{name}": f"{etc.main}:{line}" for line, name in enumerate(KEYS_OF_A_PLUGIN, 2)}


def test_all_mistakes_are_told_file_by_file_and_the_environment_last(etc: Etc) -> None:
    etc.main.write_text("auto_enable = 1\n[restart]\nfist_delay = 1\nfailures = 0\n")
    drop_in = etc.drop_in("x.toml", "[limits]\nmemory = 'lots'")
    assert [mistake.split(" must")[0] for mistake in etc.mistakes({"TORU_START_TIMEOUT": "soon"})] == [
        f"{etc.main}:1: auto_enable",
        f"{etc.main}:3: restart.fist_delay is not a setting",
        f"{etc.main}:4: restart.failures",
        f"{drop_in}:2: limits.memory",
        "TORU_START_TIMEOUT in the environment: start_timeout",
    ]


def test_what_only_the_whole_gets_wrong_is_told_when_the_parts_are_right(etc: Etc) -> None:
    etc.main.write_text("restart.max_delay = 2")
    assert etc.mistakes() == []
    etc.drop_in("x.toml", "restart.first_delay = 4")
    (mistake,) = etc.mistakes()
    assert mistake.startswith(f"{etc.main}:1: restart.max_delay must not be below restart.first_delay")


def test_a_file_that_does_not_count_yet_is_looked_at_by_itself(etc: Etc, tmp_path: Path) -> None:
    etc.main.write_text("nonsense = 1")
    file = tmp_path / "new.toml"
    file.write_text("\nrestart.max_delay = 0.5\n")
    (mistake,) = map(str, mistakes_in(file))
    assert mistake == f"{file}:2: restart.max_delay must not be below restart.first_delay, which is 1 (default)"
    (mistake,) = map(str, mistakes_in(tmp_path / "none.toml"))
    assert mistake == f"{tmp_path}/none.toml: it can't be read: No such file or directory"
    file.write_text("auto_enable = false")
    assert mistakes_in(file) == []
