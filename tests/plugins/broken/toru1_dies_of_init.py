#!/usr/bin/python3
"""It expects of init what is not in it."""

from sound_toru1 import Toru1, main


class Broken(Toru1):
    def attend(self, connection):
        while (message := self.read(connection)) is not None:
            if message["payload"].get("action") == "init":
                print("serving at", message["payload"]["port"])
            self.take(connection, message)


main(Broken())
