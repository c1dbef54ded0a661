"""When to restart, and when a plugin has earned a clean slate.

systemd restarts plugins by itself. Two things it can't do, and the core does: before 254 it can't lengthen the delay
from try to try (so its delay is set to the longest, and the core restarts earlier), and no version forgets old
failures of a plugin that has long been well. Without the core a plugin is still restarted, and still given up.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from toru.domain.errors import SystemdRefused
from toru.domain.ids import PluginId
from toru.domain.policy import RestartPolicy
from toru.domain.state import ServiceFacts, State, UnitFacts, state_of
from toru.domain.units import FIRST_WITH_RESTART_STEPS
from toru.systemd import notify

Act = Callable[[PluginId], Awaitable[None]]


@dataclass(slots=True)
class _Record:
    """What there is to remember of one plugin."""

    failures: int = 0
    restarts: int = 0
    """From here, since systemd began to count: it counts only its own."""
    counted: float = 0
    """The failure that was counted last, by the time it happened."""
    running_since: float | None = None
    due: float | None = None
    act: Act | None = None
    ended_well: bool = False
    """The next start will be a first one, for systemd too."""


class Pacing:
    """Sees every change of a plugin's units, and acts when the time has come."""

    def __init__(self, policy: RestartPolicy, systemd_version: int, *, restart: Act, forget_failures: Act) -> None:
        self._policy = policy
        self._paces = systemd_version < FIRST_WITH_RESTART_STEPS
        self._restart = restart
        self._forget_failures = forget_failures
        self._records: dict[PluginId, _Record] = {}
        self._something_new = asyncio.Event()

    def see(self, plugin_id: PluginId, facts: UnitFacts, *, at_first_sight: bool = False) -> None:
        """Takes note of what a plugin does now."""
        service = facts.service
        if service is None:
            self._records.pop(plugin_id, None)
            return
        record = self._records.setdefault(plugin_id, _Record())
        match state_of(facts):
            case State.BACKING_OFF:
                record.running_since = None
                self._on_failure(record, service, at_first_sight=at_first_sight)
            case State.RUNNING:
                if record.ended_well:
                    record.restarts, record.ended_well = 0, False
                # Over a new connection again: it may have fallen due while there was none.
                if at_first_sight or record.running_since != service.changed_at:
                    record.running_since = service.changed_at
                    self._plan(record, service.changed_at + self._policy.stable_after, self._earn_clean_slate)
            case State.PAUSED:
                pass  # time goes on for a frozen plugin too
            case State.IDLE | State.STOPPING if record.running_since is not None and service.result == "success":
                record.ended_well = True
                self._on_clean_end(record, service)
            case _:
                record.running_since = None
                # A clean slate that is due has been earned, whatever comes next.
                if not (record.act == self._earn_clean_slate and record.due is not None and record.due <= time.time()):
                    record.act = record.due = None

    def next_try_at(self, plugin_id: PluginId) -> float | None:
        """When this plugin will be restarted from here, in seconds since 1970, if it will."""
        record = self._records.get(plugin_id)
        return record.due if record is not None and record.act == self._restart_now else None

    def restarts(self, plugin_id: PluginId) -> int:
        """How often this plugin was restarted from here, which systemd's own count leaves out."""
        record = self._records.get(plugin_id)
        return 0 if record is None else record.restarts

    async def run(self) -> None:
        """Does what is due, for ever."""
        while True:
            self._something_new.clear()
            now = time.time()
            for plugin_id in list(self._records):
                # Its units may have gone while another plugin's turn was waited for.
                record = self._records.get(plugin_id)
                if record is not None and record.due is not None and record.due <= now and record.act is not None:
                    act, record.act, record.due = record.act, None, None
                    await self._try(act, plugin_id)
            waits = [record.due - time.time() for record in self._records.values() if record.due is not None]
            try:
                async with asyncio.timeout(max(0.0, min(waits)) if waits else None):
                    await self._something_new.wait()
            except TimeoutError:
                continue

    def _on_failure(self, record: _Record, service: ServiceFacts, *, at_first_sight: bool) -> None:
        if service.changed_at == record.counted:
            return
        record.counted = service.changed_at
        record.due = record.act = None
        # How often it failed before the core came is not known: this once the wait is systemd's.
        record.failures = self._policy.steps if at_first_sight else record.failures + 1
        delay = self._policy.delay_before_restart(record.failures)
        ops_decided_otherwise = not math.isclose(service.restart_delay, self._policy.max_delay, abs_tol=1e-6)
        if self._paces and delay < self._policy.max_delay and not ops_decided_otherwise and not at_first_sight:
            self._plan(record, service.changed_at + delay, self._restart_now)

    def _on_clean_end(self, record: _Record, service: ServiceFacts) -> None:
        """Going to sleep is no failure; ending again and again as soon as it is woken is."""
        lasted = service.changed_at - (record.running_since or service.changed_at)
        record.running_since = None
        record.due = record.act = None
        if lasted >= self._policy.first_delay:
            self._plan(record, service.changed_at, self._earn_clean_slate)

    def _plan(self, record: _Record, due: float, act: Act) -> None:
        record.due, record.act = due, act
        self._something_new.set()

    async def _restart_now(self, plugin_id: PluginId) -> None:
        # First, so that whoever sees the new process sees the new count.
        self._records[plugin_id].restarts += 1
        await self._restart(plugin_id)

    async def _earn_clean_slate(self, plugin_id: PluginId) -> None:
        record = self._records[plugin_id]
        record.failures = record.restarts = 0
        await self._forget_failures(plugin_id)

    async def _try(self, act: Act, plugin_id: PluginId) -> None:
        try:
            await act(plugin_id)
        except SystemdRefused as refusal:
            # The unit may have gone in the meantime; if it is still in need, its next change is seen.
            notify.log(notify.WARNING, f"{plugin_id}: {refusal}", TORU_PLUGIN=plugin_id)
