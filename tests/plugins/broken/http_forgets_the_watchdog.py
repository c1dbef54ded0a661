#!/usr/bin/python3
"""It asks for a watchdog, and pings it once."""

import os
import socket

from sound_http import METADATA, Http, main


class Broken(Http):
    metadata = METADATA | {"watchdog": 1}

    def listener(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(b"READY=1\nWATCHDOG=1", os.environ["NOTIFY_SOCKET"])
        return super().listener()


main(Broken())
