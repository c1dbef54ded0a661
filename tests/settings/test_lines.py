"""On which line a key of a settings file stands."""

import tomllib

import pytest

from toru.settings.lines import line_of, lines_of_keys

TEXT = '''\
# plugins_dir = "/not/here"
auto_enable = true # [limits]
restart.failures = 3
words = """
auto_enable = false
[kv]
"""
raw = \'\'\'a = """
[gateway]\'\'\'
list = [
  "]",
  # start_timeout = 3
  { x = 1 },
]

  [ limits ] # of all
\tmemory = "1G"
"tasks"=9
inline = { a = 1, b.c = 2 }
[plugins."a b".'c']
sandbox = "trusted"
[[many]]
x = 1
[[many]]
y = 2
[plugins]
last = 1'''

LINES = {
    ("auto_enable",): 2,
    ("restart",): 3,
    ("restart", "failures"): 3,
    ("words",): 4,
    ("raw",): 8,
    ("list",): 10,
    ("limits",): 16,
    ("limits", "memory"): 17,
    ("limits", "tasks"): 18,
    ("limits", "inline"): 19,
    ("limits", "inline", "a"): 19,
    ("limits", "inline", "b"): 19,
    ("limits", "inline", "b", "c"): 19,
    ("plugins",): 20,
    ("plugins", "a b"): 20,
    ("plugins", "a b", "c"): 20,
    ("plugins", "a b", "c", "sandbox"): 21,
    ("many",): 22,
    ("many", "x"): 23,
    ("many", "y"): 25,
    ("plugins", "last"): 27,
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n# the end"])
def test_every_key_and_table_is_found_however_it_is_written(line_end: str, end: str) -> None:
    text = (TEXT + end).replace("\n", line_end)
    tomllib.loads(text)  # as it will have been
    assert lines_of_keys(text) == LINES


@pytest.mark.parametrize("text", ["", "\n", "# nothing"])
def test_where_nothing_is_said_nothing_is_found(text: str) -> None:
    assert lines_of_keys(text) == {}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("limits", "memory"), 17),
        (("limits", "inline", "unheard", "of"), 19),
        (("limits", "unheard"), 16),
        (("unheard",), None),
    ],
)
def test_what_has_no_line_of_its_own_has_that_of_the_table_around_it(path: tuple[str, ...], line: int | None) -> None:
    assert line_of(path, lines_of_keys(TEXT)) == line
