"""toru/1, message by message: what is sent is this to the byte, and every answer that plugins give is understood."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.gateway.vectors import at_once, load, named
from toru.domain import frames
from toru.gateway.toru1 import messages
from toru.gateway.toru1.messages import Answer, NotAnAnswer

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TORU1 = load("toru1")

pytestmark = pytest.mark.req("PROTO-1", "PROTO-4", "PROTO-6")


def request(**changes: Any) -> bytes:
    facts: dict[str, Any] = {"request_id": "R", "method": "GET", "path": "/", "headers": [], "body": b"", "now": NOW}
    return at_once(messages.request(**facts | changes))


@pytest.mark.parametrize(**named(TORU1["requests"]))
def test_a_request_is_this_to_the_byte(case: dict[str, Any]) -> None:
    asked = case["request"]
    headers = [(name.encode(), value.encode()) for name, value in asked["headers"]]
    sent = request(method=asked["method"], path=asked["path"], headers=headers, body=bytes.fromhex(asked["body"]))
    assert sent.hex() == case["hex"]
    assert json.loads(sent[4:]) == case["message"]


@pytest.mark.parametrize(**named(TORU1["answers"]))
def test_an_answer_means_this(case: dict[str, Any]) -> None:
    message = bytes.fromhex(case["hex"])[4:]
    match case["means"]:
        case "bad":
            with pytest.raises(NotAnAnswer):
                at_once(messages.answer(message, "R"))
        case "ignored":
            assert at_once(messages.answer(message, "R")) is None
        case means:
            headers = [(name.encode(), value.encode()) for name, value in means["headers"]]
            expected = Answer(means["status"], headers, bytes.fromhex(means["body"]))
            assert at_once(messages.answer(message, "R")) == expected


@pytest.mark.parametrize(**named(TORU1["kv_requests"]))
def test_a_question_to_the_storage_is_said_in_both_spellings(case: dict[str, Any]) -> None:
    sent = messages.kv(request_id="K", now=NOW, **case["asked"])
    assert sent.hex() == case["hex"]
    assert json.loads(sent[4:]) == case["message"]


@pytest.mark.parametrize(**named(TORU1["kv_answers"]))
def test_an_answer_of_the_storage_means_this(case: dict[str, Any]) -> None:
    message = bytes.fromhex(case["hex"])[4:]
    if case["means"] == "bad":
        with pytest.raises(NotAnAnswer):
            at_once(messages.kv_answer(message, "K"))
    else:
        expected = None if case["means"] == "ignored" else case["means"]
        assert at_once(messages.kv_answer(message, "K")) == expected


def test_a_header_that_is_not_utf_8_is_read_as_latin_1() -> None:
    sent = json.loads(request(headers=[(b"x-name", b"J\xf6rg")])[4:])
    assert sent["payload"]["payload"]["headers"] == {"x-name": "Jörg"}


@pytest.mark.parametrize("filler", [b"x", b"\n", b"\xff", "é".encode()])
def test_a_request_fills_a_message_to_its_last_byte_and_no_further(filler: bytes) -> None:
    """Each of them stands for so many bytes in JSON."""
    cost = {b"x": 1, b"\n": 2, b"\xff": 4 / 3, "é".encode(): 1}[filler]
    around = len(request(body=filler * 3)) - 4 - round(len(filler * 3) * cost)
    most = int((frames.LARGEST_MESSAGE_BYTES - around) / cost) // 3 * 3 // len(filler) * len(filler)
    fits = request(body=filler * (most // len(filler)))
    assert frames.LARGEST_MESSAGE_BYTES - 8 <= len(fits) - 4 <= frames.LARGEST_MESSAGE_BYTES
    with pytest.raises(ValueError, match="over the limit"):
        request(body=filler * (most // len(filler) + 9))


def answer_of(body: object, *, in_a_text: bool) -> bytes:
    payload: dict[str, Any] = {"status": 200, "headers": {"x": "y"}, "body": body}
    if in_a_text:
        inner = {"method": "RESPONSE", "path": "", "headers": {}, "body": json.dumps(payload)}
        payload = {"type": "http", "request_id": "R", "payload": inner}
    said = {"type": "http", "request_id": "R", "payload": payload}
    return json.dumps(said, ensure_ascii=False).encode()


LONG = {
    "plain": "x" * 1_000_000,
    "all kinds of escapes": '"\\/\b\f\n\r\t\0\x1f' * 100_000,
    "not ASCII": "grüß dich 🧩 " * 60_000,
    "both": 'é"\n🧩' * 100_000,
    "backslashes": "\\" * 500_001,
}


@pytest.mark.parametrize("in_a_text", [False, True])
@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_a_long_body_arrives_as_it_was(text: str, *, in_a_text: bool) -> None:
    answer = at_once(messages.answer(answer_of(text, in_a_text=in_a_text), "R"))
    assert answer == Answer(200, [(b"x", b"y")], text.encode())


@pytest.mark.parametrize("in_a_text", [False, True])
def test_a_long_array_is_handed_on_as_json(*, in_a_text: bool) -> None:
    rows = [{"number": number, "text": "é,[{\\"} for number in range(20_000)]
    answer = at_once(messages.answer(answer_of(rows, in_a_text=in_a_text), "R"))
    assert answer is not None
    assert json.loads(answer.body) == rows


BOMBS = {
    "many objects": b'{"payload":[' + b"{}," * 4_000_000 + b"1]}",
    "many objects at the top": b"[" + b"{}," * 4_000_000 + b"1]",
    "many keys": b'{"payload":{' + b'"a":1,' * 2_000_000 + b'"b":1}}',
    "many strings": b'{"payload":["' + b'","' * 4_000_000 + b'"]}',
    "many numbers": b'{"payload":[' + b"1," * 6_000_000 + b"1]}",
    "depth": b'{"payload":' + b"[" * 12_000_000,
    "a string without an end": b'{"payload":"' + b'\\"' * 6_000_000,
    "a number without an end": b'{"payload":' + b"1" * 12_000_000 + b"}",
    "escapes that are none": b'{"type":"http","payload":{"status":200,"body":"' + b"\\u12x4" * 2_000_000 + b'"}}',
}


@pytest.mark.req("ISO-2", "ROUTE-4")
@pytest.mark.parametrize("message", BOMBS.values(), ids=BOMBS.keys())
def test_a_message_made_to_be_bad_is_refused_in_steps_that_are_short(message: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        deque(step_times(messages.answer(message, "R")), maxlen=0)


def step_times(steps: Iterator[None]) -> Iterator[float]:
    """No bound: the longest is for whoever reads the output (-s)."""
    longest, began = 0.0, time.thread_time()
    try:
        for _ in steps:
            longest, began = max(longest, time.thread_time() - began), time.thread_time()
            yield longest
    finally:
        longest = max(longest, time.thread_time() - began)
        print(f"the longest step took {longest * 1000:.1f} ms of processor time")
