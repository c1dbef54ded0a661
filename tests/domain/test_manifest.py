"""What a plugin may say of itself, and what becomes of it."""

import json
from dataclasses import fields
from typing import Any

import pytest

from toru.domain.errors import InvalidManifest
from toru.domain.manifest import (
    OUTPUT_LIMIT_BYTES,
    Activation,
    Manifest,
    Protocol,
    Sandbox,
    Start,
    manifest_as_said,
    manifest_from,
    parse_manifest,
)
from toru.domain.quantities import Limits

LEAST = {"id": "x", "name": "X", "route": "/x"}

FULL = {
    **LEAST,
    "version": "1.2.3",
    "icon": "\U0001f552",
    "author": "A. N. Author",
    "description": "Tells the time.\n\n\tAnd more.",
    "homepage": "https://example.org/",
    "protocol": "http",
    "activation": "self",
    "start": "on-demand",
    "idle_timeout": 300,
    "watchdog": 2.5,
    "timeout": 30,
    "max_body": 1048576,
    "max_concurrent": 8,
    "limits": {"memory": "64M", "tasks": 16, "cpu": "50%"},
    "sandbox": "strict",
}


def said(**changes: Any) -> Manifest:
    return parse_manifest(json.dumps({**LEAST, **changes}).encode())


@pytest.mark.req("META-1", "PROTO-6")
def test_the_least_a_plugin_in_the_field_says_is_enough() -> None:
    manifest = parse_manifest(b'{"id": "x", "name": "X", "route": "/x"}\n')
    assert (manifest.id, manifest.name, manifest.route) == ("x", "X", "/x")
    assert (manifest.version, manifest.icon) == ("0.0.0", "\U0001f9e9")
    assert (manifest.author, manifest.description, manifest.homepage) == (None, None, None)
    assert (manifest.protocol, manifest.activation, manifest.start) == (Protocol.TORU_1, Activation.SELF, Start.EAGER)
    assert (manifest.idle_timeout, manifest.watchdog, manifest.timeout) == (None, None, None)
    assert (manifest.max_body, manifest.max_concurrent) == (None, None)
    assert (manifest.limits, manifest.sandbox) == (Limits(), Sandbox.DEFAULT)


@pytest.mark.req("META-1")
def test_everything_that_may_be_said_is_heard() -> None:
    manifest = parse_manifest(json.dumps(FULL).encode())
    assert {field.name: getattr(manifest, field.name) for field in fields(manifest)} == {
        **FULL,
        "limits": Limits(memory_bytes=64 << 20, tasks=16, cpu_percent=50),
    }


@pytest.mark.req("META-1", "PROTO-6")
@pytest.mark.parametrize("field", sorted(FULL.keys() - LEAST.keys()))
def test_null_means_that_nothing_was_said(field: str) -> None:
    assert said(**{field: None}) == said()


@pytest.mark.req("META-1", "PROTO-6")
@pytest.mark.parametrize("field", ["version", "icon", "author", "description", "homepage"])
def test_an_empty_text_that_is_only_shown_means_that_nothing_was_said(field: str) -> None:
    assert said(**{field: ""}) == said()


@pytest.mark.req("META-1")
@pytest.mark.parametrize(
    "unknown",
    [
        {"surprise": True},
        {"": 1},
        {"path": "/etc/shadow"},
        {"rings": False},
        {"deep": {"er": [{}]}},
        {"limits": {"disk": "1G"}},
        {"ID": "y"},
        {"text": "\ud800 \u202e \0"},
    ],
)
def test_unknown_fields_are_kept_out_and_do_no_harm(unknown: dict[str, Any]) -> None:
    manifest = said(**unknown)
    assert manifest == said()
    assert not {field.name for field in fields(manifest)} & (unknown.keys() - {"limits"})


@pytest.mark.req("META-1")
@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "1e400", "0." + "3" * 5000])
def test_a_huge_number_in_an_unknown_field_does_no_harm(number: str) -> None:
    output = json.dumps(LEAST)[:-1] + f', "serial": {number}}}'
    assert parse_manifest(output.encode()) == said()


@pytest.mark.req("PROTO-6", "PROTO-7")
@pytest.mark.parametrize(
    ("protocol", "asked", "activation"),
    [
        (None, None, "self"),
        ("toru/1", None, "self"),
        ("toru/1", "self", "self"),
        ("toru/1", "socket", "self"),
        ("toru/2", None, "socket"),
        ("toru/2", "socket", "socket"),
        ("http", None, "socket"),
        ("http", "socket", "socket"),
        ("http", "self", "self"),
    ],
)
def test_who_binds_follows_from_the_protocol_and_toru_1_always_binds_for_itself(
    protocol: str | None, asked: str | None, activation: str
) -> None:
    manifest = said(protocol=protocol, activation=asked)
    assert manifest.activation == activation
    assert manifest.rings is (activation == "self")


@pytest.mark.parametrize(
    "icon",
    [
        "\U0001f9e9",
        "\u2699\ufe0f",  # a gear, asked for in colour
        "\U0001f1e9\U0001f1ea",  # a flag of two letters
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # a flag of six tags
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",  # a family of four
        "\U0001f44d\U0001f3fd",  # with a skin tone
        "1\ufe0f\u20e3",  # a keycap
        "\U0001fae9",  # of Unicode 16: newer than Python 3.13
        "\U0001fabf",  # of Unicode 15: newer than Python 3.11
        "clock",
    ],
)
def test_every_emoji_is_an_icon_whatever_it_is_made_of(icon: str) -> None:
    assert said(icon=icon).icon == icon


@pytest.mark.parametrize(
    "name",
    [
        "a" * 99,
        "\U0001f9e9" * 99,
        "Z\u00fcrich",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "<b>&amp;\"'%n $HOME",
        " x ",
    ],
)
@pytest.mark.req("META-2", "SEC-5")
def test_a_name_may_be_any_text_that_can_be_seen_and_stays_as_it_is(name: str) -> None:
    assert said(name=name).name == name
    assert said(author=name).author == name


@pytest.mark.req("META-2")
@pytest.mark.parametrize("route", ["/x", "/A-b_c.d~e", "/0", "/-", "/.x", "/x.", "/" + "r" * 100])
def test_a_route_is_one_segment_that_needs_no_encoding(route: str) -> None:
    assert said(route=route).route == route


@pytest.mark.req("META-1")
@pytest.mark.parametrize(
    "content",
    [
        LEAST,
        FULL,
        {**LEAST, "protocol": "toru/1", "activation": "socket", "watchdog": 1},
        {**LEAST, "protocol": "toru/2", "sandbox": "trusted"},
        {**LEAST, "protocol": "http", "activation": "self"},
        {**LEAST, "limits": {"cpu": 1}},
        {**LEAST, "limits": {}, "author": None},
    ],
)
def test_a_manifest_said_again_is_the_same_manifest(content: dict[str, Any]) -> None:
    manifest = manifest_from(content)
    again = json.dumps(manifest_as_said(manifest), ensure_ascii=False).encode()
    assert parse_manifest(again) == manifest


@pytest.mark.req("META-3")
def test_64_kib_is_the_most_that_is_read() -> None:
    output = json.dumps(LEAST).encode().ljust(OUTPUT_LIMIT_BYTES)
    assert len(output) == 65_536
    assert parse_manifest(output) == said()
    with pytest.raises(InvalidManifest, match=r"^printed more than 64 KiB for --metadata$"):
        parse_manifest(output + b" ")


@pytest.mark.req("ISO-4", "META-1")
@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (b"", "printed nothing"),
        (b" \n\t\r\n", "printed nothing"),
        (b"usage: clock [options]", "not JSON"),
        (b'{"id": "x"', "not JSON"),
        (b"{'id': 'x'}", "not JSON"),
        (b'{"id": "x",}', "not JSON"),
        (b'{"id": "x"} {"id": "x"}', "not JSON"),
        (b'{"id": "x", "timeout": NaN}', "not JSON"),
        (b'{"id": "x", "unknown": Infinity}', "not JSON"),
        (b'{"id": "x", "unknown": -Infinity}', "not JSON"),
        (b'{"id": "x\n"}', "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b'{"a":' * 12_000, "not JSON"),
        (b"[" * 30_000 + b"]" * 30_000, "not JSON"),
        (b"\0" * 100, "not JSON"),
        (b'\xef\xbb\xbf{"id": "x"}', "not JSON"),
        (b'{"id": "\xff"}', "not UTF-8"),
        (b'{"id": "\xed\xa0\x80"}', "not UTF-8"),
        ('{"id": "x"}'.encode("utf-16"), "not UTF-8"),
        (b"\x7fELF\x02\x01\x01\x80", "not UTF-8"),
        (b"[]", "JSON that is not an object"),
        (b"null", "JSON that is not an object"),
        (b'"x"', "JSON that is not an object"),
        (b"7", "JSON that is not an object"),
        (b'[{"id": "x", "name": "X", "route": "/x"}]', "JSON that is not an object"),
    ],
)
def test_rubbish_is_refused_with_what_it_is(output: bytes, reason: str) -> None:
    with pytest.raises(InvalidManifest) as refusal:
        parse_manifest(output)
    assert reason in str(refusal.value)
    assert str(refusal.value).endswith("for --metadata")
    assert refusal.value.code == "invalid-manifest"
