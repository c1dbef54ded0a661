#!/usr/bin/python3
"""It numbers its levels as Python does."""

from sound_http import Http, main


class Broken(Http):
    def listener(self):
        print("<20>started", flush=True)
        return super().listener()


main(Broken())
