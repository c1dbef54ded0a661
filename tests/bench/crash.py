"""From `kill -9` to those who have to know."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable

from tests.bench.driver import hush, plant, property_of, run
from tests.bench.measure import Asked, Part, Row
from toru.core.observer import Observer
from toru.domain.ids import PluginId
from toru.domain.state import UnitFacts
from toru.systemd import journal, wire
from toru.systemd.bus import connect

TITLE = "Crash: from kill -9 to those who have to know"

OBSERVER, SIGNAL, POLLING = "Toru's observer has it", "dbus-monitor prints the signal", "systemctl show every 100 ms"
ENTRY, FOLLOWER = "journal entry is stamped", "Toru's reader has the journal entry"
FOLLOWING = "journalctl --follow prints the entry"
WITNESSES = (SIGNAL, OBSERVER, POLLING, ENTRY, FOLLOWING, FOLLOWER)
PEERS = {OBSERVER: SIGNAL, POLLING: SIGNAL, FOLLOWER: FOLLOWING}


class Crash:
    """One crash, and who noticed it when. All of them watch the same."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.moments: dict[str, float] = {}
        self.killed = 0.0
        self.known_to_all = threading.Event()

    def notice(self, who: str, moment: float | None = None) -> None:
        if self.killed:
            self.moments.setdefault(who, time.time() if moment is None else moment)
        if len(self.moments) == len(WITNESSES):
            self.known_to_all.set()

    def kill(self) -> None:
        self.killed = time.time()
        os.kill(self.pid, signal.SIGKILL)


def measure(asked: Asked) -> Part:
    hush()
    victim = PluginId("victim")
    plant(victim, "http.py", protocol="http")
    run("systemctl", "start", "toru-scan.service")
    samples: dict[str, list[float]] = {who: [] for who in WITNESSES}
    for crash in asyncio.run(_crashes(victim, asked.rounds * 2)):
        for who, moment in crash.moments.items():
            samples[who].append(moment - crash.killed)
    rows = [Row(who, seconds, PEERS.get(who)) for who, seconds in samples.items()]
    notes = [
        "The observer waits 10 ms before it looks, because systemd reports a crash as two changes.",
        "The entry is in the journal at once; whoever follows it is woken when journald sees fit, journalctl too.",
    ]
    return Part(rows, notes)


async def _crashes(victim: PluginId, count: int) -> list[Crash]:
    crashes: list[Crash] = []
    changed = asyncio.Event()

    def on_change(plugin_id: PluginId, facts: UnitFacts, _at_first_sight: bool) -> None:  # noqa: FBT001
        if crashes and plugin_id == victim and (facts.service is None or facts.service.main_pid != crashes[-1].pid):
            crashes[-1].notice(OBSERVER)
        changed.set()

    observer = Observer(on_change)
    over = threading.Event()
    witnesses = [
        threading.Thread(target=witness, args=(victim, lambda: crashes[-1] if crashes else None, over), daemon=True)
        for witness in (_monitor, _journalctl, _follow, _poll)
    ]
    async with connect() as bus:
        watching = asyncio.create_task(observer.watch(bus))
        for witness in witnesses:
            witness.start()
        for _ in range(count):
            async with asyncio.timeout(10):
                while (pid := _running(observer, victim)) is None:
                    changed.clear()
                    await changed.wait()
            crashes.append(Crash(pid))
            # Let what the start made reach everybody; then at any point between two looks of the one that polls.
            await asyncio.sleep(0.5 + random.random() / 10)  # noqa: S311  no secret
            crashes[-1].kill()
            if not await asyncio.to_thread(crashes[-1].known_to_all.wait, 10):
                raise SystemExit(f"noticed only by: {', '.join(crashes[-1].moments)}")
            # Starts count, and after a crash the next one waits.
            await asyncio.to_thread(run, "systemctl", "reset-failed", victim.service)
            await asyncio.to_thread(run, "systemctl", "restart", victim.service)
        over.set()
        watching.cancel()
    return crashes


def _running(observer: Observer, victim: PluginId) -> int | None:
    facts = observer.facts.get(victim)
    return facts.service.main_pid or None if facts and facts.service and facts.service.sub == "running" else None


Current = Callable[[], Crash | None]


def _monitor(victim: PluginId, current: Current, over: threading.Event) -> None:
    rule = f"type='signal',member='PropertiesChanged',path='{wire.unit_path(victim.service)}'"
    _lines(["dbus-monitor", "--system", rule], "member=PropertiesChanged", SIGNAL, current, over)


def _journalctl(victim: PluginId, current: Current, over: threading.Event) -> None:
    command = ["journalctl", "--follow", "--lines=0", "--unit", victim.service]
    _lines(command, "Main process exited", FOLLOWING, current, over)


def _lines(command: list[str], wanted: str, who: str, current: Current, over: threading.Event) -> None:
    """Notices the crash when the command prints a line with the words that are wanted."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if wanted in line and (crash := current()):
                crash.notice(who)
            if over.is_set():
                break
        process.terminate()


def _follow(victim: PluginId, current: Current, over: threading.Event) -> None:
    for line in journal.follow(victim):
        crash = current()
        if crash and line and line.of_systemd and "Main process exited" in line.message:
            crash.notice(FOLLOWER)
            crash.notice(ENTRY, line.at.timestamp())
        if over.is_set():
            return


def _poll(victim: PluginId, current: Current, over: threading.Event) -> None:
    while not over.wait(0.1):
        crash = current()
        waiting = crash and crash.killed and POLLING not in crash.moments
        if crash and waiting and property_of(victim.service, "MainPID") != str(crash.pid):
            crash.notice(POLLING)


STEPS = (measure,)
