"""Sends a notice to the webhook: the program of toru-webhook@….service.

Its answer is 2xx, or it has not got it. What may pass is tried again; what will not, isn't. A redirect isn't followed:
urllib, as browsers do, would turn the POST into a GET, and the notice would be gone unseen.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote
from urllib.request import HTTPRedirectHandler, Request, build_opener

from toru.domain.errors import ToruError
from toru.domain.hooks import CREDENTIAL, webhook_address
from toru.systemd import notify

WAITS = (0, 2, 10)
"""Seconds before each try."""

ANSWER_WITHIN = 10
"""Seconds, for each step of a try. Altogether the unit has as long as a hook may take."""

_MAY_PASS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class NotSent(ToruError):
    """The webhook has not got the notice."""

    code = "not-sent"

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


def main(notice: bytes) -> str:
    """What `send` says; if the webhook was not told, that, and exit status 1."""
    try:
        return send(notice)
    except NotSent as failure:
        # On stderr, with its level (sd-daemon(3)). Which unit an entry by journal.send is from, journald looks up in
        # /proc, and this process may have ended by then.
        sys.stderr.write(f"<{notify.ERROR}>{failure}\n")
        raise SystemExit(1) from failure


def send(notice: bytes) -> str:
    """Returns when the webhook has the notice, a JSON document, or raises NotSent."""
    address = _address()
    request = _request(address, notice)
    for number, wait in enumerate(WAITS, 1):
        time.sleep(wait)
        try:
            _try(request)
            break
        except NotSent as failure:
            if failure.may_pass and number < len(WAITS):
                continue
            tries = "1 try" if number == 1 else f"{number} tries"
            raise NotSent(f"the webhook at {address.hostname} was not told, after {tries}: {failure}") from failure
    return f"told the webhook at {address.hostname}"


def _address() -> SplitResult:
    file = Path(os.environ["CREDENTIALS_DIRECTORY"], CREDENTIAL)
    try:
        return webhook_address(file.read_text(encoding="ascii", errors="replace"))
    except ValueError as mistake:
        raise NotSent(f"the webhook's address {mistake}") from mistake


def _request(address: SplitResult, notice: bytes) -> Request:
    user, at, host = address.netloc.rpartition("@")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "toru",
        # Who has seen this key has seen the event (draft-ietf-httpapi-idempotency-key-header).
        "Idempotency-Key": f'"{json.loads(notice)["key"]}"',
    }
    if at:
        headers["Authorization"] = "Basic " + base64.b64encode(unquote(user).encode()).decode()
    url = address._replace(netloc=host, fragment="").geturl()
    return Request(url, notice, headers, method="POST")  # noqa: S310  (http and https: webhook_address has seen to it)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


def _try(request: Request) -> None:
    try:
        with build_opener(_NoRedirect).open(request, timeout=ANSWER_WITHIN):
            return
    except HTTPError as answer:
        answer.close()
        if 300 <= answer.code < 400:
            raise NotSent(f"it answered {answer.code}, and redirects are not followed: say the new address") from answer
        may_pass = answer.code >= 500 or answer.code in _MAY_PASS
        raise NotSent(f"it answered {answer.code}", may_pass=may_pass) from answer
    except URLError as error:
        raise NotSent(f"it can't be reached: {error.reason}", may_pass=True) from error
    except (OSError, http.client.HTTPException) as error:
        raise NotSent(f"it gave no answer: {str(error) or type(error).__name__}", may_pass=True) from error
