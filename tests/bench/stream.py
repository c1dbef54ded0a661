"""From what somebody does to a plugin to the screen of who watches: GET /api/stream."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench.client import Client
from tests.bench.driver import hush, plant, property_of, run
from tests.bench.measure import Asked, Part, Row
from toru.domain import places
from toru.domain.ids import PluginId

TITLE = "Stream: from what is done to a plugin to who watches"

VICTIM = PluginId("victim")
WISHES = places.wishes_file(places.PLUGINS)
WITHIN = 20

SHOWN, RETURNS = "in the stream", "systemctl returns"
EVENT = "kill -9: written down as an event, and in the stream"

Wanted = Callable[[str, Mapping[str, Any]], bool]
"""Whether this is the event, by its name and what it says."""


@dataclass(frozen=True, slots=True)
class Seen:
    at: float
    name: str
    data: Any


class Watcher:
    """Somebody's screen."""

    def __init__(self) -> None:
        self._seen: queue.Queue[Seen] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.first(lambda name, _: name == "hello")

    def first(self, wanted: Wanted) -> float:
        """The moment of the first event from here on that is wanted."""
        return self.first_of_each(wanted)[0]

    def first_of_each(self, *wanted: Wanted) -> list[float]:
        """The same for several, in whatever order they come."""
        deadline = time.monotonic() + WITHIN
        moments: dict[int, float] = {}
        while len(moments) < len(wanted):
            try:
                seen = self._seen.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise SystemExit(f"the stream did not tell it within {WITHIN} s") from None
            for number, is_it in enumerate(wanted):
                if number not in moments and is_it(seen.name, seen.data):
                    moments[number] = seen.at
        return [moments[number] for number in range(len(wanted))]

    def _read(self) -> None:
        client = Client()
        client.request("GET", "/api/stream")
        name = ""
        for line in client.getresponse():
            at, text = time.perf_counter(), line.decode().rstrip("\n")
            field, _, value = text.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                self._seen.put(Seen(at, name, json.loads(value)))


def measure(asked: Asked) -> Part:
    hush()
    plant(VICTIM, "http.py", protocol="http")
    run("systemctl", "start", "toru-scan.service")
    watcher = Watcher()
    samples: dict[str, list[float]] = {}

    def note(what: str, began: float, at: float) -> None:
        samples.setdefault(what, []).append(at - began)

    for _ in range(asked.rounds * 2):
        for verb, state in (("freeze", "paused"), ("thaw", "running"), ("stop", "idle"), ("start", "running")):
            began = time.perf_counter()
            returned = _systemctl(verb)
            note(f"systemctl {verb}: {SHOWN}", began, watcher.first(_in_state(state)))
            note(f"systemctl {verb}: {RETURNS}", began, returned)
        pid = _pid()
        began = time.perf_counter()
        returned = _systemctl("restart")
        note(f"systemctl restart: {SHOWN}", began, watcher.first(_running_but_not_as(pid)))
        note(f"systemctl restart: {RETURNS}", began, returned)
        note(f"config.json is written: {SHOWN}", *_wish(watcher, enabled=False))
        note(f"config.json is written: {SHOWN}", *_wish(watcher, enabled=True))
        began = time.perf_counter()
        os.kill(_pid(), signal.SIGKILL)
        shown, told = watcher.first_of_each(_in_state("backing off"), _is_crash)
        note(f"kill -9: {SHOWN}", began, shown)
        note(EVENT, began, told)
        _systemctl("reset-failed")
        _systemctl("restart")
        watcher.first(_in_state("running"))
    rows = [
        Row(what, seconds, what.replace(SHOWN, RETURNS) if what.startswith("systemctl") and SHOWN in what else None)
        for what, seconds in samples.items()
    ]
    worst = [f"{row.what} {max(row.samples) * 1000:.0f} ms" for row in rows if SHOWN in row.what]
    return Part(rows, [f"The slowest of all tries: {'; '.join(worst)}."])


def _systemctl(verb: str) -> float:
    """The moment it returned."""
    run("systemctl", verb, VICTIM.service)
    return time.perf_counter()


def _wish(watcher: Watcher, *, enabled: bool) -> tuple[float, float]:
    """As an editor writes it. When that was, and when it showed."""
    WISHES.parent.mkdir(exist_ok=True)
    new = WISHES.with_suffix(".by-hand")
    new.write_text(json.dumps({"plugins": {VICTIM: enabled}}))
    began = time.perf_counter()
    new.replace(WISHES)
    return began, watcher.first(lambda name, data: name == "plugin" and data["enabled"] is enabled)


def _pid() -> int:
    return int(property_of(VICTIM.service, "MainPID"))


def _in_state(state: str) -> Wanted:
    return lambda name, data: name == "plugin" and data["id"] == VICTIM and data["state"] == state


def _running_but_not_as(pid: int) -> Wanted:
    running = _in_state("running")
    return lambda name, data: running(name, data) and data["pid"] != pid


def _is_crash(name: str, data: Mapping[str, Any]) -> bool:
    return name == "event" and data["event_type"] == "crashed"


STEPS = (measure,)
