"""A worker, from its parts: what toru-worker@.service runs."""

from __future__ import annotations

import asyncio
import gc
import socket
from pathlib import Path

import uvloop
from starlette.types import Receive, Scope, Send

from toru.core.traffic import AllTraffic
from toru.domain import places
from toru.domain.ids import PluginId
from toru.domain.policy import Policy
from toru.gateway.gateway import Gateway
from toru.gateway.server import Server, run_no_program, signs_of_life, told_to_end
from toru.gateway.ways import ways_to_plugins
from toru.settings import load_policy
from toru.store.engine import Database
from toru.systemd.activation import handed_over
from toru.web.caller import Callers, PluginTokens
from toru.web.problems import problem
from toru.workers.changes import WorkersAccounts
from toru.workers.worker import Worker


def main(name: str) -> None:
    """Serves until SIGTERM or SIGINT, or until the core wants a worker of its own release."""
    policy = load_policy()
    database = Database(policy.database_url)
    run_no_program()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(name, policy, database, handed_over().listening))
    database.close()


async def serve(  # noqa: PLR0913  (it is made from as many)
    name: str,
    policy: Policy,
    database: Database,
    sockets: list[socket.socket],
    *,
    directory: Path = places.WORKERS,
    tokens: Path = places.TOKENS,
) -> None:
    """`sockets` may be none: then it serves what the core has accepted."""
    accounts = WorkersAccounts(database)
    traffic = AllTraffic()

    def on_push(plugin_id: PluginId, name: str, data: str, dropped: int) -> None:
        worker.push(plugin_id, name, data, dropped)

    gateway = Gateway(policy, accounts, Callers(accounts, PluginTokens(tokens)), traffic, ways_to_plugins(on_push))
    server = Server(_nothing, gateway, policy, status="plugins that it serves: 0")
    end = told_to_end()
    worker = Worker(name, gateway, accounts, database, traffic, adopt=server.adopt, on_leave=end.set)

    async def stop() -> None:
        await end.wait()
        await worker.leave()
        gateway.stop()
        server.stop()

    worker.listen(directory)
    async with asyncio.TaskGroup() as tasks:
        background = [tasks.create_task(worker.run()), tasks.create_task(stop()), tasks.create_task(signs_of_life())]
        gc.collect()
        gc.freeze()
        await server.serve(sockets)
        gateway.close()
        for task in background:
            task.cancel()
    worker.close()


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Every request for the API goes to the core."""
    await problem(503, "unavailable", "the core has this")(scope, receive, send)
