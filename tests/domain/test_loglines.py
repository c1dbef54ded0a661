"""What a line says: text as it is, or a JSON object with its parts."""

import json

import pytest

from toru.domain.levels import DEBUG, INFO, LEVELS, priority_of
from toru.domain.loglines import LONGEST_JSON, Said, understood

pytestmark = pytest.mark.req("OBS-1")


@pytest.mark.parametrize(
    ("word", "priority"),
    [(word, number) for number, word in enumerate(LEVELS)]
    + [("error", 3), ("ERROR", 3), ("Warn", 4), ("trace", 7), ("fatal", 2), ("critical", 2), ("0", 0), ("7", 7)],
)
def test_levels_are_known_in_every_spelling(word: str, priority: int) -> None:
    assert priority_of(word) == priority


@pytest.mark.parametrize("word", ["", "8", "-1", "loud", "\uff13", "10"])
def test_other_words_are_no_level(word: str) -> None:
    assert priority_of(word) is None


def test_a_json_line_becomes_its_parts() -> None:
    said = understood('{"timestamp":"2026-01-01T00:00:00Z","level":"WARN","message":"low","disk":{"free":1}}', INFO)
    assert said == Said(priority=4, message="low", timestamp="2026-01-01T00:00:00Z", fields={"disk": {"free": 1}})


@pytest.mark.parametrize(
    "text",
    [
        "plain", "", "{", "{}", '{"a":1}', "[1]", "null", '"text"', "{'level':'info'}",
        '{"message":NaN,"level":"info"}',
        '{"message":5}', '{"level":"loud"}', '{"level":3}', '{"message":"\\ud800"}', '{"message":"a"} and more',
        '{"message":' + "[" * 100_000, '{"message":"a","n":' + "9" * 5000 + "}",
        '{"message":"' + "x" * LONGEST_JSON + '"}',
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_whatever_is_no_json_line_stays_as_it_is(text: str) -> None:
    assert understood(text, DEBUG) == Said(priority=DEBUG, message=text)


@pytest.mark.req("OBS-1", "SEC-5")
@pytest.mark.parametrize("claim", ["plugin", "plugin_id", "plugin_name"])
def test_a_line_is_never_another_plugins(claim: str) -> None:
    said = understood(json.dumps({"message": "it was the neighbour", claim: "neighbour"}), INFO)
    assert said.fields == {}


def test_what_a_part_says_in_the_wrong_type_is_left_among_the_rest() -> None:
    said = understood('{"message":"a","level":"loud","timestamp":true}', INFO)
    assert said == Said(priority=INFO, message="a", fields={"level": "loud", "timestamp": True})
