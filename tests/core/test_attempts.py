"""How often somebody may try to sign in, and that this shuts nobody else out."""

from __future__ import annotations

import pytest

from toru.core import attempts
from toru.core.attempts import Attempts, network_of
from toru.domain.errors import TooManyAttempts

pytestmark = pytest.mark.req("SEC-2")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tries(clock: Clock) -> Attempts:
    return Attempts(clock)


def wait_of(tries: Attempts, user: str, address: str) -> float:
    try:
        tries.check(user, address)
    except TooManyAttempts as refusal:
        return refusal.retry_after
    return 0


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(tries: Attempts, clock: Clock) -> None:
    waits = []
    for _ in range(20):
        tries.failed("ann", "192.0.2.1")
        waits.append(wait_of(tries, "ann", "192.0.2.1"))
        clock.now += waits[-1]
    assert waits[:8] == [0, 0, 0, 0, 1, 2, 4, 8]
    assert waits[-1] == 900


def test_nobody_elsewhere_has_to_wait_for_it(tries: Attempts) -> None:
    for number in range(20_000):
        tries.failed("admin", f"198.51.{number % 10}.{number % 200}")
    assert wait_of(tries, "admin", "198.51.1.1") > 0
    assert wait_of(tries, "admin", "192.0.2.1") == 0


def test_who_guesses_many_names_at_one_address_has_to_wait_too(tries: Attempts) -> None:
    for number in range(20):
        assert wait_of(tries, f"user{number}", "192.0.2.1") == 0
        tries.failed(f"user{number}", "192.0.2.1")
    assert wait_of(tries, "another", "192.0.2.1") == 1
    assert wait_of(tries, "another", "192.0.2.2") == 0


def test_one_password_that_is_known_is_no_help_in_guessing_others(tries: Attempts) -> None:
    for _ in range(20):
        tries.failed("ann", "192.0.2.1")
        tries.succeeded("mallory", "192.0.2.1")
    assert wait_of(tries, "ann", "192.0.2.1") > 0


def test_failures_are_forgotten_in_an_hour(tries: Attempts, clock: Clock) -> None:
    for _ in range(4):
        tries.failed("ann", "192.0.2.1")
    clock.now += 3601
    tries.failed("ann", "192.0.2.1")
    assert wait_of(tries, "ann", "192.0.2.1") == 0


def test_memory_has_a_bound(tries: Attempts) -> None:
    for number in range(3 * attempts.REMEMBERED):
        tries.failed("x" * 64, f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1")
    assert len(tries) == 2 * attempts.REMEMBERED


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("uid 1000", "uid 1000"),
        ("x" * 10_000, "x" * 64),
    ],
)
def test_an_address_counts_as_far_as_another_one_costs_something(address: str, network: str) -> None:
    assert network_of(address) == network
