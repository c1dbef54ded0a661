#!/usr/bin/python3
"""The lines of its answers end in line feeds alone, in the one to OPTIONS."""

from sound_http import Http, main


class Broken(Http):
    async def answer(self, method, path, body):
        answer = await super().answer(method, path, body)
        return b"HTTP/1.1 204 No Content\nAllow: GET\r\n\r\n" if method == "OPTIONS" else answer


main(Broken())
