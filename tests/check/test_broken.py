"""Plugins with one fault each: the check finds it, says what it is in a sentence of its own, and finds nothing else."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.check.command import BROKEN, QUICK, check, verdicts

pytestmark = pytest.mark.req("LANG-3")

AT_ONCE = 3
"""Most of a check's time goes by in waiting for what doesn't come."""

SAID = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))

Checked = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def checked(request: pytest.FixtureRequest) -> Iterator[Checked]:
    """What the check says of a plugin. Those that tests will ask for are checked meanwhile."""
    chosen = [item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs: dict[str, Future[subprocess.CompletedProcess[str]]] = {
            name: pool.submit(check, BROKEN / f"{name}.py", *QUICK) for name in SAID if name in chosen
        }
        yield lambda name: runs[name].result()


@pytest.mark.parametrize("name", SAID)
def test_a_fault_is_told_in_its_own_sentence_and_nothing_else_is(checked: Checked, name: str) -> None:
    said = checked(name)
    failed = {check: sentence for check, (outcome, sentence) in verdicts(said).items() if outcome == "failed"}
    assert failed == {SAID[name]["fails"]: SAID[name]["sentence"]}
    assert said.returncode == 1


def test_every_broken_plugin_has_a_sentence_of_its_own() -> None:
    programs = {file.stem for file in BROKEN.glob("*.py") if not file.stem.startswith("sound_")}
    assert programs == set(SAID)
    assert len(programs) >= 15


def test_what_rests_on_a_broken_promise_is_not_asked() -> None:
    found = verdicts(check(BROKEN / "toru1_answers_without_status.py"))
    left_out = {name for name, (_, sentence) in found.items() if sentence.endswith("not asked, because of answers")}
    assert left_out >= {"methods", "paths", "bodies", "leaves", "garbage"}
    assert found["shutdown"][0] == found["sigterm"][0] == "passed"
