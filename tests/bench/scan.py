"""Looking at 500 files."""

from __future__ import annotations

import os

from tests.bench.driver import hush, plant_small, run, uproot
from tests.bench.measure import Asked, Moments, Part, side_by_side, took
from toru.domain import places

TITLE = "Scan: 500 files"

COUNT = 500
NEW_ROUNDS = 2

CHECKSUMS = f'cd {places.PLUGINS}; for f in *.binary; do sha256sum "$f"; done'
ASK_ALL = f'cd {places.PLUGINS}; for f in *.binary; do sha256sum "$f"; "./$f" --metadata; done'
# The same sandbox by the same drop-ins, as many at once, and each a transient unit as well.
PROBE_ALL = (
    f"cd {places.PLUGINS}; ls *.binary | xargs -P4 -I@ systemd-run --quiet --wait --pipe --unit=toru-probe-@ "
    f"-p DynamicUser=yes {places.PLUGINS}/@ --metadata"
)


def measure(asked: Asked) -> Part:
    hush()
    # Bringing newcomers up is another matter.
    os.environ["TORU_AUTO_ENABLE"] = "false"

    def new() -> Moments:
        uproot()
        plant_small(COUNT)
        return {"500 new, toru-admin scan": took(lambda: run("toru-admin", "scan"))}

    def timed(row: str, script: str) -> Moments:
        return {row: took(lambda: run("sh", "-c", script))}

    fresh = side_by_side(
        NEW_ROUNDS,
        [
            new,
            lambda: timed("500 new, systemd-run for each", PROBE_ALL),
            lambda: timed("500 new, sha256sum and --metadata without any sandbox", ASK_ALL),
        ],
        {
            "500 new, toru-admin scan": "500 new, systemd-run for each",
            "500 new, systemd-run for each": "500 new, sha256sum and --metadata without any sandbox",
        },
    )
    unchanged = side_by_side(
        asked.rounds,
        [
            lambda: {"500 unchanged, toru-admin scan": took(lambda: run("toru-admin", "scan"))},
            lambda: timed("500 unchanged, sha256sum for each", CHECKSUMS),
            lambda: timed("500 unchanged, one sha256sum for all", f"cd {places.PLUGINS}; sha256sum *.binary"),
        ],
        {
            "500 unchanged, toru-admin scan": "500 unchanged, sha256sum for each",
            "500 unchanged, one sha256sum for all": "500 unchanged, sha256sum for each",
        },
    )
    return Part([*fresh, *unchanged], ["Files are small shell scripts, so that nearly all of a probe is its sandbox."])


STEPS = (measure,)
