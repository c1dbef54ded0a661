"""One step of a benchmark, on the host that it measures; what it found is the last line of its output, as JSON."""

from __future__ import annotations

import faulthandler
import importlib
import json
import sys
from dataclasses import asdict

from tests.bench.measure import Asked, Step

STEP_WITHIN = 540


def main() -> None:
    faulthandler.dump_traceback_later(STEP_WITHIN, exit=True)  # what is stuck says where
    name, number, rounds, *others = sys.argv[1:]
    step: Step = importlib.import_module(f"tests.bench.{name}").STEPS[int(number)]
    part = step(Asked(rounds=int(rounds), verbose="--verbose" in others))
    print(json.dumps(asdict(part)))


if __name__ == "__main__":
    main()
