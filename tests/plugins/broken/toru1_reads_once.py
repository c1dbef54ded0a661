#!/usr/bin/python3
"""It takes what one recv brings for the whole message."""

from sound_toru1 import Toru1, main


class Broken(Toru1):
    def exactly(self, connection, count):
        return connection.recv(count)


main(Broken())
