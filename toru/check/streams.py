"""Checks of what toru/2 alone has, and of what both of Toru's own protocols have: things a reader doesn't know."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from typing import Any

from toru.check.asking import Reply
from toru.check.over_toru2 import Raw, Talk
from toru.check.stage import STOP_SECONDS, Stage
from toru.check.verdict import Broken
from toru.domain import frames as toru1_frames
from toru.gateway.toru2 import frames

LITTLE_CREDIT, LITTLE_CREDIT_OF_ALL = 64, 4096

_UNKNOWN_2: Mapping[str, Mapping[str, Any]] = {
    "a message of the type weather": {"type": "weather", "payload": {"wind": 7}},
    "a lifecycle message with the action dance": {"type": "lifecycle", "payload": {"action": "dance"}},
    "credit with a key that is new": {"type": "credit", "payload": {"bytes": 1, "new": {}}, "request_id": None},
}
_UNKNOWN_1 = {"type": "lifecycle", "action": "ping", "new": [1]}


async def hello(stage: Stage) -> None:
    await stage.watch(stage.toru2.talk, "hello")


async def version(stage: Stage) -> None:
    raw = await stage.watch(lambda: Raw.begin(stage.path), "a connection")
    try:
        said = {"action": "hello", "versions": [999_999], "credit": 1, "connection_credit": 1}
        raw.send(frames.message({"type": "lifecycle", "payload": said}))
        code = await stage.watch(raw.goodbye, "a hello with the version 999999")
        if code != "version":
            came = (
                "closed the connection without a goodbye"
                if code is None
                else f"said goodbye with the code {code!r:.40}"
            )
            raise Broken(f"it {came}")
    finally:
        await raw.close()
    await stage.still_serves("a hello with the version 999999")


async def credit(stage: Stage) -> None:
    """With very little of it, and with one answer that nobody reads."""

    async def ask() -> Reply:
        talk = await Talk.begin(stage.path, credit=LITTLE_CREDIT, connection_credit=LITTLE_CREDIT_OF_ALL)
        try:
            unread = await talk.request(stage.ask_for())
            unread.stream.pause()
            await talk.ask(stage.ask_for())
            unread.stream.resume()
            return await unread.over
        finally:
            await talk.close()

    await stage.watch(ask, f"{stage.ask_for()} with {LITTLE_CREDIT} bytes of credit")


async def unknown(stage: Stage) -> None:
    """Messages, actions and keys of a later version."""
    talk = await stage.watch(stage.toru2.talk, "hello")
    for what, said in _UNKNOWN_2.items():
        talk.conversation.send(frames.message(said))
        await stage.watch(lambda: talk.ask(stage.ask_for()), f"after {what}, {stage.ask_for()}")


async def unknown_1(stage: Stage) -> None:
    """The same in toru/1, where a plugin may close the connection on it but not end."""
    message = json.loads(stage.toru1.framed("new", stage.ask_for())[4:])
    message |= {"new": 1}
    message["payload"] |= {"new": {"a": None}}
    message["payload"]["payload"] |= {"new": ["b"]}
    what = f"{stage.ask_for()} with keys that are new"
    await stage.watch(lambda: stage.toru1.ask_as("new", toru1_frames.frame(message)), what)
    unheard = {"type": "lifecycle", "timestamp": "2026-01-01T00:00:00Z", "request_id": None, "payload": _UNKNOWN_1}
    await stage.watch(lambda: stage.toru1.say(toru1_frames.frame(unheard)), "a lifecycle message with the action ping")
    await stage.still_serves("a lifecycle message with the action ping")


async def goodbye(stage: Stage) -> None:
    """Between requests, so that nothing is under way."""
    talk = await stage.watch(stage.toru2.talk, "hello")
    await stage.watch(lambda: talk.ask(stage.ask_for()), str(stage.ask_for()))
    stage.running.signal(signal.SIGTERM)
    try:
        await stage.watch(talk.left, "SIGTERM")
    except Broken:
        raise Broken("its connection ended without a goodbye") from None
    if (refusal := talk.conversation.refusal) is not None:
        raise Broken(refusal.detail)
    await stage.end_within(STOP_SECONDS, "its goodbye, though the connection was closed")


async def pushes(stage: Stage) -> None:
    """What has come on the connection of all requests."""
    talk = await stage.watch(stage.toru2.talk, "hello")
    await stage.watch(lambda: talk.ask(stage.ask_for()), str(stage.ask_for()))
    if talk.bad_push is not None:
        raise Broken(f"it {talk.bad_push}")
