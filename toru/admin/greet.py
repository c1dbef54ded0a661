"""The first and the last message to a plugin that binds its socket for itself (docs/protocol.md, toru/1).

systemd runs both beside the plugin, as root and outside its sandbox: `greet` before the plugin counts as started,
`farewell` before it is sent SIGTERM. The directory with the socket belongs to the plugin and may hold a trap.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime

from toru.admin.files import let_core_in
from toru.domain import frames
from toru.domain.errors import NotStarted
from toru.domain.ids import PluginId
from toru.domain.manifest import Protocol
from toru.systemd.own_socket import own_socket

# listen(2) makes no event that one could wait for, so connecting is tried until it works.
RETRY_MILLISECONDS = 10


def greet(plugin_id: PluginId, protocol: Protocol, within: float) -> None:
    """Waits until the plugin answers its socket, sends `init`, and lets the core, and nobody else, connect.

    NotStarted, where it does not answer in time; systemd then ends it and tries again.
    """
    deadline = time.monotonic() + within
    with _main_process() as process:
        while True:
            if (connection := _connect(plugin_id)) is not None:
                break
            if _has_ended(process, RETRY_MILLISECONDS):
                raise NotStarted(f"{plugin_id} ended before it listened at {plugin_id.private_socket_path}")
            if time.monotonic() > deadline:
                raise NotStarted(
                    f"{plugin_id} does not listen at {plugin_id.private_socket_path} (TORU_PLUGIN_SOCKET) "
                    f"{within:g} seconds after its start"
                )
    with closing(connection):
        if protocol is Protocol.TORU_1:
            connection.settimeout(max(0.1, deadline - time.monotonic()))
            connection.sendall(
                frames.init(
                    instance_id=os.environ["TORU_INSTANCE_ID"],
                    plugin_socket=str(plugin_id.private_socket_path),
                    log_path=str(plugin_id.log_path),
                    now=datetime.now(UTC),
                )
            )
    # Only now: nobody else's request can come before `init`.
    _share(plugin_id)


def farewell(plugin_id: PluginId, within: float) -> None:
    """Sends `shutdown` and gives the plugin so long to end. What is left of it after that, systemd ends."""
    if "MAINPID" not in os.environ:
        return  # it ended by itself: there is nobody to tell
    deadline = time.monotonic() + within
    with _main_process() as process, suppress(OSError):
        if (connection := _connect(plugin_id)) is None:
            return
        with closing(connection):
            connection.settimeout(within)
            connection.sendall(frames.shutdown(now=datetime.now(UTC)))
            _has_ended(process, max(0, deadline - time.monotonic()) * 1000)


@contextmanager
def _main_process() -> Iterator[int | None]:
    """A descriptor of the plugin's main process; None if that is gone already."""
    try:
        process = os.pidfd_open(int(os.environ["MAINPID"]))
    except ProcessLookupError:
        yield None
        return
    try:
        yield process
    finally:
        os.close(process)


def _has_ended(process: int | None, milliseconds: float) -> bool:
    """Whether the process has ended, or does within this time."""
    if process is None:
        return True
    poller = select.poll()
    poller.register(process, select.POLLIN)  # readable when it has ended (pidfd_open(2))
    return bool(poller.poll(milliseconds))


def _connect(plugin_id: PluginId) -> socket.socket | None:
    with own_socket(plugin_id.private_socket_path) as path:
        if path is None:
            return None
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(1)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            return None
        return connection


def _share(plugin_id: PluginId) -> None:
    with own_socket(plugin_id.private_socket_path) as path:
        if path is None:
            raise NotStarted(f"what lies at {plugin_id.private_socket_path} is not a socket of {plugin_id}'s own")
        let_core_in(path)
        os.chmod(path, 0o660)  # noqa: PTH101  (a descriptor's path, not a place in a tree)
