#!/usr/bin/python3
"""It begins a request when the last one is over."""

import asyncio

from sound_toru2 import Toru2, main


class Broken(Toru2):
    lock = None

    async def handle(self, connection, number, request):
        self.lock = self.lock or asyncio.Lock()
        async with self.lock:
            await super().handle(connection, number, request)


main(Broken())
