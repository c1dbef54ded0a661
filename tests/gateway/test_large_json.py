"""JSON in steps says what json says."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any

import pytest

from tests.gateway.vectors import at_once
from toru.gateway.toru1 import large_json
from toru.gateway.toru1.large_json import Document, NotJson

pytestmark = pytest.mark.req("PROTO-1")

CHARACTERS = 'ab,:[]{}"\\/\n\t\0\x7fé€\u2028🧩'


def whole(document: Document, value: Any) -> Any:
    """The value with every cut put back in its place."""
    if (cut := document.cut(value)) is not None:
        text = (
            b'"' + json.dumps(at_once(large_json.unescaped(cut)).decode()).encode()[1:] if cut.is_string else cut.text
        )
        return json.loads(text)
    if isinstance(value, dict):
        return {whole(document, key): whole(document, inner) for key, inner in value.items()}
    return [whole(document, inner) for inner in value] if isinstance(value, list) else value


def something(dice: Random, depth: int) -> Any:
    match dice.randrange(6 if depth else 3):
        case 0:
            return dice.choice([None, True, False, 0, -1.5, 1e300, 10**30])
        case 1:
            return "".join(dice.choices(CHARACTERS, k=dice.randrange(12)))
        case 2:
            return "".join(dice.choices(CHARACTERS, k=dice.choice([8_000, 9_000, 30_000])))
        case 3:
            return {something(dice, 0).__str__(): something(dice, depth - 1) for _ in range(dice.randrange(5))}
        case 4:
            return ["x" * dice.randrange(200)] * dice.choice([0, 1, 400])
        case _:
            return [something(dice, depth - 1) for _ in range(dice.randrange(5))]


@pytest.mark.parametrize("seed", range(60))
def test_what_is_cut_out_and_put_back_is_the_same(seed: int) -> None:
    dice = Random(seed)  # noqa: S311  (the same at each run)
    value = {"a": something(dice, 4), "b": something(dice, 4)}
    text = json.dumps(value, ensure_ascii=dice.choice([True, False]), indent=dice.choice([None, 1])).encode()
    document = at_once(large_json.read(text))
    assert whole(document, document.value) == value


@pytest.mark.parametrize("seed", range(60))
def test_what_is_broken_anywhere_is_refused_or_means_what_json_says(seed: int) -> None:
    dice = Random(seed)  # noqa: S311  (the same at each run)
    text = bytearray(json.dumps({"a": something(dice, 3), "b": [1, "two", {"three": None}]}).encode())
    for _ in range(3):
        text[dice.randrange(len(text))] = dice.choice(b'"\\{}[]:,x0 ')
    try:
        expected = json.loads(text)
    except ValueError:
        expected = NotJson
    try:
        document = at_once(large_json.read(bytes(text)))
        found = whole(document, document.value)
    except (NotJson, ValueError):
        found = NotJson
    # What is cut out is looked at only when it is wanted, and json has looked at all of it.
    assert found == expected


def test_a_long_part_is_cut_out_unread() -> None:
    text = b'{"short":"a","long":"' + b"x" * 10_000 + b'","list":[' + b"{}," * 60_000 + b"{}]}"
    document = at_once(large_json.read(text))
    assert document.value["short"] == "a"
    assert document.cut(document.value["short"]) is None
    cut = document.cut(document.value["long"])
    assert cut is not None
    assert cut.text == b'"' + b"x" * 10_000 + b'"'
    of_objects = document.cut(document.value["list"])
    assert of_objects is not None
    assert not of_objects.is_string


@pytest.mark.parametrize("content", [b"", b"a", 'é€🧩\n"\\\0'.encode() * 50_000, b"\xc3" * 3 + b"x"])
def test_bytes_become_a_json_string_where_they_are_text(content: bytes) -> None:
    try:
        expected = content.decode()
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            at_once(large_json.string_of(content))
    else:
        assert json.loads(at_once(large_json.string_of(content))) == expected


def test_text_that_ends_within_a_character_is_none() -> None:
    with pytest.raises(UnicodeDecodeError):
        at_once(large_json.string_of("é".encode() * 300_000 + b"\xc3"))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 196_607, 196_608, 196_609, 1_000_000])
def test_base64_of_the_parts_is_base64_of_the_whole(size: int) -> None:
    content = Random(size).randbytes(size)  # noqa: S311  (the same at each run)
    said = at_once(large_json.base64_of(content))
    assert said == b'"' + base64.b64encode(content) + b'"'
    assert at_once(large_json.from_base64(said[1:-1])) == content
    assert at_once(large_json.from_base64(base64.encodebytes(content))) == content


@pytest.mark.parametrize("text", [b"A", b"AAA", b"AA=A", b"AAA=AAAA", b"AAAA=", b"AA#A", "é".encode()])
def test_what_is_no_base64_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (it has many words)
        at_once(large_json.from_base64(text))
