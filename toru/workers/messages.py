"""What the core and a worker say to each other.

A message is a connection that is handed on, or something else:

                    core to worker              worker to core
welcome             take these changes          -
hello               -                           who I am, of which release, and which plugins are with me
aim                 a plugin, as it is now      -
drop                a plugin is no more         -
let-go              others shall have it        others may have it
shadow              ids that are others' routes -
database            it has been opened          -
figures             -                           what was counted since the last time
push                -                           a plugin has something to say to its views
wait                I end: keep connections     I keep them
leave               end, and come again         I end: take my plugins
farewell            I have nothing for you      -

`hello` and `leave` stay as they are in every release: by them, processes of two releases part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from toru.domain.ids import PluginId
from toru.domain.manifest import Protocol
from toru.gateway.targets import Availability, Target

_CONNECTION, _OTHER = b"c", b"o"


def connection(read: bytes) -> bytes:
    """One that is handed on, and what was read of it."""
    return _CONNECTION + read


def of(kind: str, **facts: Any) -> bytes:
    """Anything else."""
    return _OTHER + json.dumps({"kind": kind, **facts}).encode()


def parse(message: bytes) -> bytes | Mapping[str, Any]:
    """What was read of a connection, or anything else."""
    if message[:1] == _CONNECTION:
        return message[1:]
    parsed: dict[str, Any] = json.loads(message[1:])
    return parsed


def aim(target: Target) -> bytes:
    return of("aim", target=asdict(target))


def target_of(facts: Mapping[str, Any]) -> Target:
    """What `aim` says."""
    said = facts["target"]
    return Target(
        **{
            **said,
            "plugin": PluginId(said["plugin"]),
            "protocol": Protocol(said["protocol"]),
            "availability": Availability(said["availability"]),
        }
    )
