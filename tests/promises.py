"""Which tests prove which promise: the list that `pytest -m req` ends with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pytest

PROMISE = "promise"


class Promises:
    def __init__(self, config: pytest.Config) -> None:
        self._only_named: bool = config.option.collectonly
        self._held: dict[str, dict[str, bool]] = defaultdict(dict)
        """Of each promise: its tests, and whether they passed."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: Iterable[pytest.Item]) -> None:
        for item in items:
            for promise in (promise for mark in item.iter_markers("req") for promise in mark.args):
                # Reports carry it, also from one process to another.
                item.user_properties.append((PROMISE, promise))
                if self._only_named:
                    self._held[promise][item.nodeid] = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, promise in report.user_properties:
            if name == PROMISE:
                tests = self._held[str(promise)]
                tests[report.nodeid] = tests.get(report.nodeid, True) and report.outcome == "passed"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        if not self._held or "req" not in config.option.markexpr:
            return
        terminalreporter.section("promises")
        for promise, tests in sorted(self._held.items(), key=lambda entry: place(entry[0])):
            # A promise is proven when all that is said to prove it has passed.
            held = all(tests.values())
            word = "NOT PROVEN" if not held else "named" if self._only_named else "proven"
            terminalreporter.write_line(f"{promise:10} {word}", green=held, red=not held)
            for test in sorted(tests):
                terminalreporter.write_line(f"           {test}")


def place(promise: str) -> tuple[str, int]:
    area, _, number = promise.rpartition("-")
    return area, int(number)
