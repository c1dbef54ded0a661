#!/usr/bin/python3
"""It sends away who breaks a rule, and doesn't say why."""

from sound_toru2 import Toru2, main


class Broken(Toru2):
    def on_breach(self, connection, reason):
        pass


main(Broken())
