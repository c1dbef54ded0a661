"""A connection of toru/2 from the plugin's side, without the connection: which frame may come, and what follows.

Bytes come in by `receive` and leave by `send`. A rule broken by the core is a `Breach`, which ends the connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from toru_plugin.headers import Headers
from toru_plugin.toru2 import frames
from toru_plugin.toru2.frames import END, HIGHEST_ID, MESSAGE, Breach, FrameReader, Message
from toru_plugin.toru2.stream import MOST_CREDIT, Stream, add_credit

VERSION = 2
CREDIT = 256 << 10
"""Of a request's body: so much may lie here while the plugin has not read it."""
CONNECTION_CREDIT = 4 << 20
"""Of all requests together."""
REQUESTS = 1000
"""At once on a connection; what there is room for in the plugin, `max_concurrent` says."""


class Conversation:
    """For one connection. `begin` is called with each request, `change` when there may be something new to see."""

    def __init__(  # noqa: PLR0913  (the terms of a connection)
        self,
        *,
        send: Callable[[bytes], None],
        begin: Callable[[Stream], None],
        change: Callable[[], None],
        credit: int = CREDIT,
        connection_credit: int = CONNECTION_CREDIT,
        requests: int = REQUESTS,
    ) -> None:
        self.send = send
        self._begin = begin
        self._change = change
        self._frames = FrameReader()
        self._streams: dict[int, Stream] = {}
        self._last_id = 0
        self._given = credit
        self._given_for_all = self._may_receive = connection_credit
        self._dealt_with = 0
        self._requests = requests
        self._first_credit = 0
        self.credit = 0
        self.is_writable = True
        self.is_greeted = False
        self.is_leaving = False
        """Whether goodbye was said by either side."""
        self.is_refused = False
        """Whether there is no version in common: nothing more can be said."""

    @property
    def load(self) -> int:
        """So many requests are under way."""
        return len(self._streams)

    def push(self, name: str, data: object) -> None:
        self.send(frames.message({"type": "push", "payload": {"name": name, "data": data}}))

    def leave(self, reason: str) -> None:
        """No request that comes from now on is answered here; all that came are."""
        if self.is_greeted and not self.is_leaving:
            self.is_leaving = True
            self.send(_goodbye("stopping", reason, last_request_id=self._last_id))

    def lost(self) -> None:
        """There is no connection any more."""
        self.is_leaving = True
        for stream in list(self._streams.values()):
            stream.on_cancel()

    def pause(self) -> None:
        """More has been sent than the connection takes."""
        self.is_writable = False

    def resume(self) -> None:
        self.is_writable = True
        self._wake_writers()

    # What comes.

    def receive(self, received: bytes) -> None:
        """`Breach`, where the core broke a rule: nothing more can be said than goodbye."""
        try:
            for kind, content in self._frames.feed(received):
                if kind == MESSAGE:
                    self._on_message(content)
                else:
                    self._on_data(*content, is_last=kind == END)
        except Breach as breach:
            self.send(_goodbye("protocol", str(breach)))
            raise

    def _on_message(self, said: Message) -> None:
        kind, payload = said.get("type"), said.get("payload")
        if not isinstance(payload, dict):
            raise Breach("a message without a payload")
        if kind == "lifecycle":
            self._on_lifecycle(payload)
        elif not self.is_greeted:
            raise Breach("a message before hello")
        elif kind == "http":
            self._on_request(_id_of(said), payload)
        elif kind == "credit":
            self._on_credit(said, _number(payload, "bytes"))
        elif kind == "cancel":
            stream = self._streams.get(_id_of(said))
            if stream is not None:
                stream.on_cancel()

    def _on_lifecycle(self, payload: Mapping[str, Any]) -> None:
        action = payload.get("action")
        if action == "goodbye":
            self.is_leaving = True
            self._change()
        if action != "hello":
            return
        if self.is_greeted:
            raise Breach("a second hello")
        versions = payload.get("versions")
        if not isinstance(versions, list):
            raise Breach("a hello without versions")
        if VERSION not in versions:
            self.is_refused = True
            self.send(_goodbye("version", f"this plugin speaks {VERSION}"))
            return
        self._first_credit = _number(payload, "credit", default=65_536)
        self.credit = _number(payload, "connection_credit", default=1_048_576)
        self.is_greeted = True
        hello = {
            "action": "hello",
            "version": VERSION,
            "credit": self._given,
            "connection_credit": self._given_for_all,
            "requests": self._requests,
        }
        self.send(frames.message({"type": "lifecycle", "payload": hello}))
        self._change()

    def _on_request(self, request_id: int, payload: Mapping[str, Any]) -> None:
        if request_id <= self._last_id and not self.is_leaving:
            raise Breach(f"the request {request_id} after {self._last_id}")
        if len(self._streams) >= self._requests:
            raise Breach(f"more than {self._requests} requests at once")
        method, path, has_body = payload.get("method"), payload.get("path"), payload.get("body")
        headers = payload.get("headers", {})
        if (
            not isinstance(method, str)
            or not isinstance(path, str)
            or not isinstance(has_body, bool)
            or not isinstance(headers, dict)
        ):
            raise Breach("a request without what it must have")
        if self.is_leaving:
            return  # goodbye is on its way, and says that it was not begun
        self._last_id = request_id
        stream = self._streams[request_id] = Stream(
            self, request_id, method, path, Headers.of_wire(headers),
            has_body=has_body, credit=self._first_credit, given=self._given,
        )  # fmt: skip
        self._begin(stream)

    def _on_data(self, request_id: int, content: bytes, *, is_last: bool) -> None:
        if not self.is_greeted:
            raise Breach("data before hello")
        # What came after a goodbye was not looked at, and neither is its body.
        if not 0 < request_id <= self._last_id and not self.is_leaving:
            raise Breach(f"data for the request {request_id}, which never was")
        self._may_receive -= len(content)
        if self._may_receive < 0:
            raise Breach("more data on the connection than there was credit")
        stream = self._streams.get(request_id)
        if stream is None:
            self.give_back(len(content))  # it is over: nobody else will
        else:
            stream.on_data(content, is_last=is_last)

    def _on_credit(self, said: Message, count: int) -> None:
        if said.get("request_id") is None:
            self.credit = add_credit(self.credit, count)
            self._wake_writers()
            return
        stream = self._streams.get(_id_of(said))
        if stream is not None:
            stream.on_credit(count)

    def _wake_writers(self) -> None:
        waiting: list[Stream] = list(self._streams.values())
        for stream in waiting:
            stream.wake_writer()

    # For streams.

    def give_back(self, count: int) -> None:
        self._dealt_with += count
        if self._dealt_with * 2 >= self._given_for_all and not self.is_refused:
            self.send(frames.message({"type": "credit", "request_id": None, "payload": {"bytes": self._dealt_with}}))
            self._may_receive += self._dealt_with
            self._dealt_with = 0

    def over(self, stream: Stream) -> None:
        if self._streams.pop(stream.request_id, None) is not None:
            self._change()


def _goodbye(code: str, reason: str, *, last_request_id: int | None = None) -> bytes:
    payload: dict[str, Any] = {"action": "goodbye", "code": code, "reason": reason[:1000]}
    if last_request_id is not None:
        payload["last_request_id"] = last_request_id
    return frames.message({"type": "lifecycle", "payload": payload})


def _id_of(said: Message) -> int:
    request_id = said.get("request_id")
    if not isinstance(request_id, int) or isinstance(request_id, bool) or not 1 <= request_id <= HIGHEST_ID:
        raise Breach(f"a {said.get('type')!r:.80} without a request_id")
    return request_id


def _number(payload: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = payload.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_CREDIT:
        raise Breach(f"{name} is {value!r:.80}, no whole number from 1 to {MOST_CREDIT}")
    return value
