"""What systemd hands a process as it begins: sockets to listen on, and connections that its predecessor left there."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from systemd import daemon

MOST_KEPT = 4096
"""Connections: as many as the units allow (FileDescriptorStoreMax=)."""

_NAME = "connection"
_AT_ONCE = 200
"""Descriptors in a message: the kernel passes 253."""


@dataclass(frozen=True)
class HandedOver:
    listening: list[socket.socket] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)


def handed_over() -> HandedOver:
    """Nothing where this process was not started by systemd."""
    found = HandedOver()
    for descriptor, name in daemon.listen_fds_with_names().items():
        if name == _NAME:
            found.connections.append(descriptor)
        else:
            found.listening.append(socket.socket(fileno=descriptor))
    if found.connections:
        # Else they would last as long as systemd has a descriptor of them, whoever closes them here.
        daemon.notify(f"FDSTOREREMOVE=1\nFDNAME={_NAME}")
    return found


class Keeper:
    """Leaves connections with systemd, for the process that comes after this one.

    If none comes, because the unit is stopped and not restarted, systemd closes them.
    """

    def __init__(self) -> None:
        self.takes = MOST_KEPT if os.environ.get("NOTIFY_SOCKET") else 0
        """How many more."""

    def keep(self, descriptors: Sequence[int]) -> bool:
        """Whether systemd has them. The caller's own are still the caller's to close."""
        for first in range(0, len(descriptors), _AT_ONCE):
            part = list(descriptors[first : first + _AT_ONCE])
            try:
                is_told = daemon.notify(f"FDSTORE=1\nFDNAME={_NAME}", fds=part)
            except OSError:
                is_told = False
            if not is_told:
                self.takes = 0
                return False
            self.takes -= len(part)
        return True
