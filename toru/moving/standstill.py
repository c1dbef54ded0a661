"""Stops everything that writes to what is Toru's, and starts it again."""

from __future__ import annotations

from collections.abc import Sequence

from toru.admin import lifecycle
from toru.domain.ids import PluginId
from toru.domain.policy import Policy
from toru.systemd.transient import Job, Systemd

BOOT = "toru-plugins.service"
"""It has done its work when it is active. Starting it again brings every plugin up."""

PATTERNS = ("toru*.socket", "toru*.path", "toru*.timer", "toru*.service")
"""In this order they are stopped: first what would start others."""

OF_THE_MOMENT = ("toru-enable@", "toru-disable@", "toru-pause@", "toru-resume@", "toru-probe-", "toru-halt.")
"""They end by themselves, and holding their lock is to have waited for them."""

STOP_WITHIN = 60.0
START_WITHIN = 300.0


def running(systemd: Systemd) -> list[str]:
    """Toru's units that are up, but for those of plugins: what is to be stopped, and started again."""
    found: list[str] = []
    for pattern in PATTERNS:
        for unit in sorted(systemd.loaded([pattern])):
            is_up = unit.active in {"active", "activating", "reloading"}
            if is_up and PluginId.of_unit(unit.name) is None and not unit.name.startswith(OF_THE_MOMENT):
                found.append(unit.name)
    return found


def stop(systemd: Systemd, units: Sequence[str], policy: Policy) -> None:
    """These, and all plugins."""
    ours = [unit for unit in units if unit != BOOT]
    # All at once: what requires another of them would be stopped with it anyway.
    for job in [job for unit in ours if (job := systemd.stop(unit)) is not None]:
        systemd.wait(job, STOP_WITHIN)
    lifecycle.down(policy)


def start(systemd: Systemd, units: Sequence[str]) -> list[str]:
    """These again, with the unit files that there are now. Those that did not come up are returned."""
    systemd.reload()
    jobs: list[Job] = []
    for unit in units:
        systemd.reset_failed(unit)
        jobs.append(systemd.restart(unit) if unit == BOOT else systemd.start(unit))
    return [job.unit for job in jobs if systemd.wait(job, START_WITHIN) != "done"]
