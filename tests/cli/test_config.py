"""`toru config`, and that everybody says the same of a mistake."""

from collections.abc import Iterator

import pytest

from tests.cli.command import Command
from tests.hosts.host import Host

pytestmark = pytest.mark.req("OPS-3")

MAIN = "/etc/toru/toru.toml"  # as the shop has it: [restart], first_delay, max_delay
DROP_IN = "/etc/toru/toru.toml.d/10-test.toml"


SAID = """\
database_url = "postgresql+psycopg://toru:s3c:r@t@db/toru?password=x"

[plugins.off]
tasks = 9
"""


@pytest.fixture
def drop_in(host: Host) -> Iterator[str]:
    host.put(DROP_IN, SAID)
    yield DROP_IN
    host.run("rm", DROP_IN)


@pytest.mark.parametrize("user", [None, "nobody"])
def test_every_value_is_shown_with_where_it_was_said(toru: Command, drop_in: str, user: str | None) -> None:
    lines = [line.split("\t") for line in toru("config", "show", user=user).stdout.splitlines()]
    rows = {key: (value, origin) for key, value, origin in lines}
    assert rows["restart.first_delay"] == ("3600", f"{MAIN}:2")
    assert rows["restart.failures"] == ("10", "default")
    assert rows["plugins.off.tasks"] == ("9", f"{DROP_IN}:4")
    assert rows["database_url"] == ('"postgresql+psycopg://toru:***@db/toru?password=***"', f"{DROP_IN}:1")


def test_programs_get_values_as_they_are_and_the_origin_in_parts(toru: Command, drop_in: str) -> None:
    said = toru.json("config", "show")
    assert said["files"] == [MAIN, DROP_IN]
    rows = {row.pop("key"): row for row in said["settings"]}
    assert rows["plugins.off.tasks"] == {
        "value": 9, "origin": "file", "file": DROP_IN, "line": 4, "variable": None,
    }  # fmt: skip
    assert rows["hooks.events"]["value"] == ["crashed", "disabled"]
    assert rows["hooks.events"]["origin"] == "default"


def test_the_environment_counts_over_the_files(toru: Command) -> None:
    said = toru.host.run("env", "TORU_START_TIMEOUT=7", "toru", "config", "show").stdout
    assert "start_timeout\t7\tTORU_START_TIMEOUT in the environment" in said.splitlines()


def test_on_a_terminal_it_is_a_table(toru: Command) -> None:
    said = toru.on_terminal("config", "show", columns=120)
    assert "KEY" in said
    lines = {line.removeprefix("\x1b[2m").split()[0]: line for line in said.splitlines()}
    assert f"{MAIN}:2" in lines["restart.first_delay"]
    assert "\x1b[2m" in lines["restart.failures"], "what nobody said is in the background"
    assert "\x1b[2m" not in lines["restart.first_delay"]


def test_a_file_that_one_may_not_read_is_named(toru: Command, drop_in: str) -> None:
    toru.host.run("chmod", "600", DROP_IN)
    said = toru("config", "show", user="nobody")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == f"toru: {DROP_IN}: it can't be read: Permission denied\n"


def test_a_sound_file_and_sound_settings_have_no_mistake(toru: Command) -> None:
    for arguments in ([], [MAIN]):
        said = toru("config", "check", *arguments)
        assert (said.returncode, said.stdout) == (0, "no mistake\n")


def test_all_mistakes_of_a_file_are_told_with_their_lines(toru: Command) -> None:
    file = "/tmp/new.toml"  # noqa: S108  (inside of the host)
    toru.host.put(file, "auto_enable = 1\n\n[limit]\n")
    said = toru("config", "check", file)
    assert said.returncode == 1
    lines = [f"{file}:1: auto_enable must be true or false", f"{file}:3: limit is not a setting"]
    assert said.stdout.splitlines() == lines
    document = toru.json("config", "check", file)
    assert document["valid"] is False
    assert document["mistakes"][1] == {"message": lines[1], "file": file, "line": 3, "variable": None}


def test_core_admin_and_doctor_say_the_same_of_a_mistake(toru: Command, drop_in: str) -> None:
    host, sentence = toru.host, f"{DROP_IN}:2: restart.fist_delay is not a setting"
    host.put(DROP_IN, "[restart]\nfist_delay = 1\n")
    began = host.cursor()
    assert host.run("toru", "serve", check=False).stderr == f"toru: {sentence}\n"
    assert host.run("toru-admin", "scan", check=False).stderr == f"{sentence}\n"
    assert host.run("systemctl", "start", "toru-scan.service", check=False).returncode != 0
    assert host.show("toru-scan.service", "StatusText") == {"StatusText": sentence}
    assert sentence in [entry["MESSAGE"] for entry in host.journal("SYSLOG_IDENTIFIER=toru-admin", since_cursor=began)]
    doctor = {row[1]: row for row in toru.table("doctor")}
    assert doctor["settings"][:3] == ["bad", "settings", sentence]
    assert toru("config", "show").stderr == f"toru: {sentence}\n"
    assert toru("config", "check").stdout == f"{sentence}\n"
    host.put(DROP_IN, "")
    host.run("systemctl", "start", "toru-scan.service")
