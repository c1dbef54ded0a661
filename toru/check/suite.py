"""Every check, as a table, and the run through them."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toru.check import faults, life, metadata, requests, streams
from toru.check.stage import SHUTDOWN_SECONDS, STOP_SECONDS, Stage, Terms
from toru.check.verdict import Broken, Outcome, Skipped, Verdict
from toru.domain.manifest import OUTPUT_LIMIT_BYTES, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise that a plugin makes, and how to find out whether it is kept."""

    name: str
    run: Callable[[Stage], Awaitable[None]]
    promise: str
    page: str
    """Below docs, with the section's anchor."""
    of: Collection[Protocol] = frozenset(Protocol)
    """The protocols that have it."""
    needs: tuple[str, ...] = ("answers",)
    """Where one of these is broken, this one would only say the same once more."""
    of_program: bool = False
    """Whether it is one of the program, and not of what listens already."""


HTTP, TORU_1, TORU_2 = frozenset({Protocol.HTTP}), frozenset({Protocol.TORU_1}), frozenset({Protocol.TORU_2})
STARTED = ("starts", "init", "hello")

CONTRACT, REQUESTS = "protocol.md#process-contract", "plugins.md#requests"


def _of_program(name: str, run: Callable[[Stage], Awaitable[None]], promise: str, page: str, **more: Any) -> Check:
    return Check(name=name, run=run, promise=promise, page=page, of_program=True, **({"needs": STARTED} | more))


def _of_requests(
    name: str, run: Callable[[Stage], Awaitable[None]], promise: str, page: str = REQUESTS, **more: Any
) -> Check:
    return Check(name=name, run=run, promise=promise, page=page, **more)


GROUPS: dict[str, tuple[Check, ...]] = {
    "metadata": (
        _of_program("file", metadata.executable, "everybody may run the file", "plugins.md#rejected-files", needs=()),
        _of_program(
            "metadata-ends", metadata.ends, f"with --metadata it exits 0 within {metadata.SECONDS:g} seconds",
            "plugins.md#metadata", needs=("file",)),
        _of_program(
            "metadata-valid", metadata.valid,
            f"its metadata keep every rule: {OUTPUT_LIMIT_BYTES >> 10} KiB of JSON at most, and nothing else",
            "plugins.md#metadata", needs=("metadata-ends",)),
    ),
    "start": (
        _of_program("starts", life.starts, "it starts", CONTRACT, needs=("metadata-valid",)),
        _of_program(
            "init", life.init, "it goes on after init", "protocol.md#lifecycle-core-to-plugin-no-answer",
            of=TORU_1, needs=("starts",)),
        _of_requests(
            "hello", streams.hello, "it answers hello", "protocol.md#hello", of=TORU_2, needs=("starts",)),
        _of_requests("answers", requests.answers, "it answers a request", needs=STARTED),
    ),
    "requests": (
        _of_requests(
            "framing", requests.framing, "its answers end where they say", "protocol.md#http-plugins", of=HTTP),
        _of_requests("methods", requests.methods, "it answers every method"),
        _of_requests("paths", requests.paths, "it answers every path, percent-encodings and all"),
        _of_requests("query", requests.long_query, "it answers a long query"),
        _of_requests("headers", requests.headers, "it answers requests with odd, long and repeated headers"),
        _of_requests("bodies", requests.bodies, "it answers requests with bodies of any bytes"),
        _of_requests(
            "chunked", requests.chunked, "it answers a request whose body comes in chunks", of=HTTP,
            needs=("answers", "framing")),
        _of_requests("large", requests.large, "it answers a request with a large body", of=HTTP | TORU_2),
        _of_requests(
            "largest", requests.largest, "it answers a request as large as a message may be", "protocol.md#framing",
            of=TORU_1),
        _of_requests("head", requests.head, "it answers HEAD, without a body"),
        _of_requests(
            "unknown-keys", streams.unknown_1, "it ignores keys and actions that it doesn't know",
            "protocol.md#messages", of=TORU_1),
        _of_requests(
            "unknown-messages", streams.unknown, "it ignores messages and keys that it doesn't know",
            "protocol.md#messages-of-toru2", of=TORU_2),
    ),
    "together": (
        _of_requests("at-once", requests.at_once, "it answers several requests at once", "plugins.md#protocols"),
        _of_requests("kept", requests.kept, "a connection that is kept open holds up nobody else", of=HTTP),
        _of_requests(
            "slow-client", requests.slow_client, "a client that is slow holds up nobody else", of=HTTP | TORU_2,
            needs=("answers", "kept")),
        _of_requests(
            "credit", streams.credit, "it sends what it has credit for, and holds up no other body",
            "protocol.md#credit", of=TORU_2, needs=("answers", "slow-client")),
        _of_requests(
            "pushes", streams.pushes, "what it pushes keeps the rules", "protocol.md#push", of=TORU_2),
    ),
    "faults": (
        _of_requests("leaves", faults.leave, "a client that leaves harms nobody else"),
        _of_requests("silence", faults.silence, "a connection without a message harms nobody", CONTRACT),
        _of_requests(
            "cut-off", faults.cut_off, "a connection that breaks off harms nobody else",
            "protocol.md#limits-and-errors-of-toru2", of=TORU_2),
        _of_requests(
            "garbage", faults.garbage, "what is no message ends its own connection at most", "protocol.md#framing",
            of=TORU_1 | HTTP),
        _of_requests(
            "breaches", faults.breaches, "who breaks a rule is told goodbye with the code protocol",
            "protocol.md#limits-and-errors-of-toru2", of=TORU_2),
        _of_requests(
            "version", streams.version, "who speaks no version of its own is told goodbye with the code version",
            "protocol.md#hello", of=TORU_2),
    ),
    "end": (
        _of_program(
            "shutdown", life.shutdown, f"shutdown ends it with exit status 0 within {SHUTDOWN_SECONDS:g} seconds",
            CONTRACT, of=TORU_1),
        _of_program(
            "again", life.again, "it listens again where an earlier process left its socket", CONTRACT, of=TORU_1),
        _of_program(
            "goodbye", streams.goodbye, "on SIGTERM it says goodbye with the code stopping, and ends",
            "protocol.md#goodbye", of=TORU_2, needs=("answers",)),
        _of_program(
            "sigterm", life.sigterm, f"SIGTERM ends it well within {STOP_SECONDS:g} seconds",
            "plugins.md#when-it-fails"),
    ),
    "later": (
        _of_program(
            "sleeps", life.sleeps, "without requests for idle_timeout it exits 0, and the next one wakes it",
            "plugins.md#sleeping-and-waking", needs=("answers",)),
        _of_program(
            "watchdog", life.watchdog, "it sends WATCHDOG=1 as often as its watchdog wants", "plugins.md#watchdog"),
        _of_program(
            "log", life.log, "what it writes is UTF-8, with levels from <0> to <7> and JSON that is JSON",
            "plugins.md#logging"),
    ),
}  # fmt: skip

CHECKS = tuple(check for group in GROUPS.values() for check in group)

TRIES = 5
"""For a plugin that sleeps soon, and may do so between two requests of a check."""

Tell = Callable[[Verdict], None]


@contextmanager
def stage_for_file(file: Path, terms: Terms) -> Iterator[Stage]:
    """Where it keeps its data meanwhile is gone afterwards."""
    usual = tempfile.gettempdir()
    # A socket's path may have 107 bytes (unix(7)).
    with tempfile.TemporaryDirectory(prefix="toru-check-", dir=usual if len(usual) < 60 else "/tmp") as place:  # noqa: S108  (0700)
        yield Stage(terms, file=file, place=Path(place))


async def run(stage: Stage, names: Collection[str], tell: Tell) -> list[Verdict]:
    """Every check of these names, and those that they need, in order. `tell` hears each verdict as it is known."""
    wanted = _with_needs(names)
    verdicts: list[Verdict] = []
    because: dict[str, str] = {}
    try:
        for group, checks in GROUPS.items():
            for check in checks:
                if check.name in wanted and _applies(check, stage):
                    outcome, found = await _outcome(check, stage, because)
                    verdict = Verdict(
                        check=check.name,
                        group=group,
                        outcome=outcome,
                        promise=check.promise,
                        found=found,
                        page=check.page,
                    )
                    verdicts.append(verdict)
                    tell(verdict)
    finally:
        await stage.close()
    return verdicts


def _with_needs(names: Collection[str]) -> set[str]:
    needs = {check.name: check.needs for check in CHECKS}
    wanted: set[str] = set()
    wanting = list(names)
    while wanting:
        name = wanting.pop()
        if name not in wanted:
            wanted.add(name)
            wanting += needs[name]
    return wanted


def _applies(check: Check, stage: Stage) -> bool:
    if stage.file is None:
        return not check.of_program and stage.protocol in check.of
    # What it speaks isn't known before it has said so.
    return stage.protocol in check.of or (stage.manifest is None and check in GROUPS["metadata"])


async def _outcome(check: Check, stage: Stage, because: dict[str, str]) -> tuple[Outcome, str | None]:
    """What a check comes to. `because`: of those that failed or were not made, by which failure."""
    for needed in check.needs:
        if needed in because:
            because[check.name] = because[needed]
            return Outcome.SKIPPED, f"not asked, because of {because[needed]}"
    found = ""
    for _ in range(TRIES):
        try:
            if stage.program is not None and check.name != "starts":
                await stage.up()
        except Broken as broken:
            return Outcome.SKIPPED, f"not asked, because it did not start again: {broken}"
        try:
            await check.run(stage)
        except Skipped as skipped:
            return Outcome.SKIPPED, str(skipped)
        except Broken as broken:
            found = str(broken)
        else:
            return Outcome.PASSED, None
        if not await stage.slept():
            break
    because[check.name] = check.name
    return Outcome.FAILED, found
