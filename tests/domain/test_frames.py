"""toru/1 on the wire: every byte of it as plugins in the field expect it."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from toru.domain import frames

NOW = datetime(2026, 1, 1, tzinfo=UTC)

INIT = (
    b'{"type":"lifecycle","timestamp":"2026-01-01T00:00:00.000000Z","request_id":null,'
    b'"payload":{"type":"lifecycle","action":"init","instance_id":"I","plugin_socket":"/run/p.sock","log_path":"/l"}}'
)
SHUTDOWN = (
    b'{"type":"lifecycle","timestamp":"2026-01-01T00:00:00.000000Z","request_id":null,'
    b'"payload":{"type":"lifecycle","action":"shutdown"}}'
)


@pytest.mark.req("PROTO-1", "PROTO-2", "PROTO-6")
def test_init_is_this_to_the_byte() -> None:
    message = frames.init(instance_id="I", plugin_socket="/run/p.sock", log_path="/l", now=NOW)
    assert message == b"\x00\x00\x00\xbf" + INIT
    assert len(INIT) == 0xBF


@pytest.mark.req("PROTO-1", "PROTO-3", "PROTO-6")
def test_shutdown_is_this_to_the_byte() -> None:
    assert frames.shutdown(now=NOW) == b"\x00\x00\x00\x83" + SHUTDOWN
    assert len(SHUTDOWN) == 0x83


@pytest.mark.req("PROTO-1")
def test_the_length_counts_bytes_and_not_characters() -> None:
    message = frames.frame({"t": "\u00e9\U0001f9e9"})
    assert message == b"\x00\x00\x00\x0e" + '{"t":"\u00e9\U0001f9e9"}'.encode()


@pytest.mark.req("PROTO-1")
def test_a_frame_is_one_message_without_a_newline_behind_it() -> None:
    message = frames.frame({"text": "two\nlines", "number": 1, "nothing": None})
    assert int.from_bytes(message[:4], "big") == len(message) - 4
    assert b"\n" not in message
    assert json.loads(message[4:]) == {"text": "two\nlines", "number": 1, "nothing": None}


@pytest.mark.req("PROTO-1")
def test_sixteen_mebibytes_pass_and_one_byte_more_does_not() -> None:
    largest = 16 * 1024 * 1024
    around = len('{"b":""}')
    assert len(frames.frame({"b": "x" * (largest - around)})) == 4 + largest
    with pytest.raises(ValueError, match="16777217 bytes is over the limit of 16777216"):
        frames.frame({"b": "x" * (largest - around + 1)})


@pytest.mark.req("PROTO-6")
@pytest.mark.parametrize(
    ("now", "said"),
    [
        (NOW, "2026-01-01T00:00:00.000000Z"),
        (NOW.replace(microsecond=7), "2026-01-01T00:00:00.000007Z"),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:00:00.000000Z"),
    ],
)
def test_a_timestamp_has_a_zone_and_six_digits_whatever_the_clock_shows(now: datetime, said: str) -> None:
    assert frames.timestamp(now) == said
