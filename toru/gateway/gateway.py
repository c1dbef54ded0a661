"""The gateway, from its parts: a lane for each plugin, and everybody who is connected."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from toru.core.accounts import Accounts
from toru.core.traffic import AllTraffic
from toru.domain.ids import PluginId
from toru.domain.manifest import Protocol
from toru.domain.policy import Policy
from toru.gateway import front_ends
from toru.gateway.admission import Admission
from toru.gateway.elsewhere import Elsewhere
from toru.gateway.heads import Head
from toru.gateway.lane import Lane, MakeWay
from toru.gateway.notices import Notices
from toru.gateway.protocol import GatewayProtocol
from toru.gateway.reception import Reception
from toru.gateway.routes import PREFIX, Routes
from toru.gateway.targets import Availability, Target
from toru.gateway.vigil import Vigil
from toru.systemd.activation import Keeper
from toru.web.caller import Callers

TICK_SECONDS = 0.5
"""How often everybody is looked at: no request has a timer of its own."""


class Gateway:
    """For the event loop alone. `ways`: how plugins of each protocol are reached."""

    def __init__(
        self,
        policy: Policy,
        accounts: Accounts,
        callers: Callers,
        traffic: AllTraffic,
        ways: Mapping[Protocol, MakeWay],
    ) -> None:
        self._policy = policy
        self._traffic = traffic
        self._ways = ways
        self.max_head = policy.gateway.max_head
        self._lanes: dict[PluginId, Lane] = {}
        self._routes = Routes()
        self.reception = Reception(accounts, Admission(accounts, callers), self._routes, policy.trusted_proxies)
        self._vigil = Vigil(accounts, callers)
        self._shadowed: frozenset[PluginId] = frozenset()
        self.beyond: Callable[[bytes], Elsewhere | None] | None = None
        """Which other process serves what is at a target, if one does. None: there is no other process."""
        self.on_look: Callable[[float], None] = lambda _now: None
        """Called with every look."""
        self.clients: set[GatewayProtocol] = set()
        self.notices = Notices()
        self.now = time.monotonic()
        """As of the last look: as exact as `TICK_SECONDS`."""
        self.stopping = False
        self._stopping_since: float | None = None
        self._keeper: Keeper | None = None
        self._next_look: asyncio.TimerHandle | None = None

    def protocol(self) -> type[GatewayProtocol]:
        """What uvicorn makes each connection with."""
        return type("ConnectedProtocol", (GatewayProtocol,), {"gateway": self})

    # Plugins.

    def aim(self, plugin_id: PluginId, target: Target | None) -> None:
        """Where requests to this plugin go from now on; None: nowhere."""
        lane = self._lanes.get(plugin_id)
        if target is None or target.availability is Availability.OFF:
            if lane is None:
                return
            del self._lanes[plugin_id]
            lane.close()
        elif lane is None:
            make_way, traffic = self._ways[target.protocol], self._traffic.of(plugin_id)
            self._lanes[plugin_id] = Lane(target, make_way, traffic, max_waiting=self._policy.gateway.max_waiting)
        elif target == lane.target:
            return
        else:
            lane.see(target, self._ways[target.protocol])
        self._lay_routes()

    async def let_go(self, plugin_id: PluginId) -> None:
        """Returns when another process may begin with this plugin. Who is with it comes to an end here.

        `beyond` says already that nobody else is to come.
        """
        self.reception.forget()
        await self.reception.settled()
        lane = self._lanes.get(plugin_id)
        if lane is None:
            return
        if lane.target.protocol is Protocol.TORU_1:
            # One connection at a time, whoever makes it. The others may take long, and don't mind.
            is_empty = asyncio.Event()
            lane.empty(is_empty.set)
            await is_empty.wait()
        if self._lanes.get(plugin_id) is lane:
            del self._lanes[plugin_id]
            self._lay_routes()
        lane.empty(lane.way.close)

    def shadow(self, plugin_ids: frozenset[PluginId]) -> None:
        """Plugins whose id is the route of one that another process serves, so that it leads there."""
        self._shadowed = plugin_ids
        self._lay_routes()

    def _lay_routes(self) -> None:
        by_id = {plugin_id.encode(): lane for plugin_id, lane in self._lanes.items() if plugin_id not in self._shadowed}
        by_route = {lane.target.route[1:].encode(): lane for lane in self._lanes.values()}
        self._routes.replace(by_id | by_route)
        self.reception.forget()

    def lead_to_front_end(self, head: Head) -> None:
        """Has a request for a front end lead to its plugin, if nobody else has it."""
        if head.target.startswith(PREFIX):
            return
        target = front_ends.of_plugin(head, self._policy.plugins_dir)
        if target is not None and (self._routes.place(target)[0] is not None or (self.beyond and self.beyond(target))):
            head.target = target
            head.is_for_front_end = True

    # Clients.

    def connected(self, client: GatewayProtocol) -> None:
        self.clients.add(client)
        if self._next_look is None:
            self.now = time.monotonic()
            self._look_again()

    def _look_again(self) -> None:
        self._next_look = asyncio.get_running_loop().call_later(TICK_SECONDS, self._look)

    def _look(self) -> None:
        """Looks at every connection once."""
        self.now = time.monotonic()
        self.reception.forget()
        self._leave_idle()
        for client in list(self.clients):
            client.patience.look(self.now, self._stopping_since)
        self._vigil.look(self.clients, self.now)
        self.on_look(self.now)
        self.notices.tell(self.now)
        if self.clients or self.notices:
            self._look_again()
        else:
            self._next_look = None

    def stop(self, keeper: Keeper | None = None) -> None:
        """No request is refused, but every answer from here on is the last one of its connection.

        The keeper gets the connections on which nothing is under way.
        """
        self.stopping = True
        self._stopping_since = time.monotonic()
        self._keeper = keeper
        for client in self.clients:
            client.shutdown()
        self._leave_idle()

    def _leave_idle(self) -> None:
        if self._keeper is None or not self._keeper.takes:
            return
        idle = [client for client in self.clients if client.is_idle]
        idle = idle[: self._keeper.takes]
        # The kernel keeps what has come by them and was not read.
        if self._keeper.keep([client.descriptor for client in idle]):
            for client in idle:
                client.let_go()

    def close(self) -> None:
        """Closes what is left, when nobody is connected any more."""
        for lane in self._lanes.values():
            lane.close()
        if self._next_look is not None:
            self._next_look.cancel()
