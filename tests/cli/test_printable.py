"""Nothing that a plugin says reaches a terminal as anything but text."""

import pytest

from toru.cli.output import printable

pytestmark = pytest.mark.req("SEC-5")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\nb\r\n", r"a\nb\r\n"),
        ("a\tb", "a       b"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("\udcff", r"\udcff"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("日本語　👩‍💻 é", "日本語　👩‍💻 é"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
