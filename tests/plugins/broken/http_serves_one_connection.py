#!/usr/bin/python3
"""It takes the next connection when the last one is closed."""

import asyncio

from sound_http import Http, main


class Broken(Http):
    lock = None

    async def attend(self, reader, writer):
        self.lock = self.lock or asyncio.Lock()
        async with self.lock:
            await super().attend(reader, writer)


main(Broken())
