#!/usr/bin/python3
"""It logs Python's own way of showing an object."""

from sound_http import Http, main


class Broken(Http):
    def listener(self):
        print({"level": "info", "message": "started"}, flush=True)
        return super().listener()


main(Broken())
