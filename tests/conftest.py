"""What every test can count on, and the list of promises that `pytest -m req` ends with."""

from collections import defaultdict

import pytest

pytest_plugins = ["tests.hosts.fixtures", "tests.store.fixtures"]

PROMISES = pytest.StashKey[dict[str, list[str]]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    tests: dict[str, list[str]] = defaultdict(list)
    for item in session.items:
        for mark in item.iter_markers("req"):
            for promise in mark.args:
                tests[promise].append(item.nodeid)
    session.config.stash[PROMISES] = tests


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tests = config.stash.get(PROMISES, {})
    if not tests or "req" not in config.option.markexpr:
        return
    passed = {report.nodeid for report in terminalreporter.getreports("passed")}
    proven = "named" if config.option.collectonly else "proven"
    terminalreporter.section("promises")
    for promise, provers in sorted(tests.items(), key=lambda entry: place(entry[0])):
        # A promise is proven when all that is said to prove it has passed.
        held = config.option.collectonly or passed.issuperset(provers)
        terminalreporter.write_line(f"{promise:10} {proven if held else 'NOT PROVEN'}", green=held, red=not held)
        for test in provers:
            terminalreporter.write_line(f"           {test}")


def place(promise: str) -> tuple[str, int]:
    area, _, number = promise.rpartition("-")
    return area, int(number)
