"""What a plugin says to systemd, and what it inherits from it: sd_notify(3), sd_listen_fds(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

FIRST_DESCRIPTOR = 3


def notify(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Nothing happens where nobody listens."""
    path = environment.get("NOTIFY_SOCKET")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect("\0" + path[1:] if path.startswith("@") else path)
        out.sendall(state.encode())


def inherited_socket(environment: Mapping[str, str] = os.environ) -> socket.socket | None:
    """The socket that systemd listens on for this process; None, where there is none."""
    # Whoever starts a program with another program between lets it see descriptors that are not for it.
    if environment.get("LISTEN_PID") != str(os.getpid()) or environment.get("LISTEN_FDS", "0") == "0":
        return None
    listener = socket.socket(fileno=FIRST_DESCRIPTOR)
    listener.setblocking(False)  # noqa: FBT003  (its only parameter)
    os.set_inheritable(FIRST_DESCRIPTOR, False)  # noqa: FBT003  (its meaning is its name)
    return listener


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """Within so many seconds systemd wants to hear of this process, again and again."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    if not microseconds.isdigit() or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1e6 or None
