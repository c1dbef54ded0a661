"""`toru kv`."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.command import Command

pytestmark = pytest.mark.req("OPS-3", "KV-1")


@pytest.fixture
def kept(toru: Command) -> Iterator[str]:
    """A plugin that keeps something, and nothing afterwards."""
    yield "clock"
    for entry in toru.json("kv", "list", "clock")["entries"]:
        toru("kv", "delete", "clock", "--", entry["key"])
    assert toru("kv", "list", "clock").stdout == ""


def by_api(toru: Command, plugin_id: str, key: str) -> Any:
    """What the API says: the second witness."""
    asked = json.dumps({"action": "get", "key": key})
    url = f"http://toru/api/plugins/{plugin_id}/kv"
    said = toru.host.run("curl", "-s", "--unix-socket", "/run/toru/api.sock", "--data", asked, url).stdout
    return json.loads(said)["value"]


@pytest.mark.parametrize("value", [{"n": [1, 2.5, None, True, 2**60]}, "日本語 \x1b[31m", None], ids=repr)
def test_what_is_set_is_what_is_got(toru: Command, kept: str, value: Any) -> None:
    said = toru("kv", "set", kept, "a key", json.dumps(value))
    assert (said.returncode, said.stdout, said.stderr) == (0, "clock\ta key\tkept\n", "")
    assert by_api(toru, kept, "a key") == value
    got = toru("kv", "get", kept, "a key")
    assert (got.returncode, json.loads(got.stdout)) == (0, value)
    assert got.stdout.isascii()
    assert toru.json("kv", "get", kept, "a key") == {"key": "a key", "value": value, "expires_at": None}


def test_a_text_needs_no_quotes_and_a_value_may_come_from_a_pipe(toru: Command, kept: str) -> None:
    assert toru("kv", "set", kept, "text", "12", "--text").returncode == 0
    assert by_api(toru, kept, "text") == "12"
    large = json.dumps("x" * 500_000)
    toru.host.run("toru", "kv", "set", kept, "large", input=large)
    assert toru("kv", "get", kept, "large").stdout == f"{large}\n"


def test_the_list_is_by_key_and_can_be_cut_short(toru: Command, kept: str) -> None:
    for key in ("b/2", "a", "b/1", "b"):
        toru("kv", "set", kept, key, "1")
    assert toru("kv", "list", kept).stdout == "".join(f"{key}\t1\tnever\n" for key in ("a", "b", "b/1", "b/2"))
    assert [row[0] for row in toru.table("kv", "list", kept, "--prefix", "b/")] == ["b/1", "b/2"]
    # The key itself, and no other that only begins so.
    assert toru("kv", "get", kept, "b").stdout == "1\n"
    assert toru("kv", "get", kept, "b/").stderr == "toru: clock keeps nothing under b/\n"


@pytest.mark.req("OPS-3", "KV-4")
def test_an_entry_may_have_an_end(toru: Command, kept: str) -> None:
    toru("kv", "set", kept, "short", "1", "--ttl", "3600")
    ends = toru.json("kv", "get", kept, "short")["expires_at"]
    assert ends == pytest.approx(float(toru.host.run("date", "+%s").stdout) + 3600, abs=60)


def test_more_than_a_page_of_the_api_s_comes_whole(toru: Command, kept: str) -> None:
    for key in "abc":  # of which no two go into one
        toru.host.run("toru", "kv", "set", kept, key, input=json.dumps(key * 600_000))
    assert [entry["value"] for entry in toru.json("kv", "list", kept)["entries"]] == [key * 600_000 for key in "abc"]


def test_what_is_deleted_is_gone(toru: Command, kept: str) -> None:
    toru("kv", "set", kept, "x", "1")
    assert toru("kv", "delete", kept, "x").stdout == "clock\tx\tdeleted\n"
    said = toru("kv", "get", kept, "x", "--json")
    assert (said.returncode, said.stdout) == (1, "")
    assert json.loads(said.stderr) == {"error": {"code": "no-entry", "message": "clock keeps nothing under x"}}
    assert toru("kv", "delete", kept, "x").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["set", "clock", "x", "red"], 2, 'the value is not JSON: a text has quotes ("…"), or --text before it'),
        (["set", "clock", "x", "NaN"], 2, "the value is not JSON"),
        (["set", "clock", "x", "[" * 100_000], 2, "the value is not JSON"),
        (["set", "clock", "x"], 2, "the value is not JSON"),
        (["set", "clock", "", "1"], 1, "key: must be a text that is not empty"),
        (["set", "clock", "k" * 513, "1"], 1, "the key has 513 bytes, and 512 are the most"),
        (["set", "clock", "x", "1", "--ttl", "-5"], 1, "ttl: must be a number of seconds"),
        (["get", "clock", "\udcff"], 1, ""),
        (["list", "clokc"], 1, "there is no plugin clokc; did you mean clock?"),
        (["get", "silent", "x"], 1, "silent.binary was rejected"),
        (["list", "../x"], 1, "'../x' is not a plugin id"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(toru: Command, arguments: list[str], status: int, sentence: str) -> None:
    said = toru("kv", *arguments)
    assert (said.returncode, said.stdout) == (status, "")
    assert said.stderr.startswith(f"toru: {sentence}")
    assert said.stderr.count("\n") == 1


@pytest.mark.req("OPS-3", "SEC-1")
def test_storage_is_for_admins(toru: Command) -> None:
    said = toru("kv", "list", "clock", user="nobody")
    assert (said.returncode, said.stderr) == (1, "toru: only root and members of the group toru-admin may do this\n")


@pytest.mark.req("OPS-3", "SEC-5")
def test_a_person_sees_a_table_and_no_escape_sequence_of_others(toru: Command, kept: str) -> None:
    assert "It keeps nothing." in toru.on_terminal("kv", "list", kept)
    toru("kv", "set", kept, "red\x1b[31m", '"\\u202e\\u001b[31m 日本"')
    shown = toru.on_terminal("kv", "list", kept)
    assert r"red\x1b[31m" in shown
    assert r"\u202e\u001b[31m 日本" in shown
