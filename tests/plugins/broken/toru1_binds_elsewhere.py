#!/usr/bin/python3
"""It listens where nobody looks for it."""

import os
import socket

from sound_toru1 import Toru1, main


class Broken(Toru1):
    def listener(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.environ["STATE_DIRECTORY"] + "/my.sock")
        listener.listen(5)
        return listener


main(Broken())
