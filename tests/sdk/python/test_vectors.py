"""The test vectors of docs/protocol.md, as a plugin on the SDK lives them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

import pytest
from toru_plugin.headers import Headers
from toru_plugin.toru2 import frames
from toru_plugin.toru2.conversation import Conversation
from toru_plugin.toru2.frames import END, MESSAGE, Breach, FrameReader
from toru_plugin.toru2.stream import Stream

from tests.gateway.vectors import bytes_of, load, named

pytestmark = pytest.mark.req("PROTO-1", "LANG-1")

FRAMES = load("toru2-frames")


def read(hexed: bytes, *, by: int) -> list[Any]:
    reader, found = FrameReader(), []
    for start in range(0, len(hexed), by):
        found += [meant(kind, content) for kind, content in reader.feed(hexed[start : start + by])]
    return found


def meant(kind: int, content: Any) -> dict[str, Any]:
    if kind == MESSAGE:
        return {"message": content}
    return {"data": {"request_id": content[0], "hex": content[1].hex(), "last": kind == END}}


@pytest.mark.parametrize("by", [1 << 20, 1])
@pytest.mark.parametrize(**named([case for case in FRAMES["valid"] if len(case["hex"]) < 4000]))
def test_a_frame_means_this(case: dict[str, Any], by: int) -> None:
    found = read(bytes_of(case), by=by)
    tail = case.get("tail", {"hex": "", "times": 0})
    if tail["times"] and "data" in case["frames"][-1]:
        found[-1]["data"]["hex"] = found[-1]["data"]["hex"].removesuffix(tail["hex"] * tail["times"])
        case["frames"][-1]["data"]["hex"] = case["frames"][-1]["data"]["hex"].removesuffix(tail["hex"] * tail["times"])
    assert len(found) == len(case["frames"])
    for frame, expected in zip(found, case["frames"], strict=True):
        assert frame.keys() == expected.keys()
        if "message" in expected:
            assert frame == expected


@pytest.mark.parametrize("by", [1 << 20, 1])
@pytest.mark.parametrize(**named(FRAMES["broken"]))
def test_bytes_that_mean_nothing_are_a_breach(case: dict[str, Any], by: int) -> None:
    with pytest.raises(Breach):
        read(bytes_of(case), by=by)


# In these a plugin does what none on the SDK can do.
OTHERWISE = (
    *("unknown messages", "an answer that can't be one", "an answer with", "a second head within an answer"),
    *("a body that is longer than content-length", "a body that is shorter than content-length"),
    "what comes too late is ignored",  # it says nothing of a request that it knows to be cancelled
    *("a plugin that speaks another version", "goodbye because of a breach"),
    *("goodbye without last_request_id", "goodbye with", "goodbye instead of a hello", "a cancel without a reason"),
    "a message of a later version",
    "what is missing in hello has a default",  # it leaves nothing out
    "a push between other frames",
    *("waits for credit of its own", "share the credit of the connection"),  # it gives no more than was read
    "goodbye: what was begun is answered",  # it begins with all that it has read
)  # fmt: skip


def possible(case: dict[str, Any]) -> bool:
    return case["ends"] != "breach by the plugin" and not any(words in case["name"] for words in OTHERWISE)


CONVERSATIONS = [case for case in load("toru2-conversations")["conversations"] if possible(case)]


class Plugin:
    """The plugin's side of a connection. It does what must have led to each of its frames."""

    def __init__(self, hello: Mapping[str, Any]) -> None:
        self.sent: deque[dict[str, Any]] = deque()
        self.streams: dict[int, Stream] = {}
        self._reader = FrameReader()
        self.conversation = Conversation(
            send=self._send, begin=self._begin, change=lambda: None, credit=hello.get("credit", 65_536),
            connection_credit=hello.get("connection_credit", 1_048_576), requests=hello.get("requests", 100),
        )  # fmt: skip
        self._tasks: list[asyncio.Task[Any]] = []

    def _send(self, data: bytes) -> None:
        self.sent.extend(meant(kind, content) for kind, content in self._reader.feed(data))

    def _begin(self, stream: Stream) -> None:
        self.streams[stream.request_id] = stream

    async def act(self, means: dict[str, Any]) -> None:
        if "data" in means:
            data = means["data"]
            stream = self.streams[data["request_id"]]
            content = bytes.fromhex(data["hex"])
            await asyncio.wait_for(stream.end(content) if data["last"] else stream.send(content), 5)
            return
        said = means["message"]
        if said["type"] == "lifecycle" and said["payload"]["action"] == "goodbye":
            self.conversation.leave(said["payload"]["reason"])
            return
        stream = self.streams[said["request_id"]]
        if said["type"] == "http":
            payload = said["payload"]
            stream._has_body = payload["body"]
            stream._begin(payload["status"], Headers.of_wire(payload["headers"]), has_body=payload["body"])
            stream.has_begun, stream.has_ended = True, not payload["body"]
        elif said["type"] == "cancel":
            stream.abort(said["payload"]["reason"])
        else:
            raise AssertionError(f"nobody knows how a plugin comes to say {said}")


@pytest.mark.req("PROTO-4", "PROTO-5")
@pytest.mark.parametrize(**named(CONVERSATIONS))
def test_a_connection_goes_like_this(case: dict[str, Any]) -> None:
    asyncio.run(live(case))


def test_most_of_the_connections_are_lived_here() -> None:
    assert len(CONVERSATIONS) >= 12, [case["name"] for case in CONVERSATIONS]


async def live(case: dict[str, Any]) -> None:
    said = [
        step["means"]["message"] for step in case["steps"] if "message" in step["means"] and step["from"] == "plugin"
    ]
    plugin = Plugin(said[0]["payload"])
    for step in case["steps"]:
        if step["from"] == "core":
            plugin.conversation.receive(bytes.fromhex(step["hex"]))
            continue
        if is_credit(step["means"]):
            # When to give credit is up to each side; here the vector decides, and it was used up as it says.
            continue
        if not plugin.sent:
            await plugin.act(step["means"])
        while plugin.sent and is_credit(plugin.sent[0]):
            plugin.sent.popleft()
        assert plugin.sent.popleft() == step["means"]
    assert not plugin.sent
    assert plugin.conversation.load == 0, "nothing is kept of what is over"
    assert plugin.conversation.is_leaving == (case["ends"] == "left")


def is_credit(means: dict[str, Any]) -> bool:
    return bool(means.get("message", {}).get("type") == "credit")


# What the vectors can't say, because the core never does it.


def started(**terms: Any) -> Plugin:
    plugin = Plugin({"credit": 10, "connection_credit": 40, "requests": 2, **terms})
    hello = {"action": "hello", "versions": [2]}
    plugin.conversation.receive(frames.message({"type": "lifecycle", "payload": hello}))
    plugin.sent.clear()
    return plugin


def request(number: object, *, body: bool = False, **changes: Any) -> bytes:
    payload = {"method": "GET", "path": "/", "headers": {}, "body": body, **changes}
    return frames.message({"type": "http", "request_id": number, "payload": payload})


BREACHES = {
    "a request before hello": None,
    "a second hello": frames.message({"type": "lifecycle", "payload": {"action": "hello", "versions": [2]}}),
    "a request id that is not higher": request(1) + request(1),
    "more requests at once than were agreed on": request(1) + request(2) + request(3),
    "a request without a path": request(1, path=None),
    "a request id that is a text": request("1"),
    "data for a request that never was": frames.data(7, b"x", is_last=True),
    "data for a body that was not announced": request(1) + frames.data(1, b"x", is_last=True),
    "data behind the end": request(1, body=True) + 2 * frames.data(1, b"x", is_last=True),
    "more data than there was credit": request(1, body=True) + frames.data(1, b"x" * 11, is_last=False),
    "credit of no bytes": frames.message({"type": "credit", "request_id": None, "payload": {"bytes": 0}}),
    "more credit than may be outstanding": frames.message(
        {"type": "credit", "request_id": None, "payload": {"bytes": 2**31 - 1}}
    ),
    "a message without a payload": frames.message({"type": "http", "request_id": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", BREACHES)
def test_a_core_that_breaks_a_rule_hears_which(name: str) -> None:
    sent = BREACHES[name]
    if sent is None:
        plugin, sent = Plugin({}), request(1)
    else:
        plugin = started()
    with pytest.raises(Breach):
        plugin.conversation.receive(sent)
    goodbye = plugin.sent.pop()["message"]["payload"]
    assert (goodbye["action"], goodbye["code"], bool(goodbye["reason"])) == ("goodbye", "protocol", True)


def test_a_core_of_another_version_gets_a_goodbye_and_no_hello() -> None:
    plugin = Plugin({})
    plugin.conversation.receive(
        frames.message({"type": "lifecycle", "payload": {"action": "hello", "versions": [3, 4]}})
    )
    assert plugin.sent.pop()["message"]["payload"]["code"] == "version"
    assert plugin.conversation.is_refused
    assert not plugin.sent


def test_requests_that_come_after_goodbye_are_left_alone_with_their_bodies() -> None:
    plugin = started()
    plugin.conversation.leave("SIGTERM")
    assert plugin.sent.pop()["message"]["payload"]["last_request_id"] == 0
    plugin.conversation.receive(request(1, body=True) + frames.data(1, b"x" * 10, is_last=True))
    assert plugin.streams == {}


def test_what_comes_for_a_request_that_is_over_is_paid_back() -> None:
    plugin = started()
    plugin.conversation.receive(request(1, body=True))
    plugin.streams[1].abort("enough")
    plugin.sent.clear()
    plugin.conversation.receive(frames.data(1, b"x" * 10, is_last=False) * 2)
    assert [it["message"]["payload"] for it in plugin.sent] == [{"bytes": 20}]
