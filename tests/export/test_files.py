"""The files for outside agents: appended to, set aside, mended after a kill."""

from __future__ import annotations

import errno
import json
import resource
from pathlib import Path

import pytest

from toru.domain.policy import ExportPolicy
from toru.export.files import LogFile

pytestmark = pytest.mark.req("OBS-3")


def line(number: int, message: str = "") -> bytes:
    return json.dumps({"message": message, "cursor": f"c{number}"}).encode() + b"\n"


LENGTH = len(line(10))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clock.log"


def log(path: Path, *, lines: int = 3, keep: int = 2) -> LogFile:
    """A file that holds so many lines with numbers of two digits."""
    return LogFile(path, ExportPolicy(max_file=lines * LENGTH, keep=keep))


def test_a_full_file_is_set_aside_and_only_so_many_are_kept(path: Path) -> None:
    file = log(path)
    for number in range(10, 21):
        file.append([line(number)])
    assert path.read_bytes() == line(19) + line(20)
    assert path.with_name("clock.log.1").read_bytes() == line(16) + line(17) + line(18)
    assert path.with_name("clock.log.2").read_bytes() == line(13) + line(14) + line(15)
    assert len(list(path.parent.iterdir())) == 3


def test_what_comes_in_one_go_is_divided_as_what_comes_line_by_line(path: Path) -> None:
    log(path).append([line(number) for number in range(10, 21)])
    assert path.read_bytes() == line(19) + line(20)
    assert path.with_name("clock.log.2").read_bytes() == line(13) + line(14) + line(15)


def test_a_line_longer_than_a_file_has_one_to_itself(path: Path) -> None:
    log(path).append([line(10), line(11, "x" * 500), line(12)])
    assert path.read_bytes() == line(12)
    assert path.with_name("clock.log.1").read_bytes() == line(11, "x" * 500)
    assert path.with_name("clock.log.2").read_bytes() == line(10)


@pytest.mark.parametrize("cut", [1, LENGTH // 2, LENGTH - 1])
@pytest.mark.parametrize("before", [b"", line(10)])
def test_a_line_that_a_kill_broke_off_is_ended_and_nothing_of_it_written_again(
    path: Path, before: bytes, cut: int
) -> None:
    path.write_bytes(before + line(11)[:cut])
    with path.open("rb") as agent:  # has read what was there
        seen = agent.read()
        log(path, lines=9).append([line(11), line(12)])
        seen += agent.read()
    assert seen == path.read_bytes() == before + line(11) + line(12)


def test_a_broken_line_is_ended_where_it_is_also_in_a_full_file(path: Path) -> None:
    path.write_bytes(line(10) + line(11) + line(12)[:5])
    log(path, lines=2).append([line(12), line(13)])
    assert path.with_name("clock.log.1").read_bytes() == line(10) + line(11) + line(12)
    assert path.read_bytes() == line(13)


@pytest.mark.parametrize("rest", [b"\0\0\0", b'{"mess', line(9)[:-1]])
def test_a_rest_that_is_no_beginning_of_the_next_line_goes(path: Path, rest: bytes) -> None:
    path.write_bytes(line(10) + rest)
    log(path).append([line(11, "ä")])
    assert path.read_bytes() == line(10) + line(11, "ä")


def test_the_last_whole_line_is_found_wherever_it_was_set_aside(path: Path) -> None:
    file = log(path)
    assert file.last_cursors() == set()
    path.write_bytes(line(10) + line(11)[:9])
    path.with_name("clock.log.1").write_bytes(line(8) + line(9) + b"not ours\n")
    path.with_name("clock.log-20260101").write_bytes(line(7))
    path.with_name("clock.log.gz").write_bytes(b"\x1f\x8b\n\0")
    path.with_name("clocks.log").write_bytes(line(6))
    assert file.last_cursors() == {"c10", "c9", "c7"}


def test_whoever_renames_the_file_has_it_to_himself(path: Path) -> None:
    file = log(path)
    file.append([line(10)])
    path.rename(path.with_name("taken"))
    file.append([line(11)])
    file.sync()
    assert path.with_name("taken").read_bytes() == line(10)
    assert path.read_bytes() == line(11)


def test_it_writes_through_no_link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(OSError, match=str(path)) as refusal:
        log(path).append([line(10)])
    assert refusal.value.errno == errno.ELOOP
    assert not path.with_name("elsewhere").exists()


def test_where_the_disk_is_full_it_says_of_which_file_and_goes_on_later_with_the_same_line(path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LENGTH + 5, before[1]))
    try:
        with pytest.raises(OSError, match=str(path)) as refusal:
            log(path).append([line(10), line(11), line(12)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (refusal.value.errno, refusal.value.filename) == (errno.EFBIG, str(path))
    assert path.read_bytes() == line(10) + line(11)[:5]
    log(path).append([line(11), line(12)])
    assert path.read_bytes() == line(10) + line(11) + line(12)


def test_agents_of_the_group_may_read_and_nobody_may_run(path: Path) -> None:
    log(path).touch()
    assert path.stat().st_mode & 0o777 & ~0o027 == 0o640
