"""packaging/toru.toml, the file that ops find in /etc/toru: every key, commented out, with its default."""

import re
import tomllib
from pathlib import Path

import pytest

from toru.domain.policy import Policy
from toru.settings import KEYS, KEYS_OF_A_PLUGIN, VARIABLES, mistakes_in, policy_from

SAMPLE = Path(__file__).parents[2] / "packaging/toru.toml"

KEY = re.compile(r"^#(?=\[|\w+ = )", re.MULTILINE)
"""Before a key or a table that is commented out. Words have a blank between them and their #."""


def uncommented() -> str:
    return KEY.sub("", SAMPLE.read_text())


def test_as_it_is_it_says_nothing() -> None:
    assert mistakes_in(SAMPLE) == []
    assert policy_from(tomllib.loads(SAMPLE.read_text())) == Policy()


def test_every_key_is_in_it_with_its_default_and_for_a_plugin_with_an_example() -> None:
    said = tomllib.loads(uncommented())
    (example,) = said.pop("plugins").values()
    assert set(example) == set(KEYS_OF_A_PLUGIN)
    policy_from({"plugins": {"clock": example}})
    tables = {name for name, value in said.items() if isinstance(value, dict)}
    keys = said.keys() - tables | {f"{table}.{key}" for table in tables for key in said[table]}
    assert keys == set(KEYS)
    assert policy_from(said) == Policy()


@pytest.mark.parametrize("key", KEYS)
def test_each_key_counts_where_it_stands_when_its_own_line_alone_is_uncommented(key: str) -> None:
    table, _, name = key.rpartition(".")
    text, begin = SAMPLE.read_text(), 0
    if table:
        begin = text.index(f"\n[{table}]\n")
    found = re.compile(rf"^#(?={name} = )", re.MULTILINE).search(text, begin)
    assert found is not None
    said = tomllib.loads(text[: found.start()] + text[found.end() :])
    assert name in (said[table] if table else said)


def test_every_variable_is_in_it() -> None:
    assert set(re.findall(r"\bTORU_[A-Z_]+", SAMPLE.read_text())) == set(VARIABLES)
