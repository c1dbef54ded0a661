#!/usr/bin/python3
"""It answers hello, whatever versions the other side speaks."""

from sound_toru2 import Toru2, main


class Broken(Toru2):
    def on_other_versions(self, connection):
        connection.say("lifecycle", {"action": "hello", "version": 2})


main(Broken())
