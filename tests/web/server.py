"""The web application on a real server: TCP and a Unix socket, uvicorn and uvloop as in production, in a thread."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import argon2
import httpx
import uvicorn
import uvloop

from tests.web.document import Document
from toru.core.accounts import Accounts
from toru.core.history import History
from toru.core.host import Host
from toru.core.inspection import Inspector
from toru.core.journals import Journals
from toru.core.kv import Kv
from toru.core.live import Happened, Live
from toru.core.observer import Observer
from toru.core.pacing import Pacing
from toru.core.passwords import Passwords
from toru.core.plugins import Plugins
from toru.core.wishing import Wishing
from toru.domain.errors import SystemdRefused
from toru.domain.ids import PluginId
from toru.domain.people import Role, UserName
from toru.domain.policy import Policy
from toru.domain.state import ActiveState, SocketFacts, UnitFacts
from toru.store.engine import Database
from toru.systemd.bus import Bus
from toru.web.app import Parts, make_app
from toru.web.caller import PluginTokens
from toru.web.peer import PeerKnowingProtocol

T = TypeVar("T")

ADMIN, CLIENT, PASSWORD = UserName("admin"), UserName("carl"), "Correct-Horse-1"

QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""As weak as it gets: tests sign in often."""


class Clock:
    """The time, which tests may set forward. It stands still unless it is wound up."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self._wound_up: float | None = None

    def wind_up(self) -> None:
        self._wound_up = time.monotonic()

    def __call__(self) -> float:
        return self.now if self._wound_up is None else self.now + time.monotonic() - self._wound_up


class Site:
    """A running application."""

    def __init__(self, database: Database, directory: Path) -> None:
        self.clock = Clock()
        self.database = database
        self.tokens = directory / "tokens"
        self.tokens.mkdir()
        self.api_socket = directory / "api.sock"
        self.port = 0
        self.live = Live()
        self.history = History()
        self.accounts = Accounts(database, Passwords(QUICK), clock=self.clock, on_change=self.live.cut_off)
        self.plugins = Plugins(Policy(), _pacing(), on_view=_ignore, on_rejected=_ignore)
        self.app = make_app(self.parts())
        self.document = Document(self.app.openapi())
        self._clients: list[httpx.Client] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def parts(self) -> Parts:
        return Parts(
            policy=Policy(),
            observer=(observer := Observer(_ignore, on_files=_ignore)),
            accounts=self.accounts,
            plugin_tokens=PluginTokens(self.tokens),
            plugins=self.plugins,
            wishing=Wishing(self.plugins, observer, _no_systemd),
            inspector=Inspector(_no_systemd),
            live=self.live,
            history=self.history,
            host=Host(Policy().plugins_dir),
            journals=Journals(),
            database=self.database,
            kv=Kv(self.database, Policy().kv),
        )

    @contextmanager
    def running(self, app: Callable[..., Any] | None = None) -> Iterator[None]:
        listening = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
        listening[1].bind(str(self.api_socket))
        self.api_socket.chmod(0o666)
        self.port = listening[0].getsockname()[1]
        up = threading.Event()

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                up.set()

            @contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

        config = uvicorn.Config(
            app or self.app, http=PeerKnowingProtocol, log_config=None, lifespan="off", proxy_headers=False
        )
        server = Server(config)

        def serve() -> None:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                self._loop = runner.get_loop()
                runner.run(server.serve(listening))

        thread = threading.Thread(target=serve)
        thread.start()
        assert up.wait(30)
        try:
            yield
        finally:
            for client in self._clients:
                client.close()
            server.should_exit = True
            self.do(_call(self.live.close))
            thread.join()

    def do(self, work: Any) -> Any:
        """Run a coroutine on the server's own loop."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def publish(self, name: str, data: str = "{}") -> None:
        """Tells whoever watches of something."""
        self.do(_call(lambda: self.live.publish(Happened(name=name, data=data))))

    def wait_until(self, predicate: Callable[[], bool], seconds: float = 15) -> None:
        """Returns when it is true on the server's own loop."""
        deadline = time.monotonic() + seconds
        while not self.do(_call(predicate)):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    # Who asks.

    def nobody(self, **options: Any) -> httpx.Client:
        client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, **options)
        client.event_hooks = {"response": [self.document.check]}
        self._clients.append(client)
        return client

    def peer(self) -> httpx.Client:
        """Whoever runs the tests, at api.sock."""
        return self.nobody(transport=httpx.HTTPTransport(uds=str(self.api_socket)))

    def bearer(self, token: str) -> httpx.Client:
        return self.nobody(headers={"Authorization": f"Bearer {token}"})

    def signed_in(self, name: str, password: str = PASSWORD) -> httpx.Client:
        client = self.nobody()
        answer = client.post("/api/auth/login", json={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        return client

    def add_user(self, name: str, role: Role = Role.CLIENT, **options: Any) -> None:
        self.do(self.accounts.create(UserName(name), PASSWORD, role, **options))

    def know(self, plugin_id: str) -> None:
        """Let there be a plugin, whose socket listens."""
        facts = UnitFacts(socket=SocketFacts(active=ActiveState.ACTIVE))
        self.do(_call(lambda: self.plugins.see(PluginId(plugin_id), facts)))

    def plugin(self, plugin_id: str, token: str | None = None) -> httpx.Client:
        """A plugin with its own token."""
        token = token or f"the token of {plugin_id}"
        (self.tokens / f".{plugin_id}").write_text(token)
        (self.tokens / f".{plugin_id}").rename(self.tokens / plugin_id)
        return self.bearer(token)


def _ignore(*_: object) -> None:
    pass


def _no_systemd() -> Bus:
    raise SystemdRefused("there is no systemd in this test")


def _pacing() -> Pacing:
    async def never(_plugin_id: PluginId) -> None:
        raise AssertionError

    return Pacing(Policy().restart, 257, restart=never, forget_failures=never)


async def _call(function: Callable[[], T]) -> T:
    return function()
