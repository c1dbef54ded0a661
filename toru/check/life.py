"""Checks of starting, stopping, sleeping, and of what is written on the way."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from datetime import UTC, datetime
from typing import Any

from toru.check.program import LONGEST_LINE, ended_well, how_it_ended
from toru.check.stage import SHUTDOWN_SECONDS, STOP_SECONDS, Stage
from toru.check.verdict import Broken, Skipped
from toru.domain import frames
from toru.domain.levels import LEVELS
from toru.domain.loglines import LONGEST_JSON

IDLE_GRACE_SECONDS = 10.0
"""It needn't be to the second."""

_LEVEL = re.compile(rb"<(\d+)>")


async def starts(stage: Stage) -> None:
    stage.running.read_line = wrong_with
    await stage.running.start()
    await stage.come_up()


async def init(stage: Stage) -> None:
    await stage.greet()
    try:
        await stage.ask(stage.ask_for())
    except Broken as broken:
        if stage.running.ended.done():
            raise Broken(f"the program {how_it_ended(stage.running.ended.result())}") from broken
        # It is there. What is wrong with its answers, the next check says.


async def shutdown(stage: Stage) -> None:
    message = frames.shutdown(now=datetime.now(UTC))
    await stage.toru1.say(message)
    code = await stage.end_within(SHUTDOWN_SECONDS, "shutdown")
    if code != 0:
        raise Broken(f"it {how_it_ended(code)}")


async def again(stage: Stage) -> None:
    """As where a program is run by hand, after one that was killed."""
    await stage.running.kill()
    stage.running.leave_a_socket()
    await stage.running.start(over_leftovers=True)
    await stage.come_up()
    await stage.greet()


async def sigterm(stage: Stage) -> None:
    await stage.way.close()
    stage.running.signal(signal.SIGTERM)
    code = await stage.end_within(STOP_SECONDS, "SIGTERM")
    if not ended_well(code):
        raise Broken(f"it {how_it_ended(code)}")


async def sleeps(stage: Stage) -> None:
    seconds = None if stage.manifest is None else stage.manifest.idle_timeout
    if seconds is None:
        raise Skipped("its metadata have no idle_timeout")
    if seconds > stage.terms.patience:
        raise Skipped(f"its idle_timeout of {seconds:g} s is longer than --patience")
    await stage.way.close()
    code = await stage.end_within(seconds + IDLE_GRACE_SECONDS, "the last request")
    if code != 0:
        raise Broken(f"it {how_it_ended(code)}")
    await stage.up()
    await stage.ask(stage.ask_for(note="after it slept"))


async def watchdog(stage: Stage) -> None:
    seconds = None if stage.manifest is None else stage.manifest.watchdog
    if seconds is None:
        raise Skipped("its metadata have no watchdog")
    if seconds > stage.terms.patience:
        raise Skipped(f"its watchdog of {seconds:g} s is longer than --patience")
    for _ in range(2):  # a first one may come with READY=1, and be the only one
        stage.running.pinged.clear()
        ping: asyncio.Future[Any] = asyncio.ensure_future(stage.running.pinged.wait())
        try:
            await asyncio.wait({ping, stage.running.ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if stage.running.ended.done():
                raise Broken(f"the program {how_it_ended(stage.running.ended.result())}")
            if not ping.done():
                raise Broken(f"{seconds:g} seconds went by without one")
        finally:
            ping.cancel()


async def log(stage: Stage) -> None:
    """Over all runs."""
    if stage.running.bad_line is not None:
        raise Broken(stage.running.bad_line)
    if not stage.running.log:
        raise Skipped("it wrote none")


def wrong_with(line: bytes) -> str | None:
    """What keeps a line from being understood as it is meant (docs/plugins.md, "Logging")."""
    shown = repr(line[:60].decode(errors="replace"))
    if len(line) > LONGEST_LINE:
        return f"a line that begins with {shown} has more than {LONGEST_LINE} bytes, where journald cuts it"
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return f"the line {shown} is not UTF-8"
    if (level := _LEVEL.match(line)) is not None:
        if int(level[1]) >= len(LEVELS):
            return f"the line {shown} begins with a level that there is not"
        text = text[level.end() :]
    if text.startswith("{") and len(text) <= LONGEST_JSON:
        try:
            json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return f"the line {shown} looks like JSON and is none"
    return None


def _refuse(word: str) -> None:
    raise ValueError(word)
