#!/usr/bin/python3
"""It takes every body for text, and ends where there is none."""

import os

from sound_toru1 import Toru1, main


class Broken(Toru1):
    def answer(self, connection, request_id, request):
        if request["method"] == "POST" and request["body"] is None and "body_base64" in request:
            os._exit(1)
        super().answer(connection, request_id, request)


main(Broken())
