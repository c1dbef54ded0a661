"""What must not differ, and what may: the rules that the gateway's documentation gives, and no others."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from tests.gateway.conformance.case import Way

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
"""Of one connection, not of the message (RFC 9110 section 7.6.1). How a body is framed is seen in the body."""

OF_TORU = {
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-toru-request-id",
    "x-toru-role",
    "x-toru-user",
}
"""What it tells the plugin of the client."""

OF_THE_CASE = {"x-case", "x-says"}


def as_client_saw(seen: Any) -> Any:
    return [_answer(said) if isinstance(said, dict) and "status" in said else said for said in seen]


def _answer(said: dict[str, Any]) -> Any:
    headers = said["headers"]
    if ["content-type", "application/problem+json"] in headers:
        return {"refused": said["status"]}
    shown = {"status": said["status"], "reason": said["reason"], "headers": _kept(headers)}
    if "interim" in said:
        shown["interim"] = [{"status": each["status"], "headers": _kept(each["headers"])} for each in said["interim"]]
    if "body" in said:
        shown["body"] = _body(said["body"])
    return shown


def as_plugin_saw(records: Any, way: Way) -> Any:
    return [_record(record, way) for record in records]


def _record(record: dict[str, Any], way: Way) -> Any:
    method, target, _version = record["request"]
    # How a body is framed, and whether its sender still waits to be told to send it, is between two neighbours.
    dropped = HOP_BY_HOP | OF_THE_CASE | {"content-length", "expect"}
    headers = [[name, value] for name, value in record["headers"] if name not in dropped]
    if way.prefix:
        told = {name for name, _ in headers if name in OF_TORU}
        assert told == OF_TORU, f"Toru told the plugin {sorted(told)}"
        assert sum(name in OF_TORU for name, _ in headers) == len(OF_TORU), headers
        headers = [[name, value] for name, value in headers if name not in OF_TORU]
    # One field or several say the same, and only of one the plugin can be sure (RFC 6265 section 5.4).
    if cookies := [value for name, value in headers if name == "cookie"]:
        headers = [[name, value] for name, value in headers if name != "cookie"] + [["cookie", "; ".join(cookies)]]
    seen = {**record, "request": [method, target], "headers": sorted(headers, key=itemgetter(0))}
    for part in ("body", "some"):
        if part in seen:
            seen[part] = _body(seen[part])
    return seen


def _body(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "trailers"}


def _kept(headers: list[list[str]]) -> list[list[str]]:
    """The order counts among headers of one name (RFC 9110 section 5.3)."""
    return sorted((header for header in headers if header[0] not in HOP_BY_HOP), key=itemgetter(0))


def as_opened(seen: Any) -> Any:
    """The same of a WebSocket: that the connection is one now is part of the answer."""
    for said in seen:
        if isinstance(said, dict) and said.get("status") == 101:
            of_connection = {
                name: value.lower() for name, value in said["headers"] if name in {"connection", "upgrade"}
            }
            assert of_connection == {"connection": "upgrade", "upgrade": "websocket"}
        if isinstance(said, dict) and "headers" in said:
            said["headers"] = [header for header in said["headers"] if header[0] != "date"]
    return as_client_saw(seen)
