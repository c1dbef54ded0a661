"""How often somebody may try to sign in.

Failures count for an address, and for a user at an address; never for a user alone, so that nobody can lock somebody
else out: the right password from an address without failures always works. While one has to wait, tries are refused
unseen and lengthen nothing.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from toru.domain.errors import TooManyAttempts

FREE_FOR_A_USER = 5
FREE_FOR_AN_ADDRESS = 20
FIRST_WAIT = 1.0
LONGEST_WAIT = 900.0
FORGOTTEN_AFTER = 3600.0
REMEMBERED = 10_000
"""So many addresses, and so many users at addresses. Who failed longest ago is forgotten first."""


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    wait_until: float
    last: float


class _Counter:
    def __init__(self, free: int) -> None:
        self._free = free
        self._failures: OrderedDict[object, _Failures] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def wait(self, key: object, now: float) -> float:
        failures = self._failures.get(key)
        return max(0.0, failures.wait_until - now) if failures else 0.0

    def fail(self, key: object, now: float) -> None:
        before = self._failures.pop(key, None)
        count = 1 if before is None or now - before.last > FORGOTTEN_AFTER else before.count + 1
        wait = min(FIRST_WAIT * 2.0 ** min(count - self._free, 64), LONGEST_WAIT) if count >= self._free else 0.0
        self._failures[key] = _Failures(count, now + wait, now)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def forget(self, key: object) -> None:
        self._failures.pop(key, None)


class Attempts:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at_addresses = _Counter(FREE_FOR_AN_ADDRESS)
        self._of_users = _Counter(FREE_FOR_A_USER)

    def check(self, user: str, address: str) -> None:
        """`TooManyAttempts` while this user at this address, or this address, has to wait."""
        now, place = self._clock(), network_of(address)
        wait = max(self._at_addresses.wait(place, now), self._of_users.wait((user, place), now))
        if wait > 0:
            seconds = max(1, round(wait))
            raise TooManyAttempts(
                f"signing in from here has failed too often: try again in {seconds} s", retry_after=seconds
            )

    def failed(self, user: str, address: str) -> None:
        now, place = self._clock(), network_of(address)
        self._at_addresses.fail(place, now)
        self._of_users.fail((user, place), now)

    def succeeded(self, user: str, address: str) -> None:
        """Forgives this user's failures, not the address's: who has one password may be guessing another."""
        self._of_users.forget((user, network_of(address)))

    def __len__(self) -> int:
        return len(self._at_addresses) + len(self._of_users)


def network_of(address: str) -> str:
    """The address as far as it costs something to have another one: of IPv6, the first half."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip), 64), strict=False))
    return str(ip)
