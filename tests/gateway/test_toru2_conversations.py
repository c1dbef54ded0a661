"""Connections of toru/2, frame by frame, as the core holds them: the vectors of docs/protocol.md."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import pytest

from tests.gateway.vectors import load, named
from toru.gateway.refusals import Refusal
from toru.gateway.toru2 import frames, messages
from toru.gateway.toru2.conversation import Conversation
from toru.gateway.toru2.frames import Breach, Data, FrameReader, Message
from toru.gateway.toru2.messages import Head
from toru.gateway.toru2.stream import Stream

pytestmark = pytest.mark.req("PROTO-1", "PROTO-4", "PROTO-5")


class Client:
    """Whoever asks, and what has become of it."""

    def __init__(self) -> None:
        self.stream: Stream
        self.answer: Head | None = None
        self.body = b""
        self.outcome: Any = "waiting"
        self.drains = 0

    def head(self, head: Head) -> None:
        self.answer = head

    def part(self, content: bytes) -> None:
        self.body += content

    def end(self) -> None:
        assert self.answer is not None
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self.answer.headers]
        self._over({"status": self.answer.status, "headers": headers, "body": self.body.hex()})

    def fail(self, refusal: Refusal) -> None:
        assert refusal.status == 502
        self._over("failed" if self.answer is None else "cut")

    def untaken(self) -> None:
        self._over("untaken")

    def drained(self) -> None:
        self.drains += 1

    def cancel(self) -> None:
        self.stream.cancel("the client has left")
        self._over("cancelled")

    def _over(self, outcome: object) -> None:
        assert self.outcome == "waiting", "it was over before"
        self.outcome = outcome


class Core:
    """The core's side of one connection."""

    def __init__(self, **options: Any) -> None:
        self.sent: deque[Data | Message] = deque()
        self.pushed: list[Any] = []
        self.clients: dict[int, Client] = {}
        self._reader = FrameReader()
        self.conversation = Conversation(send=self._send, push=self._push, change=lambda: None, **options)

    def ask(self, said: Mapping[str, Any]) -> Client:
        client = Client()
        headers = [(name.encode(), value.encode("latin-1")) for name, of in said["headers"].items() for value in of]
        method, path = said["method"].encode(), said["path"].encode()
        client.stream = self.conversation.begin(client, method, path, headers, has_body=said["body"])
        self.clients[client.stream.request_id] = client
        return client

    def _send(self, data: bytes) -> None:
        self.sent.extend(self._reader.feed(data))

    def _push(self, payload: Mapping[str, Any]) -> None:
        push = messages.push_of(payload)
        self.pushed.append({"name": push.name, "data": payload["data"]})


@pytest.mark.parametrize(**named(load("toru2-conversations")["conversations"]))
def test_a_connection_goes_like_this(case: dict[str, Any]) -> None:
    first, *steps = case["steps"]
    hello = first["means"]["message"]["payload"]
    core = Core(credit=hello["credit"], connection_credit=hello["connection_credit"])
    check(core, first["means"])
    breached = False
    for step in steps:
        if step["from"] == "plugin":
            assert not core.sent, f"nobody expects {core.sent}"
            try:
                core.conversation.receive(bytes.fromhex(step["hex"]))
            except Breach as breach:
                breached = True
                core.conversation.lost(Refusal(status=502, code="bad-answer", detail=str(breach)))
        else:
            if not core.sent:
                act(core, step)
            check(core, step["means"])
    assert not core.sent, f"nobody expects {core.sent}"
    outcomes = {str(number): client.outcome for number, client in core.clients.items()}
    assert outcomes == case["requests"]
    assert core.pushed == case.get("pushes", [])
    assert breached == (case["ends"] == "breach by the plugin")
    assert core.conversation.is_leaving == (case["ends"] != "open")
    assert core.conversation.load == 0, "nothing is kept of what is over"


def act(core: Core, step: dict[str, Any]) -> None:
    """Does what must have led to this frame of the core's."""
    means = step["means"]
    if "data" in means:
        data = means["data"]
        content = bytes.fromhex(step.get("has_to_send", data["hex"]))
        is_last = data["last"] or "has_to_send" in step
        core.clients[data["request_id"]].stream.body(content, is_last=is_last)
    elif means["message"]["type"] == "http":
        core.ask(means["message"]["payload"])
    else:
        assert means["message"]["type"] == "cancel", means
        core.clients[means["message"]["request_id"]].cancel()


def check(core: Core, means: dict[str, Any]) -> None:
    sent = core.sent.popleft()
    if isinstance(sent, Data):
        said = {"request_id": sent.request_id, "hex": sent.content.hex(), "last": sent.is_last}
        assert {"data": said} == means
    elif sent.said["type"] == "cancel":
        assert (sent.said["type"], sent.said["request_id"]) == ("cancel", means["message"]["request_id"])
    else:
        assert {"message": sent.said} == means


# What vectors can't say: when the core gives credit, and who has his turn, is up to each.


def started(**plugin: Any) -> Core:
    core = Core(credit=1000, connection_credit=4000)
    core.sent.clear()
    said = {"action": "hello", "version": 2} | plugin
    core.conversation.receive(frames.message({"type": "lifecycle", "payload": said}))
    return core


def ask(core: Core, *, body: bool = False) -> Client:
    client = core.ask({"method": "POST" if body else "GET", "path": "/", "headers": {}, "body": body})
    core.sent.popleft()
    return client


def answer(core: Core, number: int, *parts: bytes) -> None:
    head = {"status": 200, "headers": {}, "body": True}
    core.conversation.receive(frames.message({"type": "http", "request_id": number, "payload": head}))
    for part in parts:
        core.conversation.receive(frames.data(number, part, is_last=False))


def credits_in(core: Core) -> list[tuple[int | None, int]]:
    messages = [frame.said for frame in core.sent if isinstance(frame, Message)]
    core.sent.clear()
    return [(it["request_id"], it["payload"]["bytes"]) for it in messages if it["type"] == "credit"]


def test_credit_is_given_back_as_the_client_reads_and_no_sooner() -> None:
    core = started()
    client = ask(core)
    answer(core, 1, b"x" * 499)
    assert credits_in(core) == []
    answer_more = frames.data(1, b"x", is_last=False)
    core.conversation.receive(answer_more)
    assert credits_in(core) == [(1, 500)]
    client.stream.pause()
    core.conversation.receive(frames.data(1, b"x" * 1000, is_last=False))
    assert credits_in(core) == [], "the client does not read"
    client.stream.resume()
    assert credits_in(core) == [(1, 1000)]
    with pytest.raises(Breach, match="more data of the request 1 than there was credit"):
        core.conversation.receive(frames.data(1, b"x" * 1001, is_last=False))


def test_credit_of_the_connection_is_given_back_for_what_nobody_wants_too() -> None:
    core = started()
    client = ask(core)
    answer(core, 1, b"x" * 400)
    client.cancel()
    core.sent.clear()
    for _ in range(4):
        core.conversation.receive(frames.data(1, b"x" * 400, is_last=False))
    assert credits_in(core) == [(None, 2000)]


def test_bodies_take_turns_and_none_waits_for_the_end_of_another() -> None:
    core = started(credit=1_000_000, connection_credit=2**31 - 1)
    core.conversation.pause()
    clients = [ask(core, body=True) for _ in range(3)]
    for client in clients:
        client.stream.body(b"x" * 150_000, is_last=True)
    assert not core.sent, "the connection takes no more"
    core.conversation.resume()
    order = [frame.request_id for frame in core.sent if isinstance(frame, Data)]
    assert order == [1, 2, 3] * 3
    assert [frame.is_last for frame in core.sent if isinstance(frame, Data)] == [False] * 6 + [True] * 3


def test_an_end_does_not_wait_behind_bodies_without_credit() -> None:
    core = started(credit=1000, connection_credit=10)
    first, second = ask(core, body=True), ask(core, body=True)
    second.stream.body(b"1234")
    first.stream.body(b"x" * 100, is_last=True)
    core.sent.clear()
    second.stream.body(b"", is_last=True)
    assert list(core.sent) == [Data(2, b"", is_last=True)]
    assert (first.stream.has_backlog, first.drains, second.drains) == (True, 0, 1)


def test_no_more_requests_begin_than_the_plugin_takes() -> None:
    core = started(requests=2)
    assert core.conversation.room == 2
    ask(core)
    ask(core)
    assert (core.conversation.room, core.conversation.load) == (0, 2)
    core.conversation.receive(frames.message({"type": "cancel", "request_id": 1, "payload": {"reason": ""}}))
    assert core.conversation.room == 1


def test_a_request_whose_head_fits_in_no_message_is_not_sent() -> None:
    core = started()
    headers = {"x": ["y" * 70_000]}
    with pytest.raises(ValueError, match="over the limit"):
        core.ask({"method": "GET", "path": "/", "headers": headers, "body": False})
    assert not core.sent
    assert core.conversation.load == 0
    assert ask(core).stream.request_id == 1


def test_ids_end_and_with_them_the_connection() -> None:
    core = started()
    core.conversation._next_id = 2**32 - 1
    assert ask(core).stream.request_id == 2**32 - 1
    assert (core.conversation.is_leaving, core.conversation.room) == (True, 0)


class Teller(Client):
    """One who notes when it was told that it was not begun."""

    def __init__(self, told: list[int]) -> None:
        super().__init__()
        self._told = told

    def untaken(self) -> None:
        self._told.append(self.stream.request_id)


def test_untaken_requests_are_told_last_to_first_so_that_each_may_go_to_the_front() -> None:
    core = started()
    told: list[int] = []
    for _ in range(3):
        teller = Teller(told)
        teller.stream = core.conversation.begin(teller, b"GET", b"/", [], has_body=False)
    goodbye = {"action": "goodbye", "code": "stopping", "last_request_id": 1, "reason": ""}
    core.conversation.receive(frames.message({"type": "lifecycle", "payload": goodbye}))
    assert told == [3, 2]
