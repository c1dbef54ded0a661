#!/usr/bin/python3
"""It ends when a body is shorter than announced."""

import asyncio
import os

from sound_http import Http, main


class Broken(Http):
    async def body(self, reader, length):
        try:
            return await super().body(reader, length)
        except asyncio.IncompleteReadError:
            os._exit(1)


main(Broken())
