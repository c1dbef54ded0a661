"""The sockets that systemd listens on for this process."""

from __future__ import annotations

import socket

from systemd.daemon import listen_fds


def handed_over_sockets() -> list[socket.socket]:
    """None where this process was not started by a socket unit."""
    return [socket.socket(fileno=descriptor) for descriptor in listen_fds()]
