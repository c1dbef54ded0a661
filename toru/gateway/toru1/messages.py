"""The messages of toru/1, as plugins in the field speak them (docs/protocol.md): what is sent, and every answer to it.

Where the published text and those plugins differ, the plugins count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from toru.domain import frames
from toru.gateway.toru1.large_json import Document, NotJson, Steps, base64_of, from_base64, read, string_of, unescaped

Headers = list[tuple[bytes, bytes]]


class NotAnAnswer(ValueError):
    """The plugin sent something else. The text completes "the plugin …"."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Headers
    body: bytes


# What the core says.


def request(  # noqa: PLR0913  (a request has these parts)
    *, request_id: str, method: str, path: str, headers: Iterable[tuple[bytes, bytes]], body: bytes, now: datetime
) -> Steps[bytes]:
    """An HTTP request, framed. ValueError, where that is more than a message may have."""
    said = b'"body":null'
    if body:
        try:
            said = b'"body":' + (yield from string_of(body))
        except UnicodeDecodeError:
            said = b'"body":null,"body_base64":' + (yield from base64_of(body))
    whole = _message(
        "http", request_id, {"method": method, "path": path, "headers": joined(headers), "body": None}, now
    )
    before, after = whole.rsplit(b'"body":null', 1)  # it stands last in what is innermost
    return frames.framed(b"".join((before, said, after)))


def kv(*, request_id: str, action: str, key: str, value: object = None, now: datetime) -> bytes:
    """A question to a plugin's own storage, framed; `action` is get, set or delete.

    Said in both spellings: Rust plugins read the capitalised, flat one, Python plugins the nested one.
    """
    facts = {"key": key} | ({"value": value} if action == "set" else {})
    flat = {"action": action.capitalize(), **facts}
    return frames.framed(_message("kv", request_id, {"action": action, **facts}, now, flat))


def _message(
    kind: str, request_id: str, payload: object, now: datetime, flat: Mapping[str, object] | None = None
) -> bytes:
    # Kind and id stand in the payload too: a Rust plugin closes the connection when they are missing there.
    inner = {"type": kind, "request_id": request_id, **(flat or {}), "payload": payload}
    message = {"type": kind, "timestamp": frames.timestamp(now), "request_id": request_id, "payload": inner}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """One text for each name, in lower case: plugins in the field close the connection when they meet a list."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.decode("latin-1").lower()
        text = _text(value)
        # RFC 9110, 5.3; cookies alone are joined by something else (RFC 9113, 8.2.3).
        found[key] = f"{found[key]}{'; ' if key == 'cookie' else ', '}{text}" if key in found else text
    return found


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


# What plugins say.


def answer(message: bytes, request_id: str) -> Steps[Answer | None]:
    """The answer to this request; None, where the message is about another one. `NotAnAnswer`, where it is none."""
    document = yield from _document(message, "sent something that is not a message")
    if (payload := _payload(document.value, request_id, "http")) is None:
        return None
    if "status" in payload:
        return (yield from _answer(document, payload))
    inside = yield from _inside(document, payload)
    return (yield from _answer(inside, inside.value))


def kv_answer(message: bytes, request_id: str) -> Steps[object]:
    """`{"value": …}` as the plugin said it; None, where the message is about another request."""
    document = yield from _document(message, "sent something that is not a message")
    kind = "http" if document.value.get("type") == "http" else "kv"  # some answer in http's clothes
    if (payload := _payload(document.value, request_id, kind)) is None:
        return None
    said = (yield from _inside(document, payload)).value if kind == "http" else payload
    if "value" not in said:
        raise NotAnAnswer("sent no value")
    return {"value": said["value"]}


def _document(text: bytes, otherwise: str) -> Steps[Document]:
    """A JSON object."""
    try:
        document = yield from read(text)
    except NotJson as breach:
        raise NotAnAnswer(f"{otherwise}: {breach}") from None
    if not isinstance(document.value, dict):
        raise NotAnAnswer(f"{otherwise}: no object")
    return document


def _payload(said: Mapping[str, Any], request_id: str, kind: str) -> dict[str, Any] | None:
    payload = said.get("payload")
    if not isinstance(payload, dict):
        raise NotAnAnswer("sent a message without a payload")
    ids = (said.get("request_id"), payload.get("request_id"))
    if any(one is not None and one != request_id for one in ids):
        return None
    if said.get("type") != kind:
        raise NotAnAnswer(f"sent a message of the type {said.get('type')!r:.80}, not {kind}")
    return payload


def _inside(document: Document, payload: Mapping[str, Any]) -> Steps[Document]:
    """What a Rust plugin answers: it has the shape of a request, with the answer as a JSON text in its body."""
    nested = payload.get("payload")
    if not isinstance(nested, dict) or not isinstance(nested.get("body_base64", nested.get("body")), str):
        raise NotAnAnswer("sent an answer without a status")
    text = yield from _body(document, nested)
    return (yield from _document(text, "sent an answer that is not JSON"))


def _answer(document: Document, said: Mapping[str, Any]) -> Steps[Answer]:
    if "status" not in said:
        raise NotAnAnswer("sent an answer without a status")
    status = said["status"]
    # 1xx announces an answer and can't be one (RFC 9110, 15.2).
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise NotAnAnswer(f"answered with the status {status!r:.80}")
    headers = list(_headers(document, said.get("headers")))
    return Answer(status, headers, (yield from _body(document, said)))


def _headers(document: Document, said: object) -> Iterator[tuple[bytes, bytes]]:
    if said is None:
        return
    if not isinstance(said, dict):
        raise NotAnAnswer("answered with headers that are not an object")
    for name, value in said.items():
        for one in value if isinstance(value, list) else [value]:
            if document.cut(one) is not None or document.cut(name) is not None:
                raise NotAnAnswer("answered with a header that is too long")
            # Numbers are common; what else can't be a header is left out.
            if isinstance(one, str | int | float) and not isinstance(one, bool):
                yield _bytes(name), _bytes(str(one))


def _body(document: Document, said: Mapping[str, Any]) -> Steps[bytes]:
    """The body; `body_base64` counts before `body`."""
    if (encoded := said.get("body_base64")) is not None:
        if not isinstance(encoded, str):
            raise NotAnAnswer("answered with a body_base64 that is no text")
        try:
            return (yield from from_base64((yield from _string(document, encoded))))
        except ValueError:
            raise NotAnAnswer("answered with a body_base64 that is not base64") from None
    match said.get("body"):
        case None:
            return b""
        case str(text):
            return (yield from _string(document, text))
        case dict() | list() as content:
            return _bytes(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
        case _:
            raise NotAnAnswer("answered with a body that is no text")


def _string(document: Document, text: str) -> Steps[bytes]:
    if (cut := document.cut(text)) is None:
        return _bytes(text)
    if not cut.is_string:
        return cut.text  # an array or object, which stands for its JSON
    try:
        return (yield from unescaped(cut))
    except NotJson:
        raise NotAnAnswer("answered with a text that is none") from None


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NotAnAnswer("answered with a text that is not Unicode") from None
