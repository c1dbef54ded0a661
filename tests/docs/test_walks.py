"""A reader who does what the pages say sees what they say, on a real systemd."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import TREE, blocks, rows, section, spans
from tests.docs.walk import PASSWORD, Reader
from tests.hosts.host import TooLate
from tests.hosts.private import PrivateHost
from tests.system.toru import PLUGINS, Toru
from toru.admin.probe import TIME_LIMIT
from toru.domain.places import PROFILES
from toru.trial import Options, Trial

_numbers = itertools.count()

# A sentence of docs/plugins.md → a file that earns it.
BAD_FILES: dict[str, tuple[str | bytes, int]] = {
    "it is not executable": ("#!/bin/sh\n", 0o644),
    "other users may not execute it": ("#!/bin/sh\n", 0o700),
    "its interpreter": ("#!/opt/nowhere/python9\n", 0o755),
    "it is neither a program": ("words\n", 0o755),
    "run with --metadata": ("#!/bin/sh\nexit 3\n", 0o755),
    "printed nothing": ("#!/bin/sh\n", 0o755),
    "printed something that is not JSON": ("#!/bin/sh\necho hello\n", 0o755),
    "it printed more than": ("#!/bin/sh\nexec head -c 100000 /dev/zero\n", 0o755),
    "invalid metadata": ("#!/bin/sh\necho '{}'\n", 0o755),
    "it could not be executed": (b"\x7fELF and nothing more", 0o755),
}


def a_name() -> str:
    return f"docs-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader who has said `make run`."""
    plugins = tmp_path / "build/plugins"
    plugins.mkdir(parents=True)
    subprocess.run(["sh", TREE / "examples/hello-python/build.sh", plugins], check=True)
    with Trial(Options(name=a_name(), plugins=plugins, files={"credstore/toru-admin-password": PASSWORD})) as trial:
        yield Reader(tmp_path, trial)


@pytest.fixture(scope="module")
def toru() -> Iterator[Toru]:
    # One host is enough, and one for all tests: what is proven here is the pages. It ends with them, untidied.
    with Trial(Options(name=a_name())) as trial:
        yield Toru(PrivateHost("private", trial))


@pytest.mark.req("OPS-1", "ISO-1", "PROTO-7")
@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages use curl, which is not installed")
@pytest.mark.parametrize(
    ("page", "heading"),
    [("README.md", "Your first plugin"), ("docs/plugins.md", "Five minutes to a running plugin")],
)
def test_a_first_plugin_runs_as_the_page_says(reader: Reader, page: str, heading: str) -> None:
    steps = blocks("python", "sh", "console", page=page, heading=heading)
    assert {step.language for step in steps} == {"python", "sh", "console"}
    for step in steps:
        reader.follow(step)


@pytest.mark.req("LANG-1", "LANG-3")
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page uses curl, which is not installed")
def test_who_begins_with_nothing_has_a_checked_plugin_as_the_page_says(reader: Reader) -> None:
    steps = blocks("sh", "console", page="docs/plugins.md", heading="From nothing to the sidebar in five minutes")
    assert {step.language for step in steps} == {"sh", "console"}
    for step in [*steps, *blocks("sh", page="docs/plugins.md", heading="Checking")]:
        reader.follow(step)


@pytest.mark.req("API-1", "API-2", "API-4", "API-5", "API-6", "KV-1")
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page uses curl, which is not installed")
@pytest.mark.parametrize(("page", "heading"), [("README.md", "From a script"), ("docs/api.md", None)])
def test_a_script_gets_from_the_api_what_the_page_says(reader: Reader, page: str, heading: str | None) -> None:
    steps = blocks("console", "sh", "python", page=page, heading=heading)
    assert {step.language for step in steps} == {"console"}
    for step in steps:
        reader.follow(step)


@pytest.mark.req("PROTO-7")
def test_a_web_framework_is_a_plugin(toru: Toru) -> None:
    (block,) = (block for block in blocks("python", page="docs/plugins.md", heading="Protocols"))
    metadata = json.dumps({"id": "framework", "name": "Framework", "route": "/framework", "protocol": "http"})
    python = re.findall(r"^#!(\S+)", toru.host.read("/usr/bin/toru"))[0]
    says = f"import sys\nif sys.argv[1:] == ['--metadata']:\n    print({metadata!r})\n    sys.exit()\n"
    toru.drop("framework.binary", f"#!{python}\n{says}\n{block.text}")
    toru.scan()
    assert toru.ask("framework") == {"hello": "world"}


@pytest.mark.req("ISO-4", "META-2")
def test_a_bad_file_gets_the_sentence_that_the_page_explains(toru: Toru) -> None:
    table = rows(section("docs/plugins.md", "Rejected files"))
    sentences = {sentence for row in table for sentence in spans(row[0])}
    sentences.remove(f"it did not end within {TIME_LIMIT:g} seconds of being run with --metadata")  # tests/system waits
    for number, (content, mode) in enumerate(BAD_FILES.values()):
        toru.drop(f"bad-{number}.binary", content, mode=mode)
    toru.link("outside.binary", "/usr/bin/true")
    toru.plant("first", metadata={"route": "/mine"})
    toru.scan()
    toru.plant("first", file="second.binary")
    toru.plant("third", metadata={"route": "/mine"})
    toru.scan()
    reasons = toru.rejected().values()

    def explained(sentence: str, reason: str) -> bool:
        return bool(re.fullmatch(".*".join(map(re.escape, sentence.split("…"))), reason))

    assert [sentence for sentence in sentences if not any(explained(sentence, reason) for reason in reasons)] == []
    assert [reason for reason in reasons if not any(explained(sentence, reason) for sentence in sentences)] == []


@pytest.mark.req("LANG-2", "PROTO-1", "PROTO-6")
def test_a_plugin_of_toru_1_answers_the_request_of_the_page_in_the_shape_of_the_page(toru: Toru) -> None:
    shown = [json.loads(block.text) for block in blocks("json", page="docs/protocol.md")]
    request = next(it for it in shown if "method" in it["payload"].get("payload", {}))
    documented = next(it for it in shown if "status" in it["payload"])
    toru.plant("field", "toru1.py")
    toru.scan()
    client = """
import json, socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(10)
    connection.connect(sys.argv[1])
    message = sys.argv[2].encode()
    connection.sendall(len(message).to_bytes(4, "big") + message)
    received = connection.makefile("rb")
    print(received.read(int.from_bytes(received.read(4), "big")).decode())
"""
    path = "/run/toru-plugins/field/plugin.sock"
    ask = ("python3", "-c", client, path, json.dumps(request))
    # A scan waits for it to listen, but no longer than 2 seconds.
    answer = json.loads(toru.host.wait_for("an answer", lambda: toru.host.run(*ask, check=False).stdout))
    assert answer["request_id"] == request["request_id"]
    assert (set(answer), set(answer["payload"])) == (set(documented), set(documented["payload"]))


@pytest.mark.req("LIFE-3")
def test_settings_are_read_and_files_lie_where_the_page_says(toru: Toru) -> None:
    toru.plant("where", "toru1.py")
    toru.scan()
    toru.enable("where")
    toru.host.put(
        "/etc/toru/toru.toml", "\n".join(it.text for it in blocks("toml", page="docs/ops.md", heading="Settings"))
    )
    toru.host.put("/etc/toru/toru.toml.d/10-x.toml", "")
    toru.host.put("/etc/toru/webhook-url", "http://127.0.0.1:9/\n", 0o600)
    toru.host.run("systemctl", "start", "toru-hooks.service", "toru-export.service")
    assert "settings\tvalid" in toru.host.run("toru", "doctor", check=False).stdout
    paths = [path for row in rows(section("docs/ops.md", "Where things lie")) for path in spans(row[0])]
    assert len(paths) > 15
    there = 'for path; do ls -d -- $path >/dev/null 2>&1 || echo "$path"; done'
    look = ("sh", "-c", there, "sh", *(path.replace("ID", "where") for path in paths))
    missing: list[str] = []

    def all_there() -> bool:
        missing[:] = toru.host.run(*look).stdout.splitlines()
        return not missing

    with suppress(TooLate):  # what is missing says more
        toru.wait_until("every path", all_there)
    toru.host.run("systemctl", "stop", "toru-export.service")
    toru.host.run("rm", "-rf", "/var/log/toru", "/var/lib/toru-export")
    assert missing == []
    assert toru.host.run("ls", str(PROFILES)).stdout.split() == ["strict.conf", "trusted.conf"]


@pytest.mark.req("SEC-4", "LIFE-5", "SUP-7")
def test_one_plugin_is_loosened_by_the_drop_in_of_the_page(toru: Toru) -> None:
    drop_in = next(it.text for it in blocks("ini", page="docs/ops.md") if "[Service]" in it.text)
    toru.host.put(
        "/etc/systemd/system/toru-plugin-music.service.d/override.conf", drop_in.replace("/srv/music", "/usr/share")
    )
    toru.host.run("systemctl", "daemon-reload")
    toru.plant("music")
    toru.scan()
    assert toru.ask("music")["pid"] == toru.pid("music")
    assert toru.service("music", "MemoryMax", "BindReadOnlyPaths") == {
        "MemoryMax": str(1 << 30), "BindReadOnlyPaths": "/usr/share:/usr/share:rbind"
    }  # fmt: skip


@pytest.mark.req("SEC-4", "SUP-7")
def test_each_thing_that_the_page_changes_for_one_plugin_is_changed(toru: Toru) -> None:
    said = [span for row in rows(section("docs/ops.md", "Sandbox")) for span in spans(row[1])]
    settings = [span.replace("/srv/music", "/usr/share").replace("/srv/mixes", "/var/lib/mixes") for span in said]
    toru.host.run("sh", "-c", "groupadd --force music; install -d -m 775 -g music /var/lib/mixes")
    toru.host.put("/etc/toru/clock-password", "Secret\n", 0o600)
    toru.host.put("/etc/systemd/system/toru-plugin-mixer.service.d/override.conf", "\n".join(["[Service]", *settings]))
    toru.host.run("systemctl", "daemon-reload")
    metadata = json.dumps({"id": "mixer", "name": "Mixer", "route": "/mixer", "protocol": "http"})
    program = f"""#!/usr/bin/python3 -u
import os, sys, time
if sys.argv[1:] == ["--metadata"]:
    print({metadata!r})
    sys.exit()
open("/var/lib/mixes/new", "x").close()
print(os.environ["TZ"], open(os.environ["CREDENTIALS_DIRECTORY"] + "/password").read().strip())
time.sleep(600)
"""
    toru.drop("mixer.binary", program)
    toru.scan()
    toru.ring("mixer")
    toru.wait_until("what it prints", lambda: "Europe/Berlin Secret" in toru.logged("mixer"))
    assert toru.host.run("ls", "/var/lib/mixes").stdout == "new\n"
    names = {setting.partition("=")[0]: setting.partition("=")[2] for setting in settings}
    shown = toru.service("mixer", "MemoryMax", "TasksMax", "CPUQuotaPerSecUSec", "CPUWeight", "BindReadOnlyPaths")
    assert shown == {
        "MemoryMax": str(1 << 30),
        "TasksMax": names["TasksMax"],
        "CPUQuotaPerSecUSec": "500ms",
        "CPUWeight": names["CPUWeight"],
        "BindReadOnlyPaths": "/usr/share:/usr/share:rbind",
    }


@pytest.mark.req("LIFE-6")
def test_another_plugins_directory_works_as_the_page_says(toru: Toru) -> None:
    there = "/var/lib/toru-elsewhere"  # /srv is the machine's own, also in a trial
    (drop_in,) = (it.text for it in blocks("ini", page="docs/ops.md") if "[Path]" in it.text)
    (script,) = (it.text for it in blocks("sh", page="docs/ops.md", heading="Another plugins directory"))
    path = "/etc/systemd/system/toru-scan.path.d"
    try:
        toru.host.put(f"{path}/override.conf", drop_in.replace("/srv/plugins", there))
        toru.host.run("systemctl", "daemon-reload")
        toru.host.put("/etc/toru/toru.toml", f'plugins_dir = "{there}"')
        toru.host.run("sh", "-eu", "-c", script)
        toru.plant("moved", file=".moved")
        toru.host.run("mv", f"{PLUGINS}/.moved", f"{there}/moved.binary")
        toru.wait_until("the plugin to run", lambda: toru.is_loaded("moved") and toru.pid("moved"))
        assert "does not watch" not in toru.host.run("toru", "doctor", check=False).stdout
        toru.disable("moved")
        assert json.loads(toru.host.read(f"{there}/.metadata/config.json"))["plugins"] == {"moved": False}
    finally:
        toru.host.run("rm", "-rf", path, there, "/etc/toru/toru.toml")
        toru.host.run("systemctl", "daemon-reload")
        toru.host.run("systemctl", "restart", "toru-scan.path")


@pytest.mark.req("LIFE-5", "SUP-1")
def test_what_systemctl_is_said_to_do_it_does(toru: Toru) -> None:
    toru.plant("handled")
    toru.scan()
    both = ("toru-plugin-handled.socket", "toru-plugin-handled.service")

    def reason() -> Any:
        return toru.plugin("handled")["reason"]

    toru.host.run("systemctl", "stop", both[1])
    assert (toru.pid("handled"), toru.ask("handled")["pid"] > 0) == (0, True), "the next request starts it"
    toru.host.run("systemctl", "stop", both[0])
    toru.wait_until("the reason", lambda: reason() == "its socket is gone: disable and enable it")
    toru.enable("handled")
    assert toru.ask("handled")["pid"] == toru.pid("handled"), "enable mends it"
    toru.host.run("systemctl", "stop", *both)
    toru.scan()
    toru.wait_until("the reason", lambda: reason() == "its units were stopped")
    toru.host.run("systemctl", "restart", "toru-plugins.service")
    assert toru.ask("handled")["pid"] == toru.pid("handled"), "restarting toru-plugins.service brings it up"
    toru.host.put(f"/etc/systemd/system/{both[1]}", "[Service]\nExecStart=/bin/true\n")
    toru.disable("handled")
    assert "was already loaded or has a fragment file" in toru.enable("handled", check=False)
    toru.host.run("rm", f"/etc/systemd/system/{both[1]}")
    toru.host.run("systemctl", "daemon-reload")
    toru.enable("handled")


@pytest.mark.req("LIFE-5")
def test_the_test_that_developers_are_shown_passes(toru: Toru) -> None:
    (block,) = blocks("python", page="docs/development.md")
    names: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), names)  # noqa: S102  it is our own page
    (test,) = (value for name, value in names.items() if name.startswith("test_"))
    test(toru=toru, host=toru.host)


@pytest.mark.req("KV-1", "KV-2", "KV-4")
@pytest.mark.parametrize("sandbox", ["default", "strict"])
def test_a_plugin_keeps_things_as_the_page_shows(toru: Toru, sandbox: str) -> None:
    (block,) = blocks("python", page="docs/plugins.md", heading="Storage")
    plugin_id = f"keeper-{sandbox}"
    metadata = {"id": plugin_id, "name": "Keeper", "route": f"/{plugin_id}", "protocol": "http", "sandbox": sandbox}
    says = f"import sys\nif sys.argv[1:] == ['--metadata']:\n    print({json.dumps(metadata)!r})\n    sys.exit()\n"
    toru.drop(f"{plugin_id}.binary", f"#!/usr/bin/python3 -u\n{says}\n{block.text}\nimport time; time.sleep(600)\n")
    toru.scan()
    toru.ring(plugin_id)
    toru.wait_until("what it prints", lambda: "{'dark': True}" in toru.logged(plugin_id))
    kept = json.loads(toru.host.run("toru", "kv", "list", "--json", plugin_id).stdout)["entries"]
    assert kept == [{"key": "theme", "value": {"dark": True}, "expires_at": None}]


@pytest.mark.req("SEC-4")
def test_a_plugin_finds_what_the_page_says_it_finds(toru: Toru) -> None:
    toru.plant("finder", metadata={"watchdog": 60})
    toru.scan()
    environment = toru.ask("finder", "/environment")
    table = rows(section("docs/plugins.md", "What your program finds"))
    promised = {re.split(r"[=/]", span.lstrip("$"))[0] for row in table for span in spans(row[0])}
    assert promised - set(environment) == set()
    assert "HOME" not in environment
    shown = {span for row in table for span in spans(row[1]) if span.startswith("/")} - {"/api/health"}
    assert {path.replace("ID", "finder") for path in shown} <= set(environment.values())
