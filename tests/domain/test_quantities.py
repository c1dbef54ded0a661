"""Amounts as people write them, and limits laid over limits."""

from collections.abc import Callable

import pytest

from toru.domain.quantities import Limits, parse_cpu_percent, parse_memory_bytes, parse_tasks

MIB = 1 << 20

READ = [
    (parse_memory_bytes, "64M", 64 * MIB),
    (parse_memory_bytes, "8192K", 8 * MIB),
    (parse_memory_bytes, "2G", 2048 * MIB),
    (parse_memory_bytes, "1T", MIB * MIB),
    (parse_memory_bytes, "8388608", 8 * MIB),
    (parse_memory_bytes, 8 * MIB, 8 * MIB),
    (parse_memory_bytes, 2**63 - 1, 2**63 - 1),
    (parse_tasks, 1, 1),
    (parse_tasks, 4096, 4096),
    (parse_cpu_percent, "50%", 50),
    (parse_cpu_percent, 50, 50),
    (parse_cpu_percent, "400%", 400),
    (parse_cpu_percent, 1, 1),
]

NO_AMOUNT: tuple[object, ...] = (
    None,
    True,
    False,
    [],
    {},
    "",
    " ",
    "lots",
    "infinity",
    -1,
    0,
    float("nan"),
    float("inf"),
)
ODD: dict[Callable[[object], int], tuple[object, ...]] = {
    parse_memory_bytes: (
        *("64m", "64MB", "64 M", " 64M", "64M\n", "1.5G", "-64M", "+64M", "0x40M", "\u0666\u0664M", "M", "50%"),
        *(8 * MIB - 1, "7M", 64e6, 2**63, "9999999999999T", "9" * 10_000),
    ),
    parse_tasks: ("4", 1.0, 1.5, 2**32),
    parse_cpu_percent: ("50", "50 %", "50%\n", "0%", "%", "-50%", "1.5%", 50.0, "\u0665\u0660%", 1_000_001, "9999999%"),
}


@pytest.mark.req("SUP-7")
@pytest.mark.parametrize(("parse", "written", "amount"), READ)
def test_an_amount_is_read_as_systemd_would(parse: Callable[[object], int], written: object, amount: int) -> None:
    assert parse(written) == amount


@pytest.mark.req("SUP-7")
@pytest.mark.parametrize("parse", ODD, ids=lambda parse: parse.__name__)
def test_what_is_no_amount_is_refused_with_a_rule(parse: Callable[[object], int]) -> None:
    for written in (*NO_AMOUNT, *ODD[parse]):
        with pytest.raises(ValueError, match=r"^must be a "):
            parse(written)


@pytest.mark.req("META-4", "SUP-7")
@pytest.mark.parametrize(
    ("mine", "others", "together"),
    [
        (None, None, None),
        (10, None, 10),
        (None, 10, 10),
        (10, 5, 5),
        (5, 10, 5),
    ],
)
def test_tightening_takes_the_smaller_bound_of_each_kind(
    mine: int | None, others: int | None, together: int | None
) -> None:
    def everywhere(bound: int | None) -> Limits:
        return Limits(memory_bytes=bound, tasks=bound, cpu_percent=bound)

    assert everywhere(mine).tightened_by(everywhere(others)) == everywhere(together)


def test_each_bound_is_tightened_by_itself() -> None:
    one = Limits(memory_bytes=1, tasks=20, cpu_percent=3)
    assert one.tightened_by(Limits(memory_bytes=10, tasks=2)) == Limits(memory_bytes=1, tasks=2, cpu_percent=3)


@pytest.mark.req("SUP-7")
def test_an_override_counts_bound_by_bound_and_may_loosen() -> None:
    one = Limits(memory_bytes=1, tasks=2, cpu_percent=3)
    assert one.overridden_by(Limits()) == one
    assert one.overridden_by(Limits(tasks=200)) == Limits(memory_bytes=1, tasks=200, cpu_percent=3)
    assert one.overridden_by(Limits(memory_bytes=9, cpu_percent=8)) == Limits(memory_bytes=9, tasks=2, cpu_percent=8)
