"""A plugin in its author's tests: served for real, over HTTP on a port of this machine.

with serving(plugin) as client:
    assert client.get("/").json() == {"message": "Hello!"}
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from toru_plugin.exchange import Application
from toru_plugin.headers import Headers
from toru_plugin.http1 import Http

STARTS_WITHIN = 30.0


class Answer(NamedTuple):
    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks the plugin, as this user of Toru."""

    def __init__(self, address: tuple[str, int], user: str, role: str) -> None:
        self.address = address
        self._of_toru = {"x-toru-user": user, "x-toru-role": role}

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """A body that is no bytes and no text is sent as JSON."""
        said = {**self._of_toru, **(headers or {})}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            said.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            connection.request(method, path, body.encode() if isinstance(body, str) else body, said)
            answer = connection.getresponse()
            return Answer(answer.status, Headers(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Answer:
        return self.request("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.request("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.request("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.request("DELETE", path, **more)


@contextmanager
def serving(application: Application, *, user: str = "ada", role: str = "admin") -> Iterator[Client]:
    """Started before, and stopped afterwards, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Server(application, listener)
    server.start()
    try:
        server.wait_until_it_serves()
        yield Client(listener.getsockname(), user, role)
    finally:
        server.end()
        listener.close()


class _Server(threading.Thread):
    """Serves until `end`. Counts for nobody how busy it is."""

    def __init__(self, application: Application, listener: socket.socket) -> None:
        super().__init__(name="plugin")
        self._application = application
        self._listener = listener
        self._is_up = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001  (raised again where the plugin was asked for)
            self._failure = failure
        finally:
            self._is_up.set()

    def wait_until_it_serves(self) -> None:
        if not self._is_up.wait(STARTS_WITHIN):
            raise TimeoutError("the plugin does not start")
        if self._failure is not None:
            raise self._failure

    def end(self) -> None:
        if self._loop is not None and self._stopping is not None and self.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        await self._application.start()
        listening = Http(self._listener, self._application, self)
        listening.open()
        self._is_up.set()
        await self._stopping.wait()
        await listening.close("the test is over")
        await self._application.stop()

    def begun(self) -> None:
        """As `Activity`."""

    def ended(self) -> None:
        """As `Activity`."""

    def stop(self, reason: str) -> None:
        """As `Activity`."""
