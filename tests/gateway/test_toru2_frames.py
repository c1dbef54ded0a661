"""Frames of toru/2: the vectors of docs/protocol.md, read and written."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import pytest

from tests.gateway.vectors import bytes_of, load, named
from toru.gateway.toru2 import frames
from toru.gateway.toru2.frames import Breach, Data, Frame, FrameReader, Message

FRAMES = load("toru2-frames")

pytestmark = pytest.mark.req("PROTO-1", "LANG-2")


def meant(case: dict[str, Any]) -> list[Frame]:
    return [
        Message(frame["message"])
        if "message" in frame
        else Data(frame["data"]["request_id"], bytes_of(frame["data"]), frame["data"]["last"])
        for frame in case["frames"]
    ]


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 5, 70_000])
@pytest.mark.parametrize(**named(FRAMES["valid"]))
def test_bytes_mean_these_frames_however_they_come(case: dict[str, Any], at_a_time: int) -> None:
    sent, reader = bytes_of(case), FrameReader()
    found = [frame for at in range(0, len(sent), at_a_time) for frame in reader.feed(sent[at : at + at_a_time])]
    assert found == meant(case)


@pytest.mark.parametrize(**named(FRAMES["valid"]))
def test_these_frames_are_written_as_these_bytes(case: dict[str, Any]) -> None:
    written = b"".join(
        frames.message(frame.said)
        if isinstance(frame, Message)
        else frames.data(frame.request_id, frame.content, is_last=frame.is_last)
        for frame in meant(case)
    )
    if any(word in case["name"] for word in ("escapes", "white space", "65 536")):
        assert written != bytes_of(case), "one of many ways to write JSON, and not ours"
        assert list(FrameReader().feed(written)) == meant(case)
    else:
        assert written == bytes_of(case)


@pytest.mark.parametrize("at_a_time", [1, 70_000])
@pytest.mark.parametrize(**named(FRAMES["broken"]))
def test_bytes_that_mean_nothing_are_a_breach(case: dict[str, Any], at_a_time: int) -> None:
    sent, reader = bytes_of(case), FrameReader()
    words = {"kind": "a frame of kind", "length": "bytes", "message": "a message that is"}
    with pytest.raises(Breach, match=words[case["breach"]]):
        deque(frame for at in range(0, len(sent), at_a_time) for frame in reader.feed(sent[at : at + at_a_time]))


@pytest.mark.parametrize(**named(FRAMES["broken"]))
def test_what_came_before_a_breach_is_read(case: dict[str, Any]) -> None:
    reader = FrameReader().feed(frames.data(1, b"x", is_last=True) + bytes_of(case))
    assert next(reader) == Data(1, b"x", is_last=True)
    with pytest.raises(Breach):
        next(reader)


def test_a_message_is_framed_as_in_toru_1() -> None:
    said = {"type": "push", "payload": {"name": "tick", "data": "é"}}
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    assert frames.message(said) == len(text).to_bytes(4, "big") + text


def test_a_message_that_no_frame_can_hold_is_not_written() -> None:
    around = len(frames.message({"x": ""})) - 4
    assert len(frames.message({"x": "y" * (65_536 - around)})) == 4 + 65_536
    with pytest.raises(ValueError, match="65537 bytes is over the limit of 65536"):
        frames.message({"x": "y" * (65_537 - around)})
