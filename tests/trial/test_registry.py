"""The registry of trials, when several come and go at the same moment."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from toru.trial import Options, registry
from toru.trial.machine import running_toru


def test_trials_that_come_and_go_at_once_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "ROOT", tmp_path / "trials")
    toru = running_toru()

    def come_and_go(name: str) -> None:
        for _ in range(100):
            record, lock = registry.claim(Options(name=name), toru)
            registry.release(record)
            os.close(lock)

    with ThreadPoolExecutor() as several:
        list(several.map(come_and_go, ("one", "two", "three", "four")))
    assert not registry.ROOT.exists()
