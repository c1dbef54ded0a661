from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.hosts.host import Host
from tests.system.toru import Toru

CHATTY = str(Path(__file__).with_name("chatty.py"))

HOSTILE_LINES = [
    "\x1b[31mred\x1b[0m and \x07bell",
    "over\rwritten",
    "\u202egnorw si siht",
    "[link=https://example.org]not markup[/link]",
    "日本語 and a\ttab",
]
# An entry that would pass for two, one that urges in words, one that has two messages.
HOSTILE_ENTRIES = [
    [["MESSAGE", "first\nJan 01 00:00:00  forged"], ["PRIORITY", "3"]],
    [["MESSAGE", "urgent"], ["PRIORITY", "very"]],
    [["MESSAGE", "one of two"], ["MESSAGE", "two of two"], ["PRIORITY", "3"], ["PRIORITY", "4"]],
]


@pytest.fixture(scope="package")
def shop(host: Host) -> Iterator[Toru]:
    """A host with a plugin of each sort. Tests leave it as it is."""
    toru = Toru(host)
    toru.settings("[restart]\nfirst_delay = 3600\nmax_delay = 3600\n")  # what has fallen lies still
    clock = {"name": "World clock", "icon": "🕐", "version": "2.1.0", "author": "Ann O’Nym"}
    toru.plant("clock", metadata=clock)
    toru.plant("field", "toru1.py", metadata={"name": "From the field", "sandbox": "trusted"})
    toru.plant("fallen", "odd.py", way="crashes at once", metadata={"protocol": "http"})
    toru.plant("asleep", metadata={"start": "on-demand"})
    toru.plant("off")
    hostile = {"name": "[red]loud[/red] :boom:", "icon": "👩‍💻", "protocol": "http"}
    toru.plant("hostile", CHATTY, metadata=hostile, lines=HOSTILE_LINES, entries=HOSTILE_ENTRIES)
    toru.drop("silent.binary", "#!/bin/sh\n")
    toru.scan()
    toru.disable("off")
    toru.wait_until("the fall", lambda: toru.service("fallen", "SubState")["SubState"] == "auto-restart")
    yield toru
    toru.clean_up()


@pytest.fixture(scope="package")
def toru(shop: Toru) -> Command:
    """The command, on a host with a plugin of each sort."""
    return Command(shop.host)
