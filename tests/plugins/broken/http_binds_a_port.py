#!/usr/bin/python3
"""It listens on a port of its own instead of the socket it inherits."""

import socket

from sound_http import Http, main


class Broken(Http):
    def listener(self):
        return socket.create_server(("127.0.0.1", 0))


main(Broken())
