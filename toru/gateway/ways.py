"""How plugins of each protocol are reached."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from toru.domain.manifest import Protocol
from toru.gateway.http1.way import Http1
from toru.gateway.lane import MakeWay
from toru.gateway.toru1.room import Memory
from toru.gateway.toru1.way import Toru1
from toru.gateway.toru2.pushes import OnPush
from toru.gateway.toru2.way import Toru2


def ways_to_plugins(on_push: OnPush) -> Mapping[Protocol, MakeWay]:
    return {
        Protocol.HTTP: Http1,
        Protocol.TORU_1: partial(Toru1, memory=Memory()),
        Protocol.TORU_2: partial(Toru2, on_push=on_push),
    }
