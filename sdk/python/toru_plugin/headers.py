"""Header fields: names without regard to case, each with one value or several, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Union

HeadersLike = Union["Headers", Mapping[str, Union[str, Iterable[str]]], Iterable[tuple[str, str]]]

# What HTTP can say (RFC 9110, section 5): no line may begin within a value.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class Headers:
    """`headers["name"]` is the first value; `headers.all("name")` every one."""

    __slots__ = ("_lists",)

    def __init__(self, said: HeadersLike = ()) -> None:
        """ValueError, where something can't be a header."""
        self._lists: dict[str, list[str]] = {}
        if isinstance(said, Headers):
            self._lists = {name: list(values) for name, values in said._lists.items()}  # noqa: SLF001  (of its own class)
        elif isinstance(said, Mapping):
            for name, value in said.items():
                for each in (value,) if isinstance(value, str) else value:
                    self.add(name, each)
        else:
            for name, value in said:
                self.add(name, value)

    @classmethod
    def of_wire(cls, lists: dict[str, list[str]]) -> Headers:
        """Lower-case names and lists of values, taken as they are."""
        headers = cls()
        headers._lists = lists
        return headers

    def add(self, name: str, value: str) -> None:
        """One more value, behind those that there are."""
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"not a header: {name!r:.80}: {value!r:.80}")
        self._lists.setdefault(name.lower(), []).append(value)

    def get(self, name: str, default: str | None = None) -> str | None:
        values = self._lists.get(name.lower())
        return values[0] if values else default

    def all(self, name: str) -> list[str]:
        return list(self._lists.get(name.lower(), ()))

    def lists(self) -> dict[str, list[str]]:
        """By name, which is lower-case."""
        return self._lists

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        """In place of those that there are."""
        self._lists.pop(name.lower(), None)
        self.add(name, value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._lists

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Every name with each of its values."""
        for name, values in self._lists.items():
            for value in values:
                yield name, value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._lists == other._lists

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({self._lists!r})"
