#!/usr/bin/python3
"""It can't read a body in chunks."""

from sound_http import Http, main


class Broken(Http):
    async def chunks(self, reader):
        return b""


main(Broken())
