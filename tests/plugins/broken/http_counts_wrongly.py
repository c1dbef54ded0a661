#!/usr/bin/python3
"""It announces fewer bytes than it sends, as who counts characters."""

from sound_http import Http, main


class Broken(Http):
    def head(self, length):
        return super().head(length - 2)


main(Broken())
