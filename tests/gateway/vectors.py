"""The test vectors of docs/protocol.md, as the tests here read them."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

VECTORS = Path(__file__).parents[1] / "vectors"

T = TypeVar("T")


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def named(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """For pytest.mark.parametrize(**named(…))."""
    return {"argnames": "case", "argvalues": cases, "ids": [case["name"] for case in cases]}


def bytes_of(case: dict[str, Any]) -> bytes:
    """What its `hex` says, and its `tail` as often as that says."""
    tail = case.get("tail", {"hex": "", "times": 0})
    times: int = tail["times"]
    return bytes.fromhex(case["hex"]) + bytes.fromhex(tail["hex"]) * times


def at_once(steps: Generator[None, None, T]) -> T:
    """The result of work that is done in steps."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
