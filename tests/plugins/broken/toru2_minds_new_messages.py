#!/usr/bin/python3
"""It takes a message that it doesn't know for a breach."""

from sound_toru2 import Breach, Toru2, main


class Broken(Toru2):
    def on_unknown(self, connection, kind):
        raise Breach(f"a message of the type {kind}")


main(Broken())
