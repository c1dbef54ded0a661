"""What checks have: the program, a way to ask it, and the time that it has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from toru.check.asking import RETRY_SECONDS, Ask, Reply, Way, connect
from toru.check.over_http import Connection, Http
from toru.check.over_toru1 import Toru1
from toru.check.over_toru2 import Toru2
from toru.check.program import Program, how_it_ended
from toru.check.verdict import Broken
from toru.domain import frames
from toru.domain.manifest import Manifest, Protocol
from toru.domain.policy import GatewayPolicy, Policy

T = TypeVar("T")

START_SECONDS = Policy().start_timeout
LISTEN_SECONDS = START_SECONDS * 0.8
STOP_SECONDS = Policy().stop_timeout
SHUTDOWN_SECONDS = STOP_SECONDS * 0.8

LAST_BREATH_SECONDS = 3.0
"""Between the end of its connections and that of a program that crashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the author chose."""

    path: str = "/"
    """Where requests go."""
    timeout: float | None = None
    """Seconds for an answer."""
    patience: float = 30
    """Longest wait, in seconds, for something that the plugin has announced for later."""


class Stage:
    """For a file, whose program is started here, or for a plugin that listens somewhere already."""

    def __init__(self, terms: Terms, *, file: Path | None = None, place: Path | None = None) -> None:
        self.terms = terms
        self.file = file
        self._place = place
        self.printed = b""
        """What the file printed for --metadata."""
        self.program: Program | None = None
        self.manifest: Manifest | None = None
        self.protocol: Protocol | None = None
        self.said: list[str] = []
        """What the file wrote to stderr for --metadata."""
        self.path: Path
        self.way: Way

    @property
    def timeout(self) -> float:
        if self.terms.timeout is not None:
            return self.terms.timeout
        asked = None if self.manifest is None else self.manifest.timeout
        return GatewayPolicy().timeout if asked is None else min(asked, GatewayPolicy().timeout)

    @property
    def max_body(self) -> int:
        asked = None if self.manifest is None else self.manifest.max_body
        return GatewayPolicy().max_body if asked is None else min(asked, GatewayPolicy().max_body)

    @property
    def max_concurrent(self) -> int:
        asked = None if self.manifest is None else self.manifest.max_concurrent
        return GatewayPolicy().max_concurrent if asked is None else min(asked, GatewayPolicy().max_concurrent)

    @property
    def running(self) -> Program:
        """The program, where checks are only made of one that was started here."""
        assert self.program is not None  # noqa: S101  (the table of checks says so)
        return self.program

    @property
    def toru1(self) -> Toru1:
        assert isinstance(self.way, Toru1)  # noqa: S101  (the table of checks says so)
        return self.way

    @property
    def toru2(self) -> Toru2:
        assert isinstance(self.way, Toru2)  # noqa: S101  (the table of checks says so)
        return self.way

    def connection(self) -> Connection:
        """For HTTP."""
        return Connection(self.path)

    def reach(self, path: Path, protocol: Protocol) -> None:
        """That is where it listens."""
        self.path, self.protocol = path, protocol
        ways: dict[Protocol, Callable[[Path], Way]] = {
            Protocol.HTTP: Http,
            Protocol.TORU_1: Toru1,
            Protocol.TORU_2: Toru2,
        }
        self.way = ways[protocol](path)

    def run(self, manifest: Manifest) -> None:
        """That is what the program says of itself."""
        assert self.file is not None and self._place is not None  # noqa: S101, PT018  (it printed its metadata)
        self.manifest = manifest
        self.program = Program(self.file, manifest, self._place)
        self.reach(self.program.path, manifest.protocol)

    # Starting.

    async def up(self) -> None:
        """Has the program running and greeted. `Broken`, where it doesn't come up."""
        if self.program is None or self.program.is_running:
            return
        await self.way.close()
        await self.program.start()
        await self.come_up()
        await self.greet()

    async def come_up(self) -> None:
        """Until the program, just started, can be reached."""
        assert self.manifest is not None  # noqa: S101  (it was started)
        if self.manifest.rings:
            await self._watch(self._connect, "it", LISTEN_SECONDS, "did not listen at TORU_PLUGIN_SOCKET")
        if self.protocol is Protocol.TORU_2:
            await self._watch(self.running.is_ready.wait, "it", START_SECONDS, "did not send READY=1")

    async def greet(self) -> None:
        """Says `init`, where the protocol has that."""
        if self.protocol is Protocol.TORU_1 and self.program is not None:
            message = frames.init(
                instance_id=self.program.instance_id,
                plugin_socket=str(self.path),
                log_path=str(self.program.log_path),
                now=datetime.now(UTC),
            )
            await self._watch(lambda: self.toru1.say(message), "init", LISTEN_SECONDS, "was not taken")

    async def _connect(self) -> None:
        while True:
            try:
                (await connect(self.path)).close()
            except Broken:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    # Asking.

    def ask_for(self, **parts: Any) -> Ask:
        return Ask(**{"path": self.terms.path, **parts})

    def below(self, rest: str) -> str:
        """A path below the one that was chosen."""
        return self.terms.path.rstrip("/") + rest

    async def ask(self, what: Ask) -> Reply:
        return await self.watch(lambda: self.way.ask(what), str(what))

    async def watch(self, work: Callable[[], Coroutine[Any, Any, T]], what: str) -> T:
        """What comes of it. `Broken`, where that isn't an answer in time, or where the program ends."""
        return await self._watch(work, what, self.timeout, "was not answered")

    async def _watch(self, work: Callable[[], Coroutine[Any, Any, T]], what: str, seconds: float, never: str) -> T:
        task = asyncio.ensure_future(work())
        ends: set[asyncio.Future[Any]] = set() if self.program is None else {self.program.ended}
        try:
            await asyncio.wait({task, *ends}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            broken = task.exception() if task.done() else None
            if task.done() and broken is None:
                return task.result()
            if broken is not None and not isinstance(broken, Broken):
                raise broken
            if self.program is not None and (task.done() or self.program.ended.done()):
                # Its connections may have ended a little before itself.
                await asyncio.wait(ends, timeout=LAST_BREATH_SECONDS)
                if self.program.ended.done():
                    raise Broken(f"{what} {never}: the program {how_it_ended(self.program.ended.result())}")
            if broken is not None:
                raise type(broken)(f"{what}: {broken}") from broken
            raise Broken(f"{what} {never} within {seconds:g} seconds")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def still_serves(self, after: str) -> None:
        """That it goes on, whatever has just happened to it."""
        await self.watch(lambda: self.way.ask(self.ask_for()), f"after {after}, {self.ask_for()}")

    # Ending.

    async def slept(self) -> bool:
        """Whether it has just ended as one does that sleeps when nobody asks: then its socket would wake it."""
        if self.program is None or self.manifest is None or self.manifest.idle_timeout is None:
            return False
        await asyncio.wait({self.program.ended}, timeout=LAST_BREATH_SECONDS)
        return self.program.ended.done() and self.program.ended.result() == 0

    async def end_within(self, seconds: float, after: str) -> int:
        """The return code. `Broken`, where it goes on."""
        await asyncio.wait({self.running.ended}, timeout=seconds)
        if not self.running.ended.done():
            raise Broken(f"it had not ended {seconds:g} seconds after {after}")
        return self.running.ended.result()

    async def close(self) -> None:
        if self.protocol is not None:
            await self.way.close()
        if self.program is not None:
            await self.program.close()
