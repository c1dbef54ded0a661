"""Limits that the kernel enforces, where the machine's control groups allow it."""

import pytest

from tests.hosts.host import Host
from tests.system.toru import Toru


@pytest.fixture
def host(limited_host: Host) -> Host:
    return limited_host


@pytest.mark.req("SUP-7", "ISO-2")
def test_a_memory_eater_dies_at_its_limit_and_alone(toru: Toru) -> None:
    toru.plant("eater", "odd.py", way="eats memory", metadata={"protocol": "http", "limits": {"memory": "64M"}})
    toru.plant("fine")
    toru.scan()
    toru.wait_until("it to be killed", lambda: len(toru.ends("eater")) >= 1, 30)
    assert toru.ask("fine")["pid"]


@pytest.mark.req("SUP-7", "ISO-2")
def test_a_fork_bomb_stops_at_its_limit(toru: Toru, host: Host) -> None:
    toru.plant("bomb", "odd.py", way="forks without end", metadata={"protocol": "http", "limits": {"tasks": 20}})
    toru.scan()

    def children() -> list[int]:
        return [int(line.split()[2]) for line in toru.logged("bomb") if line.startswith("stopped at")]

    toru.wait_until("it to be stopped", children, 30)
    assert all(5 <= number < 20 for number in children()), "the kernel refused the next one"
    uid = toru.service("bomb", "UID")["UID"]
    assert len(host.run("pgrep", "-u", uid, check=False).stdout.split()) <= 20


@pytest.mark.req("SUP-7")
def test_a_busy_loop_gets_its_share_of_the_processor_and_no_more(toru: Toru, host: Host) -> None:
    metadata = {"protocol": "http", "limits": {"cpu": 20}}
    toru.plant("burner", "odd.py", way="burns the processor", metadata=metadata)
    toru.scan()
    pid = toru.pid("burner")

    def times() -> tuple[float, float]:
        """Of the machine and of the processor, by the kernel's clocks."""
        uptime, _, stat = host.run("cat", "/proc/uptime", f"/proc/{pid}/stat").stdout.partition("\n")
        fields = stat.rpartition(")")[2].split()
        return float(uptime.split()[0]), (int(fields[11]) + int(fields[12])) / 100

    begun, before = times()
    host.run("sleep", "3")
    now, after = times()
    passed, used = now - begun, after - before
    assert used <= passed * 0.2 * 1.6, f"{used} s of processor time in {passed} s"
    toru.until_shown("burner", state="running")
