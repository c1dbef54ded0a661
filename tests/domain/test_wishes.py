"""config.json: what the operator wants, in a file that other programs read and write too."""

import json
from typing import Any

import pytest

from toru.domain.ids import PluginId
from toru.domain.wishes import Wishes

CLOCK, OTHER = PluginId("clock"), PluginId("other")

FULL = {
    "version": 3,
    "plugins": {"clock": True, "other": False, "not an id": True},
    "theirs": {"deep": [1, {"er": None}], "text": "\u00e9 \U0001f9e9"},
    "disabled_because": {"other": {"result": "exit-code", "extra": [1]}, "gone": "a text"},
}


def wishes(content: Any) -> Wishes:
    return Wishes.parse(json.dumps(content).encode())


def read_back(wished: Wishes) -> Any:
    return json.loads(wished.format())


@pytest.mark.req("LIFE-3")
@pytest.mark.parametrize(
    ("said", "auto_enable", "enabled"),
    [
        (None, True, True),
        (None, False, False),
        (True, True, True),
        (True, False, True),
        (False, True, False),
        (False, False, False),
    ],
)
def test_a_plugin_that_nobody_decided_on_follows_auto_enable(
    said: bool | None,  # noqa: FBT001
    auto_enable: bool,  # noqa: FBT001
    enabled: bool,  # noqa: FBT001
) -> None:
    wished = wishes({"plugins": {} if said is None else {"clock": said}})
    assert wished.enabled(CLOCK, auto_enable=auto_enable) is enabled
    assert wished.names(CLOCK) is (said is not None)


@pytest.mark.req("LIFE-3")
@pytest.mark.parametrize("content", [{}, {"plugins": {}}, {"theirs": 1}])
def test_a_file_that_names_nobody_is_a_file_all_the_same(content: dict[str, Any]) -> None:
    assert wishes(content).enabled(CLOCK, auto_enable=True)
    assert not Wishes.none().names(CLOCK)


@pytest.mark.req("LIFE-3")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda wished: wished.with_enabled(OTHER), {"clock": True, "other": True, "not an id": True}),
        (lambda wished: wished.with_disabled(CLOCK), {"clock": False, "other": False, "not an id": True}),
        (lambda wished: wished.with_enabled(CLOCK), FULL["plugins"]),
    ],
    ids=["enable", "disable", "nothing new"],
)
def test_a_change_keeps_every_key_it_does_not_know_at_every_level(change: Any, expected: dict[str, bool]) -> None:
    after = read_back(change(wishes(FULL)))
    assert after["plugins"] == expected
    assert {key: after[key] for key in ("version", "theirs")} == {key: FULL[key] for key in ("version", "theirs")}
    assert after["disabled_because"]["gone"] == "a text"


def test_reading_and_writing_changes_nothing_at_all() -> None:
    assert read_back(wishes(FULL)) == FULL
    assert list(read_back(wishes(FULL))) == list(FULL), "in the order it was in"
    assert wishes(FULL).format().endswith(b"}\n")


@pytest.mark.req("LIFE-3")
def test_a_change_is_a_new_value_and_the_old_one_stays() -> None:
    before = wishes(FULL)
    before.with_disabled(CLOCK, {"result": "exit-code"})
    assert read_back(before) == FULL


@pytest.mark.req("SUP-3")
def test_why_toru_switched_a_plugin_off_is_kept_until_somebody_decides_anew() -> None:
    because = {"result": "service-start-limit-hit", "failures": 10}
    switched_off = Wishes.parse(Wishes.none().with_disabled(CLOCK, because).format())
    assert not switched_off.enabled(CLOCK, auto_enable=True)
    assert switched_off.why_disabled(CLOCK) == because
    assert switched_off.why_disabled(OTHER) is None
    assert switched_off.with_enabled(OTHER).why_disabled(CLOCK) == because
    for decided in (switched_off.with_enabled(CLOCK), switched_off.with_disabled(CLOCK)):
        assert decided.why_disabled(CLOCK) is None
        assert "disabled_because" not in read_back(decided)


@pytest.mark.parametrize("because", [None, [], "a text", {"clock": "a text"}, {"clock": None}])
def test_a_reason_of_an_unknown_shape_is_no_reason(because: Any) -> None:
    assert wishes({"plugins": {}, "disabled_because": because}).why_disabled(CLOCK) is None


@pytest.mark.req("LIFE-3")
@pytest.mark.parametrize(
    ("text", "what_is_wrong"),
    [
        (b"", "it is not JSON"),
        (b"\0" * 40, "it is not JSON"),
        (b'{"plugins": {"clock": true', "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b'{"theirs": ' + b"9" * 5000 + b"}", "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (b"null", "it is not a JSON object"),
        (b'{"plugins": null}', 'its "plugins" is not an object'),
        (b'{"plugins": ["clock"]}', 'its "plugins" is not an object'),
        (b'{"plugins": {"clock": 1}}', "its \"plugins\" says 1 for 'clock', neither true nor false"),
        (b'{"plugins": {"clock": "true"}}', "says 'true' for 'clock'"),
        (b'{"plugins": {"clock": null}}', "says None for 'clock'"),
        (b'{"plugins": {"clock": {"enabled": true}}}', "neither true nor false"),
    ],
)
def test_a_damaged_file_is_refused_with_what_is_wrong_rather_than_guessed_at(text: bytes, what_is_wrong: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  (the next line looks at it)
        Wishes.parse(text)
    assert what_is_wrong in str(refusal.value)


@pytest.mark.req("LIFE-3")
def test_whatever_could_be_read_can_be_read_again_after_a_change() -> None:
    # JSON may escape half of a character; UTF-8 can't say it.
    odd = Wishes.parse(rb'{"plugins": {}, "theirs": "\ud800 \u0000 \u2028"}')
    again = Wishes.parse(odd.with_enabled(CLOCK).format())
    assert again.content["theirs"] == "\ud800 \0 \u2028"
