"""How often figures are looked at."""

import pytest

from toru.core.sampling import SHARE, Rest


@pytest.mark.req("SUP-7", "UI-5")
def test_rounds_that_take_long_get_rarer() -> None:
    rest = Rest()
    rest.after(0.5)
    assert [rest.after(0.5) for _ in range(3)] == [0.5 / SHARE] * 3


@pytest.mark.req("SUP-7", "UI-5")
def test_a_round_that_was_held_up_once_makes_no_long_rest() -> None:
    rest = Rest()
    rest.after(0.01)
    assert [rest.after(seconds) for seconds in (2, 0.01, 0.01)] == [0.01 / SHARE] * 3
