"""A request and its answer, whatever the protocol."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from toru.check.verdict import Broken

T = TypeVar("T")

Headers = tuple[tuple[bytes, bytes], ...]

RETRY_SECONDS = 0.01
"""Neither listen(2) nor a place in a backlog makes an event that one could wait for."""

# Of an answer without an announced end so much is read, and then it is believed.
ENOUGH_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, as the gateway would send it on."""

    method: str = "GET"
    path: str = "/"
    headers: Headers = ()
    body: bytes = b""
    note: str = ""
    """What is special about it, in words."""

    def __str__(self) -> str:
        path = self.path if len(self.path) <= 40 else f"{self.path[:40]}…"
        return f"{self.method} {path}{f' {self.note}' if self.note else ''}"

    @property
    def all_headers(self) -> Headers:
        """With what Toru says of whoever asks (docs/plugins.md)."""
        told = {
            b"x-toru-user": b"check",
            b"x-toru-role": b"admin",
            b"x-toru-request-id": b"check-1",
            b"x-forwarded-proto": b"http",
            b"x-forwarded-host": b"toru",
            b"x-forwarded-prefix": b"/api/plugins/route/check",
        }
        return ((b"host", b"toru"), *self.headers, *told.items())

    def at(self, path: str) -> Ask:
        return replace(self, path=path)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Headers = ()
    body: bytes = b""


class Way(Protocol):
    """To a plugin that listens at a path."""

    async def ask(self, what: Ask) -> Reply:
        """Its answer, or `Broken`."""
        ...

    async def ask_at_once(self, several: list[Ask]) -> list[Reply]:
        """All of them under way together, as far as the protocol has that."""
        ...

    async def leave(self, what: Ask) -> None:
        """Begins it and goes before the answer: within its body where it has one, else behind its end.

        Returns when the plugin has noticed, as far as that can be seen.
        """
        ...

    async def hold(self, what: Ask) -> Held:
        """Begins it and sends no body yet."""
        ...

    async def close(self) -> None: ...


class Held(Protocol):
    """A request that waits for its body."""

    async def finish(self) -> Reply:
        """Here it is."""
        ...

    async def drop(self) -> None:
        """It never comes."""
        ...


async def connect(path: Path) -> socket.socket:
    """A connection to what listens there, waited for while its backlog is full."""
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)  # noqa: FBT003  (as the standard library has it)
        try:
            connection.connect(str(path))
        except BlockingIOError:
            # Not the event loop's own connecting, which takes this for the beginning of a connection (unix(7)).
            connection.close()
            await asyncio.sleep(RETRY_SECONDS)
        except OSError as error:
            connection.close()
            raise Broken(f"nobody listens at its socket ({error.strerror})") from error
        else:
            return connection


def worked(steps: Generator[None, None, T]) -> T:
    """The result of work that is done in steps, for somebody who has nothing else to do."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


async def together(work: list[asyncio.Task[Reply]]) -> list[Reply]:
    """Every result, or the first `Broken` in the order of the list. None is left running."""
    try:
        await asyncio.wait(work)
        return [task.result() for task in work]
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


CLOSED = "the plugin closed the connection without an answer"
