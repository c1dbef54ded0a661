#!/usr/bin/python3
"""It answers HEAD like GET."""

from sound_toru2 import Toru2, main


class Broken(Toru2):
    def has_body(self, request):
        return True


main(Broken())
