#!/usr/bin/python3
"""It sends what it has, credit or no credit."""

from sound_toru2 import Toru2, main


class Broken(Toru2):
    def room(self, connection, request):
        return 60_000


main(Broken())
