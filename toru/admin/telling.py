"""Tells hooks: each of them in a transient unit of its own, which nobody waits for."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace

from toru.admin.hookfiles import look
from toru.admin.units import last_run
from toru.domain.errors import SystemdRefused, ToruError
from toru.domain.events import Event, EventKind
from toru.domain.hooks import TIME_LIMIT, UNIT_PATTERNS, Hook, Notice, unit_for, unit_name
from toru.domain.ids import PluginId
from toru.domain.policy import HooksPolicy
from toru.domain.rationing import Rationing
from toru.domain.state import last_end
from toru.systemd import notify, transient
from toru.systemd.records import machine_id
from toru.systemd.transient import Systemd, UnitExists

AT_ONCE = 16
"""So many hooks run at the same time. The next waits, and with it every later event, in the journal."""

TOO_MUCH = "old news, or too much in a short time (the next notice counts what was left out)"


class Teller:
    def __init__(self, policy: HooksPolicy, host: str) -> None:
        self._kinds = policy.events
        self._rationing = Rationing(policy)
        self._host = host

    def is_wanted(self, event: Event) -> bool:
        return event.kind in self._kinds

    def tell(self, event: Event, invocation_id: str, hooks: Sequence[Hook]) -> None:
        """Has every hook told, unless it would be too much. SystemdRefused, where systemd can't be asked now."""
        left_out = self._rationing.left_out(event.plugin_id)
        notice = _notice(event, invocation_id, self._host, left_out)
        if not self._rationing.admits(event, now=time.time()):
            if not left_out:
                _log(notify.WARNING, notice, f"hooks are not told of this, for it is {TOO_MUCH}: {notice.text}")
            return
        self._rationing.mentioned(event.plugin_id)
        if not hooks:
            return
        with transient.connect() as systemd:
            told = [hook.name for hook in hooks if _told(systemd, hook, notice)]
        if told:
            _log(notify.INFO, notice, f"told {', '.join(told)}: {notice.text}")


def rehearse() -> str:
    """Tells every hook of a crash that did not happen, one after the other, and says how they took it."""
    event = Event(
        plugin_id=PluginId("rehearsal"),
        kind=EventKind.CRASHED,
        at=time.time(),
        cause="this is a rehearsal, and nothing has happened",
        details={},
        cursor=secrets.token_hex(),
    )
    notice = _notice(event, "", machine_id())
    found = look()
    wrong = [f"{path}: {reason}" for path, reason in found.refused]
    with transient.connect() as systemd:
        for hook in found.hooks:
            unit = unit_name(hook, notice)
            systemd.watch(unit)
            _start(systemd, hook, notice, until_released=True)
            while _at_work(systemd, unit):
                systemd.wait_for_change(TIME_LIMIT)
            if (end := last_end(last_run(systemd, unit))) is not None:
                wrong.append(f"{hook.name}: {end}")
    if wrong:
        raise ToruError(f"{'; '.join(wrong)} (journalctl --unit='*@{notice.key}')")
    return f"told {found}: {notice.text}"


def _notice(event: Event, invocation_id: str, host: str, left_out: int = 0) -> Notice:
    said = str(event.details.get("invocation_id", invocation_id))
    return Notice(event=event, invocation_id=said, host=host, hostname=os.uname().nodename, left_out=left_out)


def _told(systemd: Systemd, hook: Hook, notice: Notice) -> bool:
    """Has systemd start the hook, and says whether it does."""
    _make_room(systemd)
    try:
        _start(systemd, hook, notice)
    except SystemdRefused as refusal:
        if isinstance(refusal, UnitExists) and _at_work(systemd, unit_name(hook, notice)):
            return False  # told before this program was killed, and still at it
        # Where the bus is gone, this question fails too. Then, and when the host goes down, hooks are told afterwards.
        if systemd.state() == "stopping":
            raise
        _log(notify.ERROR, notice, f"{hook.name} can't be told: {refusal}")
        return False
    return True


def _start(systemd: Systemd, hook: Hook, notice: Notice, *, until_released: bool = False) -> None:
    """`until_released`: how it ended can be read for as long as the connection to systemd lives."""
    # A file of its own for each: they would share the place up to which it was read.
    stdin = os.memfd_create("toru-notice")
    try:
        os.write(stdin, notice.as_json())
        os.lseek(stdin, 0, os.SEEK_SET)
        unit = unit_for(hook, notice, stdin)
        systemd.create(replace(unit, properties={**unit.properties, "AddRef": until_released}))
    finally:
        os.close(stdin)


def _make_room(systemd: Systemd) -> None:
    """Returns when one more hook may run; or when so much time has passed that those which run should have ended."""
    deadline = time.monotonic() + 2 * TIME_LIMIT
    while (left := deadline - time.monotonic()) > 0:
        if len(_at_work(systemd, *UNIT_PATTERNS)) < AT_ONCE:
            return
        systemd.wait_for_change(left)


def _at_work(systemd: Systemd, *patterns: str) -> list[str]:
    """Units that run, or will."""
    return [unit.name for unit in systemd.loaded(patterns) if unit.has_job or unit.active not in {"inactive", "failed"}]


def _log(priority: int, notice: Notice, message: str) -> None:
    # Not as TORU_EVENT: that is what events are told from.
    notify.log(priority, message, TORU_PLUGIN=notice.event.plugin_id, TORU_NOTICE=notice.key)
