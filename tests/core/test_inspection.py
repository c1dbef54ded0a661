"""Which file a setting is owed to, from what stands in the files and what systemd has in force."""

from __future__ import annotations

import pytest

from toru.core.inspection import DropIn, held, last_said
from toru.domain.unitfiles import Assignment, Origin
from toru.systemd.effective import Kind, Setting

pytestmark = pytest.mark.req("SEC-4")


def drop_in(path: str, origin: Origin, **values: str) -> DropIn:
    lines = tuple(Assignment(section="Service", name=name, value=value) for name, value in values.items())
    return DropIn(path=path, origin=origin, target=None, is_newer_than_run=False, assignments=lines)


def flag(value: str) -> Setting:
    return Setting(name="PrivateTmp", value=value, kind=Kind.FLAG)


def test_the_last_file_counts_and_one_that_cannot_be_read_is_passed_over() -> None:
    unread = DropIn(path="/c", origin=Origin.OPS, target=None, is_newer_than_run=False, assignments=None)
    said = last_said([drop_in("/a", Origin.TORU, A="1", B="2"), drop_in("/b", Origin.OPS, B="3"), unread])
    assert said == {"A": ("/a", Origin.TORU, "1"), "B": ("/b", Origin.OPS, "3")}


@pytest.mark.parametrize("value", ["no", "False", "0", "off"])
def test_a_flag_that_another_setting_keeps_as_it_is_is_owed_to_no_file(value: str) -> None:
    # As DynamicUser= does with PrivateTmp=, whatever a drop-in says.
    said = ("/b", Origin.OPS, value)
    assert (held(flag("yes"), said).set_by, held(flag("yes"), said).origin) == (None, None)
    assert (held(flag("no"), said).set_by, held(flag("no"), said).origin) == ("/b", Origin.OPS)


def test_a_flag_with_a_word_of_its_own_is_owed_to_the_file_that_says_so() -> None:
    assert held(flag("yes"), ("/b", Origin.OPS, "disconnected")).set_by == "/b"
    assert held(flag("yes"), None).set_by is None


def test_a_home_that_stays_read_only_is_not_owed_to_the_file_that_would_open_it() -> None:
    home = Setting(name="ProtectHome", value="read-only", kind=Kind.TEXT)
    assert held(home, ("/b", Origin.OPS, "no")).set_by is None
    assert held(home, ("/b", Origin.OPS, "read-only")).set_by == "/b"
