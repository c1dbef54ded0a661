"""How `toru check` talks, and what it leaves."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import tempfile
import tomllib
from pathlib import Path

import pytest

from tests.check.command import BROKEN, TORU, check, document, verdicts
from tests.docs.pages import blocks, headings_of, rows, section
from tests.hosts.host import Host
from toru.check.suite import CHECKS, GROUPS

pytestmark = pytest.mark.req("LANG-3")

SOUND = BROKEN / "sound_http.py"


def test_a_program_reads_the_report_as_json() -> None:
    said = document(BROKEN / "http_ends_badly.py")
    assert (said["id"], said["protocol"], said["right"]) == ("broken", "http", False)
    assert said["counts"]["failed"] == 1
    (failed,) = (it for it in said["checks"] if it["outcome"] == "failed")
    assert failed == {
        "group": "end",
        "check": "sigterm",
        "outcome": "failed",
        "promise": "SIGTERM ends it well within 5 seconds",
        "found": "it ended with exit status 1",
        "page": "docs/plugins.md#when-it-fails",
    }
    assert said["log"][-1] == "<6>serving"


def test_what_a_file_says_on_stderr_instead_of_its_metadata_is_shown() -> None:
    assert document(BROKEN / "metadata_fails.py")["log"] == ["no metadata today"]


def test_a_person_sees_groups_marks_and_where_to_read_on() -> None:
    command = f"{TORU} check {BROKEN / 'http_ends_badly.py'}"
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    shown = subprocess.run(
        ["script", "--quiet", "--return", "--command", command, "/dev/null"],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout.replace("\r", ""))
    assert [group for group in GROUPS if f"\n{group}\n" in f"\n{text}"] == list(GROUPS)
    assert re.search(r"^  ✓ methods +it answers every method *$", text, re.MULTILINE)
    assert re.search(r"^  ✗ sigterm +SIGTERM ends it well within 5 seconds *$", text, re.MULTILINE)
    assert re.search(r"^ +but it ended with exit status 1 *$", text, re.MULTILINE)
    assert re.search(r"^ +→ docs/plugins.md#when-it-fails *$", text, re.MULTILINE)
    assert re.search(r"^✗ \S+: \d+ passed, 1 failed, \d+ skipped$", text, re.MULTILINE)
    assert shown.returncode == 1


def test_a_check_or_a_group_can_be_chosen_and_brings_what_it_needs() -> None:
    assert list(verdicts(check(SOUND, "--only", "head"))) == [
        *("file", "metadata-ends", "metadata-valid", "starts", "answers", "head"),
    ]
    chosen = document(SOUND, "--only", "end", "--only", "later")
    assert {it["group"] for it in chosen["checks"]} == {"metadata", "start", "end", "later"}


def test_the_list_of_checks_has_all_of_them_and_runs_none() -> None:
    rows = [line.split("\t") for line in check("--list").stdout.splitlines()]
    assert [row[1] for row in rows] == [it.name for it in CHECKS]
    listed = json.loads(check("--list", "--only", "later", "--json").stdout)["checks"]
    assert [it["check"] for it in listed] == ["sleeps", "watchdog", "log"]
    assert listed[0]["protocols"] == ["toru/1", "toru/2", "http"]


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["/nowhere"], ["--socket", "/nowhere", "--protocol", "http"], [SOUND, "--only", "nothing"],
        [SOUND, "--protocol", "http"], ["--socket", "/dev/log", "--protocol", "toru/3"], [SOUND, "--path", "here"],
    ],
)  # fmt: skip
def test_where_nothing_can_be_checked_the_exit_status_is_2(arguments: list[str | Path]) -> None:
    said = check(*arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("toru: ")


def test_every_check_names_a_section_that_there_is() -> None:
    for it in CHECKS:
        page, _, anchor = it.page.partition("#")
        slugs = [re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings_of(f"docs/{page}")]
        assert anchor in slugs, it.name


def test_the_broken_promise_in_the_page_is_told_like_this() -> None:
    (shown,) = blocks("text", page="docs/plugins.md", heading="Checking")
    mark, promise, found, page = re.fullmatch(r" +(✗) leaves +(.+)\n +but (.+)\n +→ (.+)\n", shown.text).groups()  # type: ignore[union-attr]  # it matches
    said = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))
    assert (mark, f"{promise}, but {found} ({page})") == ("✗", said["toru1_dies_of_who_leaves"]["sentence"])


def test_every_group_and_option_is_in_the_page() -> None:
    page = section("docs/plugins.md", "Checking")
    assert [row[0].strip("`") for row in rows(page) if row[0].strip("`") in GROUPS] == list(GROUPS)
    options = set(re.findall(r"--[a-z]+", check("--help").stdout)) - {"--help"}
    assert options <= set(re.findall(r"--[a-z]+", page))


def test_names_are_unique_and_needs_come_first() -> None:
    names = [it.name for it in CHECKS]
    assert len({*names, *GROUPS} - {"metadata"}) == len(names) + len(GROUPS) - 1
    for number, it in enumerate(CHECKS):
        assert set(it.needs) <= set(names[:number])


def test_requests_go_where_the_author_says() -> None:
    said = document(BROKEN / "http_dies_of_odd_paths.py", "--path", "/deep/", "--only", "paths")
    (failed,) = (it["found"] for it in said["checks"] if it["outcome"] == "failed")
    assert failed == "GET /deep/%ff%fe was not answered: the program ended with exit status 1"


def test_nothing_is_left_of_it() -> None:
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "TMPDIR": directory}
        wrote = BROKEN / "toru1_binds_elsewhere.py"  # in its $STATE_DIRECTORY
        subprocess.run([TORU, "check", wrote, "--only", "start"], env=environment, check=False, capture_output=True)
        assert list(Path(directory).iterdir()) == []


def test_it_runs_as_anybody_without_a_systemd(host: Host) -> None:
    host.put("/usr/local/share/sound.py", SOUND.read_text(), 0o755)
    try:
        nowhere = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere"
        said = host.run("env", nowhere, "toru", "check", "/usr/local/share/sound.py", user="nobody", check=False)
    finally:
        host.run("rm", "/usr/local/share/sound.py")
    assert (said.returncode, said.stderr) == (0, "")
    assert "passed\tfaults\tgarbage" in said.stdout


def test_the_program_goes_with_the_check_however_that_ends() -> None:
    command = [str(TORU), "check", str(BROKEN / "http_binds_a_port.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as checking:
        assert checking.stdout is not None
        while "starts" not in checking.stdout.readline():
            pass
        (child,) = Path(f"/proc/{checking.pid}/task/{checking.pid}/children").read_text().split()
        program = os.pidfd_open(int(child))
        checking.kill()
    try:
        assert select.select([program], [], [], 30)[0], "it runs on"
    finally:
        os.close(program)
