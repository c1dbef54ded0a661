#!/usr/bin/python3
"""While a body comes it reads nobody else's request."""

import asyncio

from sound_http import Http, main


class Broken(Http):
    lock = None

    async def body(self, reader, length):
        self.lock = self.lock or asyncio.Lock()
        async with self.lock:
            return await super().body(reader, length)


main(Broken())
