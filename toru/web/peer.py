"""Who is at the other end of api.sock: the kernel says so (SO_PEERCRED, SO_PEERGROUPS in unix(7) and socket(7))."""

from __future__ import annotations

import array
import asyncio
import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from toru.web.problems import MEDIA_TYPE, problem

ADMINS = "toru-admin"
"""The group whose members are admins at api.sock."""

_SO_PEERGROUPS = 59  # <asm-generic/socket.h>; Python's socket module has no name for it
_MOST_GROUPS = 65_536  # NGROUPS_MAX


@dataclass(frozen=True, slots=True)
class Peer:
    uid: int
    groups: frozenset[int]
    """When it connected."""

    @property
    def is_admin(self) -> bool:
        if self.uid == 0:
            return True
        try:
            return grp.getgrnam(ADMINS).gr_gid in self.groups
        except KeyError:
            return False

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)


def peer_of(transport: asyncio.BaseTransport) -> Peer | None:
    """Who has connected; None over TCP."""
    theirs = transport.get_extra_info("socket")
    if theirs is None or theirs.family != socket.AF_UNIX:
        return None
    with with_options(transport) as copy:
        _pid, uid, gid = struct.unpack("3i", copy.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        groups = array.array("I", copy.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * 256))
    return Peer(uid, frozenset({gid, *groups}))


def with_options(transport: asyncio.BaseTransport) -> socket.socket:
    """Its socket; close it after use. uvloop shows one without its options: this is a copy."""
    return socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))


class PeerKnowingProtocol(HttpToolsProtocol):
    """uvicorn's own, that tells the application who has connected: `scope["state"]["peer"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        # uvicorn hands a copy of this to every request of the connection.
        self.app_state = {**self.app_state, "peer": peer_of(transport)}

    def send_400_response(self, msg: str) -> None:
        """Refuses what is not HTTP in the one shape of errors; uvicorn's own would be plain text."""
        body = bytes(problem(400, "not-http", msg).body)
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()
