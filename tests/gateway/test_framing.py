"""Chunked bodies: taken apart in the same way wherever they are cut."""

from __future__ import annotations

import random

import pytest

from toru.gateway.framing import LAST_CHUNK, BadChunk, Chunked, chunk


def fed(*parts: bytes) -> tuple[bytes, bytes | None]:
    """The body, and what is behind it; None: it isn't over."""
    reader, content = Chunked(), b""
    for number, part in enumerate(parts):
        pieces, rest = reader.feed(part)
        content += b"".join(pieces)
        if rest is not None:
            return content, rest + b"".join(parts[number + 1 :])
    return content, None


@pytest.mark.parametrize(
    ("raw", "content"),
    [
        (b"0\r\n\r\n", b""),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"A\r\n0123456789\r\na\r\n0123456789\r\n00\r\n\r\n", b"0123456789" * 2),
        (b'2;name="v\xe9";x\r\nok\r\n0;end\r\n\r\n', b"ok"),
        (b"2 ; a\r\n\r\n\r\n0\r\nTrailer: x\r\nOther:\r\n\r\n", b"\r\n"),
    ],
)
def test_a_body_is_what_its_chunks_hold_wherever_it_is_cut(raw: bytes, content: bytes) -> None:
    assert fed(raw + b"NEXT") == (content, b"NEXT")
    assert fed(*(bytes([byte]) for byte in raw + b"NEXT")) == (content, b"NEXT")
    for at in range(len(raw)):
        assert fed(raw[:at], raw[at:]) == (content, b"")


def test_chance_finds_no_cut_that_matters() -> None:
    chance = random.Random(2)  # noqa: S311  (chance that repeats)
    for _ in range(300):
        content = [chance.randbytes(chance.choice([1, 2, 15, 16, 17, 300])) for _ in range(chance.randrange(5))]
        raw = b"".join(map(chunk, content)) + LAST_CHUNK
        cuts = sorted(chance.randrange(len(raw)) for _ in range(chance.randrange(6)))
        parts = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
        assert fed(*parts) == (b"".join(content), b"")


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\nx\r\n",
        b"0x1\r\nx\r\n",
        b" 1\r\nx\r\n",
        b"1 \r\nx\r\n",
        b"1\nx\n0\n\n",
        b"1\r\nxy\r\n",
        b"1\r\nx0\r\n\r\n",
        b"1;a\nb\r\nx\r\n",
        b"f" * 16 + b"\r\n",
        b"1;" + b"x" * 300,
        b"0\r\nno trailer\r\n\r\n",
        b"0\r\n folded: x\r\n\r\n",
        b"0\r\n" + b"A: b\r\n" * 3000 + b"\r\n",
    ],
)
def test_what_is_no_chunked_body_is_refused(raw: bytes) -> None:
    with pytest.raises(BadChunk):
        fed(raw)
    with pytest.raises(BadChunk):
        fed(*(bytes([byte]) for byte in raw))


def test_an_unfinished_body_is_not_over() -> None:
    assert fed(b"5\r\nhel") == (b"hel", None)
    assert fed(b"5\r\nhello\r") == (b"hello", None)
    assert fed(b"1\r\nx\r\n0\r\n") == (b"x", None)
