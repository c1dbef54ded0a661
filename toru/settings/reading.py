"""From files and environment to the policy in force, and where each of its values comes from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from toru.domain import places
from toru.domain.errors import InvalidSettings
from toru.domain.policy import Policy
from toru.settings.keys import VARIABLES, KeyPath, Mistake, policy_of, spelled, understood


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was said: on a line of a file, or in a variable of the environment; neither: it is the default."""

    file: Path | None = None
    line: int | None = None
    variable: str | None = None

    def __str__(self) -> str:
        if self.file is not None:
            return f"{self.file}" if self.line is None else f"{self.file}:{self.line}"
        return "default" if self.variable is None else f"{self.variable} in the environment"


DEFAULT = Origin()


class Settings:
    """What is in force. `read` are the files that there are, in the order in which they count."""

    def __init__(self, policy: Policy, read: Sequence[Path], said_by: Mapping[KeyPath, _Source]) -> None:
        self.policy = policy
        self.read = read
        self._said_by = said_by

    def rows(self) -> Iterator[tuple[KeyPath, Any, Origin]]:
        """Every key, its value as one may write it, and where it was said."""
        for path, value in spelled(self.policy).items():
            source = self._said_by.get(path)
            yield path, value, DEFAULT if source is None else source.origin(path)


def load_policy(
    main: Path = places.SETTINGS_FILE,
    drop_ins: Path = places.SETTINGS_DROP_INS,
    environment: Mapping[str, str] = os.environ,
) -> Policy:
    """The policy in force, or `InvalidSettings` with the file, the line and the key of the first mistake."""
    return read_settings(main, drop_ins, environment).policy


def read_settings(
    main: Path = places.SETTINGS_FILE,
    drop_ins: Path = places.SETTINGS_DROP_INS,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """The same, with where each value comes from."""
    values: dict[KeyPath, Any] = {}
    said_by: dict[KeyPath, _Source] = {}
    read: list[Path] = []
    for source in _sources(main, drop_ins, environment):
        said, mistakes = understood(source.content)
        if mistakes:
            raise source.refusal(mistakes[0])
        values |= said
        said_by |= dict.fromkeys(said, source)
        if source.file is not None:
            read.append(source.file)
    policy = policy_of(values)
    if (crossed := _crossed_delays(policy, said_by)) is not None:
        raise crossed
    return Settings(policy, read, said_by)


def mistakes_in(file: Path) -> list[InvalidSettings]:
    """Everything that is wrong in this file, taken for itself."""
    try:
        source = _of_file(file)
    except InvalidSettings as mistake:
        return [mistake]
    values, mistakes = understood(source.content)
    if mistakes:
        return [source.refusal(mistake) for mistake in mistakes]
    crossed = _crossed_delays(policy_of(values), dict.fromkeys(values, source))
    return [] if crossed is None else [crossed]


def mistakes_in_force(
    main: Path = places.SETTINGS_FILE,
    drop_ins: Path = places.SETTINGS_DROP_INS,
    environment: Mapping[str, str] = os.environ,
) -> list[InvalidSettings]:
    """Everything that is wrong in what counts, file by file; the first is what `load_policy` raises."""
    found: list[InvalidSettings] = []
    try:
        for source in _sources(main, drop_ins, environment):
            found += map(source.refusal, understood(source.content)[1])
        if not found:
            read_settings(main, drop_ins, environment)
    except InvalidSettings as mistake:
        found.append(mistake)
    return found


class _Source:
    """A file, or a variable of the environment."""

    def __init__(
        self, content: Mapping[str, Any], *, file: Path | None = None, text: str = "", variable: str | None = None
    ) -> None:
        self.content = content
        self.file = file
        self.variable = variable
        self._text = text

    def origin(self, path: KeyPath) -> Origin:
        if self.file is None:
            return Origin(variable=self.variable)
        from toru.settings.lines import line_of  # noqa: PLC0415  (for who asks where; toru-admin starts in 0.1 s)

        return Origin(file=self.file, line=line_of(path, self._lines))

    def refusal(self, mistake: Mistake) -> InvalidSettings:
        return _refusal(self.origin(mistake.path), mistake.sentence)

    @cached_property
    def _lines(self) -> Mapping[KeyPath, int]:
        from toru.settings.lines import lines_of_keys  # noqa: PLC0415  (for the same reason)

        return lines_of_keys(self._text)


def _sources(main: Path, drop_ins: Path, environment: Mapping[str, str]) -> Iterator[_Source]:
    """Everything that there is, each to count over the ones before."""
    try:
        found = sorted(path for path in drop_ins.iterdir() if path.match("*.toml"))
    except FileNotFoundError:
        found = []
    except OSError as error:
        raise _unreadable(drop_ins, error) from error
    for file in [main, *found]:
        try:
            yield _of_file(file)
        except InvalidSettings as mistake:
            if not isinstance(mistake.__cause__, FileNotFoundError):
                raise
    for variable, key in VARIABLES.items():
        if (text := environment.get(variable)) is not None:
            yield _Source({key: _as_toml(text)}, variable=variable)


def _of_file(file: Path) -> _Source:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error
    try:
        text = data.decode()
    except UnicodeDecodeError as mistake:
        line = data.count(b"\n", 0, mistake.start) + 1
        raise _refusal(Origin(file=file, line=line), "this is not UTF-8") from mistake
    try:
        return _Source(tomllib.loads(text), file=file, text=text)
    except tomllib.TOMLDecodeError as mistake:
        from toru.settings.lines import syntax_mistake  # noqa: PLC0415  (as above)

        line, sentence = syntax_mistake(text, mistake)
        raise _refusal(Origin(file=file, line=line), sentence) from mistake
    except RecursionError as mistake:
        raise _refusal(Origin(file=file), "it is nested too deeply") from mistake


def _as_toml(text: str) -> Any:
    """A variable, read as TOML where it can be, else as text: `TORU_AUTO_ENABLE=false` is `auto_enable = false`."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _crossed_delays(policy: Policy, said_by: Mapping[KeyPath, _Source]) -> InvalidSettings | None:
    """The one mistake that only the whole can have: the two may come from different files."""
    if policy.restart.max_delay >= policy.restart.first_delay:
        return None
    first, longest = ("restart", "first_delay"), ("restart", "max_delay")
    origins = {path: said_by[path].origin(path) if path in said_by else DEFAULT for path in (first, longest)}
    if origins[longest] == DEFAULT:
        rule = f"must not be above restart.max_delay, which is {policy.restart.max_delay} ({DEFAULT})"
        return _refusal(origins[first], f"restart.first_delay {rule}")
    rule = f"must not be below restart.first_delay, which is {policy.restart.first_delay} ({origins[first]})"
    return _refusal(origins[longest], f"restart.max_delay {rule}")


def _unreadable(path: Path, error: OSError) -> InvalidSettings:
    return _refusal(Origin(file=path), f"it can't be read: {error.strerror}")


def _refusal(origin: Origin, sentence: str) -> InvalidSettings:
    facts = {"file": origin.file and str(origin.file), "line": origin.line, "variable": origin.variable}
    return InvalidSettings(f"{origin}: {sentence}", **{name: fact for name, fact in facts.items() if fact is not None})
