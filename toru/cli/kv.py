"""`toru kv`: what plugins keep."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, Id
from toru.cli.groups import group
from toru.cli.refusals import NoEntry, WrongUsage

if TYPE_CHECKING:
    from toru.cli.way import Row

Key = Annotated[str, typer.Argument(metavar="KEY", help="Under which it is kept.", show_default=False)]

ABOUT = """\
What plugins keep: their keys and values.

For root and members of toru-admin, while the core is up.
"""


def commands(markup: Literal["rich"] | None) -> typer.Typer:
    """`toru kv` and its commands."""
    app = group(markup, ABOUT)
    app.command("list")(list_)
    app.command("get")(get)
    app.command("set")(set_)
    app.command("delete")(delete)
    return app


def list_(
    plugin_id: Id,
    *,
    prefix: Annotated[str, typer.Option(help="Only keys that begin so.", show_default=False)] = "",
    as_json: AsJson = False,
) -> None:
    """Everything that a plugin keeps, by key.

    In a pipe, parted by tabs: key, value as JSON, expiry.
    """
    entries = _entries(plugin_id, prefix)
    if as_json:
        output.put_json({"entries": list(entries)})
    elif output.people_watch():
        from toru.cli import listings

        output.put_rich(listings.entries([(row["key"], _json(row["value"]), _expiry(row)) for row in entries]))
    else:
        for row in entries:
            output.put_fields(row["key"], _json(row["value"]), _expiry(row))


def get(plugin_id: Id, key: Key, *, as_json: AsJson = False) -> None:
    """The value under a key, as JSON.

    With --json, the whole entry. Exit status 1, if there is none.
    """
    # Of all keys that begin so, the key itself is the first.
    row = next(_entries(plugin_id, key, at_most=1), None)
    if row is None or row["key"] != key:
        raise NoEntry(f"{plugin_id} keeps nothing under {key}")
    if as_json:
        output.put_json(row)
    else:
        output.put(_json(row["value"]))


def set_(  # noqa: PLR0913  (one for each argument and option)
    plugin_id: Id,
    key: Key,
    value: Annotated[
        str | None, typer.Argument(metavar="[VALUE]", help="JSON. Default: what standard input says.")
    ] = None,
    *,
    text: Annotated[bool, typer.Option("--text", help="The value is a text, as it stands.")] = False,
    ttl: Annotated[
        float | None, typer.Option(help="Seconds after which it is gone. Default: it stays.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep a value under a key, in the place of any other."""
    content = _value(_from_input() if value is None else value, is_text=text)
    asked = {"action": "set", "key": key, "value": content, **({} if ttl is None else {"ttl": ttl})}
    _post(plugin_id, asked)
    _tell(plugin_id, key, "kept", as_json=as_json)


def delete(plugin_id: Id, key: Key, *, as_json: AsJson = False) -> None:
    """Keep nothing under a key. No error, if nothing was."""
    _post(plugin_id, {"action": "delete", "key": key})
    _tell(plugin_id, key, "deleted", as_json=as_json)


def _entries(plugin_id: str, prefix: str, at_most: int | None = None) -> Iterator[Row]:
    from toru.cli import api

    after: str | None = None
    while True:
        page = _asked("GET", plugin_id, api.query(prefix=prefix, after=after, limit=at_most))
        yield from page["entries"]
        if at_most is not None or (after := page["next"]) is None:
            return


def _post(plugin_id: str, body: Row) -> None:
    _asked("POST", plugin_id, "", body)


def _asked(method: str, plugin_id: str, query: str, body: Row | None = None) -> Any:
    from toru.cli.by_core import ask_of
    from toru.cli.way import checked_id

    return ask_of(checked_id(plugin_id), f"/kv{query}", body, method=method)


def _from_input() -> str:
    if os.isatty(0):
        raise WrongUsage("the value comes as VALUE, or on standard input")
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as mistake:
        raise WrongUsage("what standard input says is not UTF-8") from mistake


def _value(said: str, *, is_text: bool) -> Any:
    if is_text:
        return said
    try:
        return json.loads(said, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise WrongUsage('the value is not JSON: a text has quotes ("…"), or --text before it') from None


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _json(value: Any) -> str:
    """For people in their own letters; in a pipe, where it must stay JSON whatever is in it, in ASCII."""
    if output.people_watch():
        return output.printable(json.dumps(value, ensure_ascii=False))
    return json.dumps(value)


def _expiry(row: Row) -> str:
    ends = row["expires_at"]
    return "never" if ends is None else datetime.fromtimestamp(ends, UTC).astimezone().isoformat(timespec="seconds")


def _tell(plugin_id: str, key: str, what: str, *, as_json: bool) -> None:
    if as_json:
        output.put_json({"id": plugin_id, "key": key, "done": what})
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(tables.done(key, f"is {what}", None))
    else:
        output.put_fields(plugin_id, key, what)
