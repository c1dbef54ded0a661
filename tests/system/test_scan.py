"""What becomes a plugin, and what is refused with a reason."""

import pytest

from tests.hosts.host import Host
from tests.system.toru import CONFIG, PLUGINS, SOURCES, Toru

ODD_FILES = {
    # file → its content, and what the reason must say
    "hangs.binary": ("#!/bin/sh\nsleep 1000\n", "did not end within 5 seconds"),
    "rubbish.binary": ("#!/bin/sh\necho 'not json {'\n", "not JSON"),
    "silent.binary": ("#!/bin/sh\nexit 0\n", "printed nothing"),
    "fails.binary": ("#!/bin/sh\nexit 3\n", "exited with status 3"),
    "dies.binary": ("#!/bin/sh\nkill -SEGV $$\n", "SIGSEGV"),
    "large.binary": ("#!/bin/sh\nhead -c 1048576 /dev/zero | tr '\\0' 'a'\n", "more than 64 KiB"),
    "no-interpreter.binary": ("#!/opt/nowhere/python9\n", "interpreter /opt/nowhere/python9 is not there"),
    "no-program.binary": ("just words\n", "neither a program nor a script"),
    "bad-id.binary": ("""#!/bin/sh\necho '{"id": "../x", "name": "n", "route": "/r"}'\n""", "id '../x' must be"),
    "bad-route.binary": ("""#!/bin/sh\necho '{"id": "x", "name": "n", "route": "/a/../b"}'\n""", "route"),
}


@pytest.mark.req("ISO-1", "LIFE-6", "META-1")
def test_a_file_dropped_into_the_directory_becomes_a_running_plugin_by_itself(toru: Toru) -> None:
    toru.plant("dropped", metadata={"surprise": "kept out"})
    toru.wait_until("the plugin to run", lambda: toru.is_loaded("dropped") and toru.pid("dropped"))
    assert toru.ask("dropped")["pid"] == toru.pid("dropped")
    plugin = toru.until_shown("dropped", running=True)
    assert (plugin["name"], plugin["enabled"], plugin["health"]) == ("The dropped", True, "healthy")


@pytest.mark.req("ISO-4", "META-2", "META-3")
def test_every_odd_file_is_skipped_with_its_own_reason_and_all_the_others_load(toru: Toru, host: Host) -> None:
    for name, (content, _) in ODD_FILES.items():
        toru.drop(name, content)
    toru.drop("not-executable.binary", "#!/bin/sh\n", mode=0o644)
    toru.drop("private.binary", "#!/bin/sh\necho {}\n", mode=0o700)
    host.run("mkdir", f"{PLUGINS}/folder.binary")
    toru._files.add("folder.binary")
    toru.plant("fine")
    toru.scan()
    rejected = toru.rejected()
    expected = {name: words for name, (_, words) in ODD_FILES.items()} | {
        "not-executable.binary": "not executable",
        "private.binary": "other users may not execute it",
        "folder.binary": "not a file",
    }
    assert {name: words for name, words in expected.items() if words not in rejected.get(name, "")} == {}
    assert toru.ask("fine")["pid"]
    logged = {entry.get("TORU_FILE"): entry["MESSAGE"] for entry in toru.written_by_admin("PRIORITY=3")}
    assert all(words in logged.get(name, "") for name, words in expected.items()), "each is in the log, too"


@pytest.mark.req("META-3")
def test_a_probe_can_look_around_but_do_nothing(toru: Toru, host: Host) -> None:
    host.run("chmod", "1777", "/srv")  # where anybody else could write
    toru.plant("nosy", "nosy_metadata.py")
    toru.scan()
    assert "able to: nothing" in host.read("/run/toru/catalogue.json")


@pytest.mark.req("META-3")
def test_an_unchanged_file_is_never_run_twice(toru: Toru, host: Host) -> None:
    def probes() -> int:
        entries = toru.journal("_PID=1", "MESSAGE_ID=7d4958e842da4a758f6c1cdc7b36dcc5")
        return sum(entry["UNIT"].startswith("toru-probe-") for entry in entries)

    toru.plant("once")
    toru.scan()
    before = probes()
    toru.scan()
    host.run("touch", f"{PLUGINS}/once.binary")
    toru.scan()
    host.reboot()
    toru.scan()
    assert probes() == before
    toru.plant("once", metadata={"version": "2.0"})
    toru.scan()
    assert probes() == before + 1
    assert toru.plugin("once")["version"] == "2.0"


@pytest.mark.req("META-2")
def test_of_two_files_with_one_id_the_first_to_have_it_keeps_it(toru: Toru) -> None:
    toru.plant("twin", file="b.binary")
    toru.scan()
    toru.plant("twin", file="a.binary", metadata={"route": "/other"})
    toru.plant("third", file="c.binary", metadata={"route": "/twin"})
    toru.scan()
    rejected = toru.rejected()
    assert "id twin already belongs to b.binary" in rejected["a.binary"]
    assert "route /twin already belongs to b.binary" in rejected["c.binary"]
    assert toru.plugin("twin")["route"] == "/twin"


@pytest.mark.req("META-4")
def test_a_link_out_of_the_directory_is_refused_and_one_within_is_followed(toru: Toru, host: Host) -> None:
    toru.plant("inside", file="inside-1.0")
    toru.link("inside.binary", "inside-1.0")
    host.put("/usr/local/bin/outside", (SOURCES / "http.py").read_text(), 0o755)
    toru.link("outside.binary", "/usr/local/bin/outside")
    toru.link("circle.binary", "circle.binary")
    toru.link("nowhere.binary", "/nonexistent")
    toru.scan()
    rejected = toru.rejected()
    assert "outside the plugins directory" in rejected["outside.binary"]
    assert "link to nowhere" in rejected["circle.binary"]
    assert "link to nowhere" in rejected["nowhere.binary"] or "outside" in rejected["nowhere.binary"]
    assert toru.ask("inside")["pid"]


@pytest.mark.req("SEC-5")
def test_file_names_are_text_and_nothing_else(toru: Toru) -> None:
    for name in ("$HOME.binary", "%n.binary", "a b;c&d.binary", "'quotes\".binary", "-flag.binary", "ünïcode.binary"):
        plugin_id = f"odd-{abs(hash(name)) % 10**6}"
        toru.plant(plugin_id, file=name)
        toru.scan()
        assert toru.ask(plugin_id)["pid"], name


@pytest.mark.req("SEC-5", "ISO-4")
def test_a_name_that_could_forge_a_log_line_is_refused_and_shown_escaped(toru: Toru) -> None:
    toru.drop("two\nlines.binary", "#!/bin/sh\n")
    toru.scan()
    assert toru.rejected()["two\\nlines.binary"] == "its name has characters that can't be shown"


@pytest.mark.req("ISO-3")
def test_a_missing_directory_is_made_and_everything_starts_without_plugins(toru: Toru, host: Host) -> None:
    host.run("rm", "-rf", PLUGINS)
    host.run("systemctl", "restart", "toru-plugins.service")
    assert host.run("stat", "-c", "%U %a", PLUGINS).stdout.split() == ["root", "755"]
    assert toru.overview() == {"plugins": [], "rejected": []}


@pytest.mark.req("LIFE-6")
def test_a_file_that_arrives_while_a_scan_runs_is_not_missed(toru: Toru, host: Host) -> None:
    toru.drop("hangs.binary", "#!/bin/sh\nexec sleep 4712\n")  # keeps a scan busy for five seconds
    toru.wait_until("a scan to run it", lambda: host.run("pgrep", "-fx", "sleep 4712", check=False).stdout)
    toru.plant("latecomer")
    toru.wait_until("the latecomer to be found", lambda: toru.is_loaded("latecomer"), 20)


@pytest.mark.req("LIFE-6", "LIFE-1")
def test_enabling_one_newcomer_at_once_forgets_no_other(toru: Toru, host: Host) -> None:
    host.run("systemctl", "stop", "toru-scan.path")  # as if both had arrived in the same moment
    try:
        toru.plant("first")
        toru.plant("second")
        toru.enable("first")
    finally:
        host.run("systemctl", "start", "toru-scan.path")
    toru.scan()
    assert toru.ask("second")["pid"]


@pytest.mark.req("LIFE-3")
def test_a_new_plugin_stays_off_where_ops_switched_auto_enable_off(toru: Toru, host: Host) -> None:
    toru.settings("auto_enable = false")
    toru.plant("shy")
    toru.scan()
    assert not toru.is_loaded("shy")
    assert toru.plugin("shy")["enabled"] is False
    toru.enable("shy")
    assert toru.config()["plugins"] == {"shy": True}
    assert host.read(CONFIG)
