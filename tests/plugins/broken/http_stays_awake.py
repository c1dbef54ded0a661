#!/usr/bin/python3
"""It announces an idle_timeout, and goes on."""

from sound_http import METADATA, Http, main


class Broken(Http):
    metadata = METADATA | {"idle_timeout": 0.5}


main(Broken())
