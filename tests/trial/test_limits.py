"""Limits are enforced where the machine lets a trial do so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.trial.conftest import new_name
from toru.trial import Options, Trial, enforcement

MANY_THREADS = """
import threading
end = threading.Event()
try:
    for started in range(60):
        threading.Thread(target=end.wait).start()
except RuntimeError:
    pass
print(threading.active_count())
end.set()
"""
BUSY = """
import time
end = time.monotonic() + 1
while time.monotonic() < end:
    pass
print(time.process_time())
"""


@pytest.fixture(scope="module")
def limited() -> Iterator[Trial]:
    if not enforcement(limits=True).complete:
        pytest.skip("the machine has no controllers for memory, pids and cpu")
    with Trial(Options(name=new_name(), limits=True)) as trial:
        yield trial


def under(trial: Trial, limit: str, program: str) -> tuple[int, str]:
    run = ["systemd-run", "--quiet", "--wait", "--pipe", f"--property={limit}", "python3", "-I", "-c", program]
    result = trial.run(run)
    return result.returncode, result.stdout


def test_a_program_that_takes_too_much_memory_is_killed(limited: Trial) -> None:
    code, _ = under(limited, "MemoryMax=60M", "b = bytearray(200 << 20)")
    assert code != 0
    assert under(limited, "MemoryMax=infinity", "b = bytearray(200 << 20)") == (0, "")


def test_a_program_gets_as_many_tasks_as_it_may_have(limited: Trial) -> None:
    assert under(limited, "TasksMax=20", MANY_THREADS) == (0, "20\n")


def test_a_program_gets_as_much_cpu_as_it_may_have(limited: Trial) -> None:
    _, seconds = under(limited, "CPUQuota=20%", BUSY)
    assert float(seconds) < 0.5


def test_a_limited_trial_is_a_machine_like_any_other(limited: Trial) -> None:
    assert limited.run(["systemctl", "is-active", "toru.socket", "multi-user.target"]).stdout == "active\nactive\n"
    limited.reboot()
    assert limited.run(["systemctl", "is-active", "toru.socket"]).stdout == "active\n"


def test_without_limits_exactly_what_was_foretold_is_enforced() -> None:
    foretold = enforcement(limits=False)
    with Trial(Options(name=new_name())) as trial:
        offered = trial.run(["cat", "/sys/fs/cgroup/cgroup.controllers"]).stdout.split()
    assert (foretold.memory, foretold.tasks, foretold.cpu) == tuple(
        kind in offered for kind in ("memory", "pids", "cpu")
    )
