"""What a handler raises to answer otherwise than well."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class Refusal(Exception):
    """Answers the request with this status, and with the reason as a problem of RFC 9457, as Toru's own errors are.

    `facts` are for programs: they are in the answer beside the reason.
    """

    def __init__(self, status: int, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        if not 400 <= status <= 599:
            raise ValueError(f"{status} is no refusal")
        self.status = status
        self.detail = detail
        self.facts = facts

    def problem(self) -> dict[str, Any]:
        try:
            title = HTTPStatus(self.status).phrase
        except ValueError:
            title = "Refused"
        problem = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return {**problem, "facts": self.facts} if self.facts else problem
