"""One request and its answer, whatever carries them: the seam between what a plugin does and the wire."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from toru_plugin.headers import Headers

WITHOUT_BODY = frozenset({204, 304})
"""Answers that have none (RFC 9110, section 6.4.1)."""


class Gone(ConnectionError):
    """Whoever asked has left, or the answer is over already: there is nobody to read from or to write to."""


class Exchange(ABC):
    """`receive` the body of the request; `answer` at once, or `begin`, `send` and `end`."""

    def __init__(self, method: str, target: str, headers: Headers) -> None:
        self.method = method
        self.target = target
        """The path with the query, percent-encoded as the client sent it."""
        self.headers = headers
        self.has_begun = False
        """Whether the head of the answer is on its way."""
        self.has_ended = False
        """Whether the answer is complete."""
        self._has_body = True

    @abstractmethod
    async def receive(self) -> bytes:
        """The next part of the request's body; b"" is its end. `Gone`, where it broke off."""

    async def answer(self, status: int, headers: Headers, content: bytes) -> None:
        """The whole answer at once."""
        headers["content-length"] = str(len(content))
        self.begin(status, headers)
        await self.end(content)

    def begin(self, status: int, headers: Headers) -> None:
        """The head of the answer. ValueError, where it can't be one."""
        if not 200 <= status <= 599:
            raise ValueError(f"{status} is no status of an answer")
        if self.has_begun:
            raise RuntimeError("the answer has begun already")
        self._has_body = self.method != "HEAD" and status not in WITHOUT_BODY
        if status in WITHOUT_BODY:
            headers.lists().pop("content-length", None)
        self._begin(status, headers, has_body=self._has_body)
        self.has_begun = True
        self.has_ended = not self._has_body

    async def send(self, part: bytes) -> None:
        """A part of the answer's body, as fast as the client reads. `Gone`, where it has left."""
        if part and self._has_body:
            await self._send(part, is_last=False)

    async def end(self, part: bytes = b"") -> None:
        """The last part of the answer's body."""
        if not self.has_ended:
            await self._send(part, is_last=True)
            self.has_ended = True

    @abstractmethod
    def abort(self, reason: str) -> None:
        """There is no answer, or no more of it."""

    @abstractmethod
    def _begin(self, status: int, headers: Headers, *, has_body: bool) -> None: ...

    @abstractmethod
    async def _send(self, part: bytes, *, is_last: bool) -> None: ...


class Application(Protocol):
    """What answers requests."""

    async def start(self) -> None:
        """Before the first request."""

    async def __call__(self, exchange: Exchange) -> None: ...

    async def stop(self) -> None:
        """After the last one."""
