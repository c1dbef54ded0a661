#!/usr/bin/python3
"""It doesn't remove the socket that an earlier process left."""

from sound_toru1 import Toru1, main


class Broken(Toru1):
    def make_room(self, path):
        pass


main(Broken())
