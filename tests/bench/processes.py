"""What a process takes of the machine."""

from __future__ import annotations

import re
from pathlib import Path


def processor(pid: int) -> float:
    """Seconds that it has been busy for."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def memory(pid: int) -> int:
    """In bytes: the proportional share."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB$", rollup, re.MULTILINE)
    assert found
    return int(found[1]) << 10
