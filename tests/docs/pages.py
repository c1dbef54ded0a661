"""The pages a reader has, cut into what can be checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
PAGES = (
    *("README.md", "ARCHITECTURE.md", "CHANGELOG.md"),
    *("docs/plugins.md", "docs/sdk-python.md", "docs/api.md", "docs/manager.md", "docs/ops.md", "docs/proxy.md"),
    *("docs/protocol.md", "docs/development.md", "docs/performance.md"),
    *(str(page.relative_to(TREE)) for page in sorted(TREE.glob("examples/*/README.md"))),
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SAVED_AS = re.compile(r"[Ss]ave (?:it|this) as `([\w.-]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    heading: str
    language: str
    text: str
    saved_as: str | None
    """The file that the words before the block tell the reader to make of it."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def text_of(page: str) -> str:
    return (TREE / page).read_text(encoding="utf-8")


def prose_of(page: str) -> str:
    """The page without its blocks."""
    return _FENCE.sub("", text_of(page))


def blocks(*languages: str, page: str | None = None, heading: str | None = None) -> list[Block]:
    """The blocks in these languages, in the order of reading."""
    found = [block for name in PAGES if page in {None, name} for block in _blocks_of(name)]
    return [block for block in found if block.language in languages and heading in {None, block.heading}]


def headings_of(page: str) -> list[str]:
    return _HEADING.findall(prose_of(page))


def section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    text = text_of(page)
    # A comment in a block is no heading.
    bare = _FENCE.sub(lambda block: " " * len(block[0]), text)
    start = re.search(rf"^#+ {re.escape(heading)}\n", bare, re.MULTILINE)
    assert start, f"{page} has no heading {heading!r}"
    end = _HEADING.search(bare, start.end())
    return text[start.end() : end.start() if end else None]


def rows(text: str) -> list[list[str]]:
    """The rows of the tables in a text, cell by cell, without their heads."""
    cells = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    bodies: list[list[str]] = []
    for number, row in enumerate(cells):
        is_rule = set("".join(row).strip()) <= {"-"} and "".join(row).strip() != ""
        is_head = number + 1 < len(cells) and set("".join(cells[number + 1])) <= {"-"}
        if not is_rule and not is_head:
            bodies.append([cell.strip() for cell in row])
    return bodies


def spans(text: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`\n]+)`", text)


def _blocks_of(page: str) -> Iterator[Block]:
    text = text_of(page)
    end = 0
    for fence in _FENCE.finditer(text):
        before = text[end : fence.start()]
        headings = _HEADING.findall(_FENCE.sub("", text[: fence.start()]))
        saved = _SAVED_AS.findall(before)
        yield Block(
            page=page,
            line=text[: fence.start()].count("\n") + 1,
            heading=headings[-1] if headings else "",
            language=fence[1],
            text=fence[2],
            saved_as=saved[-1] if saved else None,
        )
        end = fence.end()
