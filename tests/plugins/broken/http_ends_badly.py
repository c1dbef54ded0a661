#!/usr/bin/python3
"""It ends in time, but as if something had gone wrong."""

import os

from sound_http import Http, main


class Broken(Http):
    def stop(self):
        os._exit(1)


main(Broken())
