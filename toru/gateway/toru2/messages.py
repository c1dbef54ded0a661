"""The messages of toru/2 (docs/protocol.md): what the core says, and what a plugin may say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from toru.gateway.toru2.frames import HIGHEST_ID, Breach, message

VERSION = 2
MOST_CREDIT = 2**31 - 1
MOST_REQUESTS = 10_000
TYPES = frozenset({"lifecycle", "http", "credit", "cancel", "push"})
LARGEST_PUSH = 16_384
"""Characters of its data, as JSON without white space."""

_EVENT = re.compile(r"[A-Za-z0-9._~-]{1,64}")

Headers = list[tuple[bytes, bytes]]


class BadAnswer(Exception):
    """What the plugin answers can't be an answer. The text completes "the plugin …"."""


class BadPush(Exception):
    """What the plugin pushes can't be shown. The text completes "the plugin …"."""


@dataclass(frozen=True, slots=True)
class Hello:
    credit: int
    connection_credit: int
    requests: int


@dataclass(frozen=True, slots=True)
class Goodbye:
    code: str
    last_request_id: int
    """Of those that the plugin has begun. What came later it has not."""
    reason: str

    @property
    def is_final(self) -> bool:
        """Whether nothing that is under way comes to its end."""
        return self.code in {"version", "protocol"}


@dataclass(frozen=True, slots=True)
class Head:
    """Of an answer."""

    status: int
    headers: Headers
    has_body: bool
    length: int | None
    """That the body must have; None: as long as it lasts."""


@dataclass(frozen=True, slots=True)
class Push:
    name: str
    data: str
    """JSON."""


# What the core says.


def hello(*, credit: int, connection_credit: int) -> bytes:
    said = {"action": "hello", "versions": [VERSION], "credit": credit, "connection_credit": connection_credit}
    return message({"type": "lifecycle", "payload": said})


def goodbye(code: str, reason: str) -> bytes:
    return message({"type": "lifecycle", "payload": {"action": "goodbye", "code": code, "reason": reason[:1000]}})


def request(request_id: int, method: bytes, path: bytes, headers: Headers, *, has_body: bool) -> bytes:
    """ValueError, where the head is longer than a message may be."""
    lists: dict[str, list[str]] = {}
    for name, value in headers:
        lists.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    said = {"method": method.decode("latin-1"), "path": path.decode("latin-1"), "headers": lists, "body": has_body}
    return message({"type": "http", "request_id": request_id, "payload": said})


def credit(request_id: int | None, count: int) -> bytes:
    """So many bytes more of one body, or of all (None)."""
    return message({"type": "credit", "request_id": request_id, "payload": {"bytes": count}})


def cancel(request_id: int, reason: str) -> bytes:
    return message({"type": "cancel", "request_id": request_id, "payload": {"reason": reason[:1000]}})


# What the plugin says.


def type_of(said: Mapping[str, Any]) -> str:
    kind = said.get("type")
    if not isinstance(kind, str):
        raise Breach("a message without a type")
    return kind


def payload_of(said: Mapping[str, Any]) -> Mapping[str, Any]:
    payload = said.get("payload")
    if not isinstance(payload, dict):
        raise Breach("a message without a payload")
    return payload


def id_of(said: Mapping[str, Any]) -> int:
    request_id = said.get("request_id")
    if not _is_number(request_id, 1, HIGHEST_ID):
        raise Breach(f"a {said.get('type')!r:.80} without a request_id")
    return request_id


def hello_of(payload: Mapping[str, Any]) -> Hello:
    if payload.get("version") != VERSION or isinstance(payload["version"], bool):
        raise Breach(f"a hello with the version {payload.get('version')!r:.80}")
    return Hello(
        credit=_number(payload, "credit", most=MOST_CREDIT, default=65_536),
        connection_credit=_number(payload, "connection_credit", most=MOST_CREDIT, default=1_048_576),
        requests=_number(payload, "requests", most=MOST_REQUESTS, default=100),
    )


def goodbye_of(payload: Mapping[str, Any]) -> Goodbye:
    last = payload.get("last_request_id")
    if last is not None and not _is_number(last, 0, HIGHEST_ID):
        raise Breach("a goodbye with a last_request_id that is none")
    return Goodbye(_text(payload, "code"), HIGHEST_ID if last is None else last, _text(payload, "reason"))


def credit_of(payload: Mapping[str, Any]) -> int:
    return _number(payload, "bytes", most=MOST_CREDIT)


def reason_of(payload: Mapping[str, Any]) -> str:
    return _text(payload, "reason")


def head_of(payload: Mapping[str, Any], *, to_head: bool) -> Head:
    """The answer's head, `to_head`: to a HEAD request. `BadAnswer`, where it can't be one."""
    status, has_body = payload.get("status"), payload.get("body")
    if not _is_number(status, 200, 599):
        raise BadAnswer(f"answered with the status {status!r:.80}")
    if not isinstance(has_body, bool):
        raise BadAnswer("answered without saying whether there is a body")
    headers = list(_headers(payload.get("headers", {})))
    said = {value for name, value in headers if name == b"content-length"}
    if len(said) > 1 or any(not (value.isdigit() and len(value) < 20) for value in said):
        raise BadAnswer("answered with a content-length that is none")
    length = int(said.pop()) if said else None
    if to_head or status in {204, 304}:
        if has_body:
            raise BadAnswer("announced a body where there can be none")
    elif not has_body:
        if length:
            raise BadAnswer(f"announced {length} bytes and no body")
        length = 0
    return Head(status, headers, has_body, length)


def push_of(payload: Mapping[str, Any]) -> Push:
    name = payload.get("name")
    if not isinstance(name, str) or not _EVENT.fullmatch(name):
        raise BadPush(f"pushed an event with the name {name!r:.80}")
    if "data" not in payload:
        raise BadPush("pushed an event without data")
    try:
        length = len(_json(payload["data"], ensure_ascii=False))
        if length > LARGEST_PUSH:
            raise BadPush(f"pushed {length} characters, which is over the limit of {LARGEST_PUSH}")
        return Push(name, _json(payload["data"]))
    except ValueError:
        raise BadPush("pushed a number that is too large") from None  # 1e999 is JSON, but becomes infinity
    except RecursionError:
        raise BadPush("pushed data that is nested too deeply") from None


def _json(data: object, *, ensure_ascii: bool = True) -> str:
    return json.dumps(data, ensure_ascii=ensure_ascii, allow_nan=False, separators=(",", ":"))


def _headers(said: object) -> Iterable[tuple[bytes, bytes]]:
    if not isinstance(said, dict):
        raise BadAnswer("answered with headers that are no object")
    for name, values in said.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise BadAnswer(f"answered with a header {name!r:.80} that is no list of texts")
        for value in values:
            try:
                yield name.lower().encode("ascii"), value.encode("latin-1")
            except UnicodeEncodeError:
                raise BadAnswer(f"answered with a header {name!r:.80} that has more than bytes in it") from None


def _number(payload: Mapping[str, Any], name: str, *, most: int, default: int | None = None) -> int:
    value = payload.get(name, default)
    if not _is_number(value, 1, most):
        raise Breach(f"{name} is {value!r:.80}, no whole number from 1 to {most}")
    return value


def _is_number(value: object, least: int, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name, "")
    if not isinstance(value, str):
        raise Breach(f"{name} is no text")
    return value
