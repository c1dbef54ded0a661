#!/usr/bin/python3
"""It serves, and doesn't say so."""

from sound_toru2 import Toru2, main


class Broken(Toru2):
    def ready(self):
        pass


main(Broken())
