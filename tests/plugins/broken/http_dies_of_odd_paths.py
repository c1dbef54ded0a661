#!/usr/bin/python3
"""It ends when a path is no UTF-8."""

import os
from urllib.parse import unquote

from sound_http import Http, main


class Broken(Http):
    async def answer(self, method, path, body):
        try:
            unquote(path, errors="strict")
        except ValueError:
            os._exit(1)
        return await super().answer(method, path, body)


main(Broken())
