"""What schemathesis can't know of Toru: how an admin gets in again, and rules that JSON Schema has no words for."""

from __future__ import annotations

import os
from typing import Any

import httpx
import schemathesis

NAME, PASSWORD = "fuzz", "Correct-Horse-1"

# What is refused though it looks right. The words of the refusal, and why the document can't say so.
BEYOND_THE_SCHEMA = {
    "a password has at least": "of three kinds of characters: no pattern that anybody could read",
    "a token expires in the future": "which moves",
    "has 100 tokens already": "what there is already",
    "pages end after": "two numbers multiplied",
    "this cursor is none of the journal's": "only the journal knows its own",
    "bytes, and 512 are the most": "bytes, where JSON Schema counts characters",
}


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """Whether it is one."""
    if failure.code != "ST202":  # a request that looks right was refused
        return True
    return not any(words in response.json()["detail"] for words in BEYOND_THE_SCHEMA)


CLIENT = httpx.Client(trust_env=False, timeout=30)


class Admin:
    """Signed in. Among what is asked is to disable, demote and remove this admin, and to sign out."""

    def __init__(self) -> None:
        self._session = ""

    def get(self, _case: Any, _context: Any) -> str:
        me = as_root("GET", "/api/auth/me", cookies={"session_id": self._session})
        if me.status_code != 200 or me.json()["role"] != "admin":
            self._sign_in()
        return self._session

    def set(self, case: Any, session: str, _context: Any) -> None:
        case.cookies = {**(case.cookies or {}), "session_id": session}

    def _sign_in(self) -> None:
        wanted = {"role": "admin", "disabled": False, "password": PASSWORD}
        if as_root("PATCH", f"/api/users/{NAME}", json=wanted).status_code == 404:
            made = as_root("POST", "/api/users", json={"name": NAME, "role": "admin", "password": PASSWORD})
            made.raise_for_status()
        # At api.sock: at the web address wrong passwords have been tried by the dozen.
        answer = as_root("POST", "/api/auth/login", json={"name": NAME, "password": PASSWORD})
        answer.raise_for_status()
        self._session = answer.cookies["session_id"]


def as_root(method: str, path: str, **options: Any) -> httpx.Response:
    """At api.sock; a cookie that is shown there counts for more than who connects."""
    answer = CLIENT.request(method, os.environ["TORU_FUZZ_ROOT"] + path, **options)
    CLIENT.cookies.clear()
    return answer


if "TORU_FUZZ_ROOT" in os.environ:
    schemathesis.auth(refresh_interval=None)(Admin)
