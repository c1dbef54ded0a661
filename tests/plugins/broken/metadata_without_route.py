#!/usr/bin/python3
"""Its metadata have no route, and an id that can be none."""

from sound_http import METADATA, Http, main


class Broken(Http):
    metadata = {name: value for name, value in METADATA.items() if name != "route"} | {"id": "a plugin"}


main(Broken())
