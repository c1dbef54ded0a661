#!/usr/bin/python3
"""It closes when a message has a key that it doesn't know."""

from sound_toru1 import Toru1, main


class Broken(Toru1):
    def take(self, connection, message):
        if message.keys() != {"type", "timestamp", "request_id", "payload"}:
            raise ValueError
        super().take(connection, message)


main(Broken())
