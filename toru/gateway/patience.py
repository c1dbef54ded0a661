"""How long a client may take: to send a request, to read an answer, and to come again.

There is no timer for it: every connection is looked at once in a while, with a clock that is as coarse as that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toru.gateway.protocol import GatewayProtocol

HEAD_SECONDS = 20.0
"""From the first byte of a head to its last one."""
IDLE_SECONDS = 75.0
"""Between an answer and the next request."""
BODY_SECONDS = 60.0
"""Between two parts of a body; and all of it must come in so long, plus a second for each 500 bytes."""
BODY_BYTES_PER_SECOND = 500
READ_SECONDS = 60.0
"""A client that has something to read takes at least a part of it in so long."""
LINGER_SECONDS = 5.0
MOST_DROPPED_BYTES = 1 << 20
"""How long, and how much, is still heard of a client that sends a request which has been refused already: closed at
once, it might never read the answer (RFC 9112, section 9.6)."""
LAME_DUCK_SECONDS = 1.0
"""When the core stops: how long an idle connection is still there for a request that is on its way."""


class Patience:
    """With one connection."""

    __slots__ = ("_client", "_stuck_since", "_unread", "began", "dropped", "heard")

    def __init__(self, client: GatewayProtocol, now: float) -> None:
        self._client = client
        self.heard = now
        """When the last bytes came."""
        self.began = now
        """When what is awaited now began: an idle time, a head, a body, a farewell."""
        self.dropped = 0
        self._unread = 0
        self._stuck_since = now

    def look(self, now: float, stopping_since: float | None) -> None:
        """Ends what has taken too long."""
        client = self._client
        if self._reads_nothing(now):
            client.cut()
        elif client.is_deaf and self._unread:
            self.began = now  # it gets its answer first
        elif client.is_deaf:
            if now - self.began > LINGER_SECONDS or self.dropped > MOST_DROPPED_BYTES:
                client.cut()
        elif client.busy:
            self._look_at_request(now, stopping_since)
        elif client.held and not client.full:
            if now - self.began > HEAD_SECONDS:
                client.timed_out("the head of the request did not come in time")
        elif _is_over(stopping_since, now) or (now - self.began > IDLE_SECONDS and not client.full):
            client.close()

    def _look_at_request(self, now: float, stopping_since: float | None) -> None:
        client, visit = self._client, self._client.visit
        if client.body_is_missing and self._sends_too_little(now):
            client.timed_out("the body of the request did not come in time")
        elif visit is not None and visit.endless and _is_over(stopping_since, now):
            client.cut()
        elif visit is not None:
            visit.late(now)

    def _reads_nothing(self, now: float) -> bool:
        unread = self._client.transport.get_write_buffer_size()
        if unread == 0 or unread != self._unread:
            self._unread, self._stuck_since = unread, now
        return now - self._stuck_since > READ_SECONDS

    def _sends_too_little(self, now: float) -> bool:
        if now - self.heard > BODY_SECONDS:
            return True
        visit = self._client.visit
        if visit is not None and not visit.waits_for_head:
            return False  # a conversation, at its own pace
        return now - self.began > BODY_SECONDS + self._client.taken / BODY_BYTES_PER_SECOND


def _is_over(stopping_since: float | None, now: float) -> bool:
    return stopping_since is not None and now - stopping_since > LAME_DUCK_SECONDS
