#!/usr/bin/python3
"""The name of what it pushes is a sentence."""

from sound_toru2 import Toru2, main


class Broken(Toru2):
    def on_hello(self, connection):
        connection.say("push", {"name": "something has changed", "data": None})


main(Broken())
