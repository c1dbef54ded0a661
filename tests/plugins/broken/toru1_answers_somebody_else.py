#!/usr/bin/python3
"""Its answers are about another request."""

from sound_toru1 import Toru1, main


class Broken(Toru1):
    def send(self, connection, request_id, payload):
        super().send(connection, "1", payload)


main(Broken())
