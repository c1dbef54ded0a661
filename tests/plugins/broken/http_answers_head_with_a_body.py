#!/usr/bin/python3
"""It answers HEAD like GET."""

from sound_http import Http, main


class Broken(Http):
    async def answer(self, method, path, body):
        content = self.content(method, path, body)
        return self.head(len(content)) + content


main(Broken())
