#!/usr/bin/python3
"""SIGTERM means nothing to it."""

from sound_http import Http, main


class Broken(Http):
    def stop(self):
        print("<4>not now", flush=True)


main(Broken())
