"""Limits are enforced on hosts that say so."""

from __future__ import annotations

import pytest

from tests.hosts.host import Host

MANY_THREADS = """
import threading
end = threading.Event()
try:
    for _ in range(60):
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


def under(host: Host, limit: str, program: str) -> tuple[int, str]:
    run = ["systemd-run", "--quiet", "--wait", "--pipe", f"--property={limit}", "python3", "-I", "-c", program]
    done = host.run(*run, check=False)
    return done.returncode, done.stdout


def test_a_program_that_takes_too_much_memory_is_killed(limited_host: Host) -> None:
    code, _ = under(limited_host, "MemoryMax=60M", "b = bytearray(200 << 20)")
    assert code != 0
    assert under(limited_host, "MemoryMax=infinity", "b = bytearray(200 << 20)") == (0, "")


def test_a_program_gets_as_many_tasks_as_it_may_have(limited_host: Host) -> None:
    assert under(limited_host, "TasksMax=20", MANY_THREADS) == (0, "20\n")


def test_a_program_gets_as_much_cpu_as_it_may_have(limited_host: Host) -> None:
    _, seconds = under(limited_host, "CPUQuota=20%", BUSY)
    assert float(seconds) < 0.5


@pytest.mark.parametrize("figure", ["MemoryCurrent", "TasksCurrent"])
def test_what_a_unit_uses_can_be_read(limited_host: Host, figure: str) -> None:
    assert limited_host.show("dbus.service", figure)[figure].isdigit()
