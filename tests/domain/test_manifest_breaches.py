"""Every breach keeps the plugin out, and has a sentence of its own that names the field."""

import json
from typing import Any

import pytest

from toru.domain.errors import InvalidManifest
from toru.domain.manifest import manifest_from, parse_manifest

LEAST = {"id": "x", "name": "X", "route": "/x"}

NO_TEXT = "must be a text"
NOT_EMPTY = "must not be empty"
UNSEEN = "must not contain control characters or others that can't be seen"
ID = "must be 1 to 64 letters, digits and hyphens"
ROUTE = "one segment of letters, digits, hyphens, dots, underscores or tildes"
SECONDS = "must be a number of seconds from 0.001 to 86400"
MEMORY = 'must be a size like "64M" or a number of bytes, at least 8M'

BREACHES: list[tuple[str, Any, str]] = [
    ("id", "", ID),
    ("id", "../x", "'../x' " + ID),
    ("id", "a/b", ID),
    ("id", "x\n", r"'x\n' " + ID),
    ("id", "\u0661", ID),
    ("id", "a" * 65, ID),
    ("id", "x\0", ID),
    ("id", "route", "'route' is taken: /api/plugins/route/ is the way to every plugin"),
    ("id", 7, NO_TEXT),
    ("id", True, NO_TEXT),
    ("id", ["x"], NO_TEXT),
    ("name", "", NOT_EMPTY),
    ("name", "  ", NOT_EMPTY),
    ("name", "\u00a0\u3000", NOT_EMPTY),
    ("name", "\u200d\u200c", NOT_EMPTY),
    ("name", "\u3164", NOT_EMPTY),
    ("name", "a" * 100, "must be under 100 characters, not 100"),
    ("name", "\U0001f9e9" * 100, "must be under 100 characters, not 100"),
    ("name", 1, NO_TEXT),
    ("name", {"en": "X"}, NO_TEXT),
    ("author", "a" * 100, "must be under 100 characters, not 100"),
    ("author", " ", NOT_EMPTY),
    ("author", ["A"], NO_TEXT),
    ("route", "", ROUTE),
    ("route", "/", ROUTE),
    ("route", "x", ROUTE),
    ("route", "//x", ROUTE),
    ("route", "/x/", ROUTE),
    ("route", "/x/y", ROUTE),
    ("route", "/..", ROUTE),
    ("route", "/.", ROUTE),
    ("route", "/a..b", ROUTE),
    ("route", "/../x", ROUTE),
    ("route", "/x\n", ROUTE),
    ("route", "/x?y", ROUTE),
    ("route", "/x#y", ROUTE),
    ("route", "/%2e%2e", ROUTE),
    ("route", "/x%2fy", ROUTE),
    ("route", "/x\\y", ROUTE),
    ("route", "/a b", ROUTE),
    ("route", "/caf\u00e9", ROUTE),
    ("route", "/x\0", ROUTE),
    ("route", "/" + "r" * 101, ROUTE),
    ("route", 7, NO_TEXT),
    ("version", "v" * 100, "must be under 100 characters, not 100"),
    ("version", 1.0, NO_TEXT),
    ("icon", "i" * 100, "must be under 100 characters, not 100"),
    ("icon", "\u200d", NOT_EMPTY),
    ("icon", True, NO_TEXT),
    ("description", "d" * 2000, "must be under 2000 characters, not 2000"),
    ("description", "a\rb", UNSEEN),
    ("description", "\n\n", NOT_EMPTY),
    ("description", ["d"], NO_TEXT),
    ("homepage", "javascript:alert(1)", "must begin with https:// or http://"),
    ("homepage", "//example.org", "must begin with https:// or http://"),
    ("homepage", "https://" + "h" * 500, "must be under 500 characters, not 508"),
    ("homepage", "https://a\nb", UNSEEN),
    ("homepage", 1, NO_TEXT),
    ("protocol", "toru/3", "must be one of toru/1, toru/2, http"),
    ("protocol", "HTTP", "must be one of toru/1, toru/2, http"),
    ("protocol", "", "must be one of toru/1, toru/2, http"),
    ("protocol", 1, "must be one of toru/1, toru/2, http"),
    ("protocol", ["http"], "must be one of toru/1, toru/2, http"),
    ("activation", "inetd", "must be one of socket, self"),
    ("start", "lazy", "must be one of eager, on-demand"),
    ("start", True, "must be one of eager, on-demand"),
    ("sandbox", "none", "must be one of strict, default, trusted"),
    ("sandbox", False, "must be one of strict, default, trusted"),
    *[
        (field, value, SECONDS)
        for field in ("idle_timeout", "watchdog", "timeout")
        for value in (0, -1, 0.0004, 86_401, 10**30, 10**400, True, False, "5", "5s", [5])
    ],
    *[
        (field, value, "must be a whole number from 1 to ")
        for field in ("max_body", "max_concurrent")
        for value in (0, -1, 1.5, 1.0, 2**63, True, "8", [8])
    ],
    ("limits", [], "must be an object with memory, tasks or cpu"),
    ("limits", "64M", "must be an object with memory, tasks or cpu"),
    ("limits", True, "must be an object with memory, tasks or cpu"),
    ("limits", {"memory": "lots"}, "memory " + MEMORY),
    ("limits", {"memory": "1M"}, "memory " + MEMORY),
    ("limits", {"memory": True}, "memory " + MEMORY),
    ("limits", {"memory": 2**63}, "memory " + MEMORY),
    ("limits", {"tasks": 0}, "tasks must be a whole number of processes and threads, at least 1"),
    ("limits", {"tasks": True}, "tasks must be a whole number of processes and threads, at least 1"),
    ("limits", {"cpu": "half"}, "cpu must be a percentage of one processor"),
    ("limits", {"cpu": True}, "cpu must be a percentage of one processor"),
]

UNSEEN_CHARACTERS = {
    "NUL": "\0",
    "newline": "\n",
    "tab": "\t",
    "escape": "\x1b",
    "delete": "\x7f",
    "next line": "\x85",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "right-to-left override": "\u202e",
    "left-to-right embedding": "\u202a",
    "right-to-left isolate": "\u2067",
    "right-to-left mark": "\u200f",
    "zero-width space": "\u200b",
    "word joiner": "\u2060",
    "soft hyphen": "\u00ad",
    "byte order mark": "\ufeff",
    "interlinear annotation": "\ufff9",
    "language tag": "\U000e0001",
    "lone surrogate": "\ud800",
    "noncharacter, which systemd refuses": "\uffff",
    "noncharacter of the Arabic block": "\ufdd0",
    "unassigned": "\U000e0fff",
}


def refusal_of(said: dict[str, Any]) -> str:
    with pytest.raises(InvalidManifest) as refusal:
        parse_manifest(json.dumps(said).encode())
    return str(refusal.value)


@pytest.mark.req("META-2", "ISO-4")
@pytest.mark.parametrize(("field", "value", "rule"), BREACHES)
def test_a_breach_names_its_field_and_the_rule(field: str, value: Any, rule: str) -> None:
    sentence = refusal_of({**LEAST, field: value})
    assert sentence.startswith(f"invalid metadata: {field} ")
    assert rule in sentence
    assert ";" not in sentence, "one breach is told once"


@pytest.mark.req("META-1", "META-2")
@pytest.mark.parametrize("field", ["id", "name", "route"])
@pytest.mark.parametrize("null", [True, False], ids=["null", "absent"])
def test_what_is_required_may_be_neither_absent_nor_null(field: str, null: bool) -> None:  # noqa: FBT001
    said: dict[str, Any] = {key: value for key, value in LEAST.items() if key != field}
    if null:
        said[field] = None
    assert refusal_of(said) == f"invalid metadata: {field} is missing"


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("field", ["name", "version", "icon", "author", "description", "homepage"])
@pytest.mark.parametrize("character", UNSEEN_CHARACTERS.values(), ids=UNSEEN_CHARACTERS.keys())
def test_what_forges_lines_or_hides_or_reorders_text_is_refused_in_every_text(field: str, character: str) -> None:
    if field == "description" and character in "\n\t":
        return  # it has paragraphs
    text = f"https://a{character}b"
    assert refusal_of({**LEAST, field: text}) == f"invalid metadata: {field} {UNSEEN}"


@pytest.mark.req("META-2")
def test_all_breaches_are_told_in_one_sentence() -> None:
    sentence = refusal_of({"id": "../x", "name": "n" * 100, "author": 1, "limits": {"tasks": 0}, "sandbox": "none"})
    assert sentence == (
        "invalid metadata: id '../x' must be 1 to 64 letters, digits and hyphens; "
        "name must be under 100 characters, not 100; "
        "route is missing; "
        "author must be a text; "
        "limits tasks must be a whole number of processes and threads, at least 1; "
        "sandbox must be one of strict, default, trusted"
    )


@pytest.mark.req("PROTO-1")
def test_a_toru_2_plugin_can_not_bind_for_itself() -> None:
    sentence = refusal_of({**LEAST, "protocol": "toru/2", "activation": "self"})
    assert sentence == 'invalid metadata: activation must be "socket" with protocol toru/2'


@pytest.mark.req("META-4")
def test_a_plugin_can_not_ask_for_more_than_words() -> None:
    """No field of a manifest reaches a unit's sandbox but through `sandbox` and `limits`."""
    manifest = manifest_from({**LEAST, "user": "root", "exec": "/bin/sh", "capabilities": ["all"], "properties": {}})
    assert manifest == manifest_from(LEAST)


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("field", ["id", "route"])
@pytest.mark.parametrize("character", ["\x1b", "\n", "\u202e", "\ud800", "\0"])
def test_a_refusal_quotes_what_was_said_in_characters_that_can_be_shown(field: str, character: str) -> None:
    sentence = refusal_of({**LEAST, field: f"/{character}" * 1000})
    assert sentence.isprintable()
    assert len(sentence) < 700, "and not all of it"
