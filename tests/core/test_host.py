"""The host's figures, beside what the kernel and coreutils say of the machine that the tests run on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from toru.core.host import Envelope, Host, disks_of, load_of, memory_of, processor_time_of

pytestmark = pytest.mark.req("UI-5")

MEMINFO = """\
MemTotal:       24683888 kB
MemFree:        18233220 kB
MemAvailable:   22671100 kB
HugePages_Total:       0
"""
#           user nice system idle iowait irq softirq steal guest guest_nice
STAT = "cpu  100 10 50 800 40 3 7 5 30 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"


def test_memory_is_told_in_bytes() -> None:
    memory = memory_of(MEMINFO)
    assert memory["MemTotal"] == 24_683_888 * 1024
    assert memory["MemAvailable"] == 22_671_100 * 1024
    assert "HugePages_Total" not in memory


def test_processors_are_busy_but_while_idle_or_waiting_for_disks() -> None:
    assert processor_time_of(STAT) == (175, 1015)
    assert processor_time_of("") is None


def test_a_host_that_hides_all_of_it_is_shown_without(tmp_path: Path) -> None:
    figures = Host(tmp_path, seen=[tmp_path]).look()
    assert (figures.memory_total_bytes, figures.load, figures.cpu_percent) == (None, None, None)
    assert load_of("") is None


def test_figures_are_those_of_the_machine(tmp_path: Path) -> None:
    up_since_before = uptime_seconds()
    figures = Host(tmp_path).look()
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    assert figures.memory_total_bytes == pages * size
    assert figures.memory_available_bytes is not None
    assert 0 < figures.memory_available_bytes <= figures.memory_total_bytes
    assert figures.hostname == os.uname().nodename
    assert figures.load is not None
    assert len(figures.load) == 3
    # /proc has it in hundredths, cut off.
    assert up_since_before <= figures.uptime_seconds < uptime_seconds() + 0.01


def uptime_seconds() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


def test_a_file_system_is_told_once_with_everything_that_is_on_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    [disk] = disks_of([tmp_path / "a", tmp_path / "b", tmp_path / "not there"])
    assert disk.paths == (str(tmp_path / "a"), str(tmp_path / "b"))
    said = subprocess.run(
        ["df", "--block-size=1", "--output=size", tmp_path], capture_output=True, text=True, check=True
    ).stdout
    assert disk.total_bytes == int(said.split()[-1])


def test_processors_are_told_since_the_look_before(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu 100 0 0 900 0 0 0 0 0 0\n")
    host = Host(tmp_path, seen=[tmp_path])
    assert host.look().cpu_percent is None
    stat.write_text("cpu 125 0 0 975 0 0 0 0 0 0\n")
    assert host.look().cpu_percent == 25.0


def test_what_plugins_use_together_is_told_since_the_look_before_too(tmp_path: Path) -> None:
    now = [100.0]
    host = Host(tmp_path, seen=[tmp_path], clock=lambda: now[0])
    assert host.look(Envelope(memory_bytes=5, cpu_seconds=10)).plugins.cpu_percent is None
    now[0] += 4
    assert host.look(Envelope(memory_bytes=6, cpu_seconds=12)).plugins.cpu_percent == 50.0
    assert host.look().plugins.memory_bytes == 6
    now[0] += 4
    # The slice has gone and come again meanwhile.
    assert host.look(Envelope(memory_bytes=1, cpu_seconds=0.5)).plugins.cpu_percent is None


def test_whoever_asks_in_between_is_told_what_was_seen_last(tmp_path: Path) -> None:
    host = Host(tmp_path)
    assert host.figures is host.figures
    seen = host.look()
    assert host.figures is seen
