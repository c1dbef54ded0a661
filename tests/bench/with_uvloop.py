"""The least that a proxy in Python can be: bytes to and fro, unread, on uvloop: `with_uvloop PORT SOCKET`.

For comparison: what Toru takes beyond this, it takes for knowing what it passes on.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop


class Plugin(asyncio.Protocol):
    """A connection to the plugin. Whatever comes is the answer to the client who asked last."""

    free: list[Plugin] = []  # noqa: RUF012  (shared on purpose)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a stream has no other
        self.transport = transport
        self.client: asyncio.Transport

    def data_received(self, data: bytes) -> None:
        self.free.append(self)
        if not self.client.is_closing():
            self.client.write(data)


class Client(asyncio.Protocol):
    def __init__(self, path: str) -> None:
        self.path = path

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as above
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if Plugin.free:
            self.pass_on(Plugin.free.pop(), data)
        else:
            self.opening = asyncio.get_running_loop().create_task(self.open(data))

    async def open(self, data: bytes) -> None:
        _, plugin = await asyncio.get_running_loop().create_unix_connection(Plugin, self.path)
        self.pass_on(plugin, data)

    def pass_on(self, plugin: Plugin, data: bytes) -> None:
        plugin.client = self.transport
        plugin.transport.write(data)


async def main(port: int, path: str) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Client(path), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), sys.argv[2]))
