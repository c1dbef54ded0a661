#!/usr/bin/python3
"""Its answers have no status."""

from sound_toru1 import Toru1, main


class Broken(Toru1):
    def send(self, connection, request_id, payload):
        super().send(connection, request_id, {"body": payload["body"]})


main(Broken())
