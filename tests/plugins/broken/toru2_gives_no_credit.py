#!/usr/bin/python3
"""It reads, and gives no credit for what it has read."""

from sound_toru2 import Toru2, main


class Broken(Toru2):
    def give_credit(self, connection, number, request):
        pass


main(Broken())
