"""`toru backup` and `toru restore` on a host whose plugins serve and keep things meanwhile."""

from __future__ import annotations

import io
import json
import re
import secrets
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.databases import SQLITE, rows_of_sqlite
from tests.system.toru import PLUGINS, Toru

pytestmark = pytest.mark.req("OPS-3", "KV-3", "LIFE-3")

HERE = "/root/backups"
FILE = f"{HERE}/toru.tar.gz"
EXAMPLE = "/etc/toru/webhook-url.example"
DROP_IN = "/etc/systemd/system/toru-plugin-keeper.service.d/override.conf"
OF_CORE = "/run/systemd/system/toru.service.d/database.conf"
NOTES = "/var/lib/toru-plugins/keeper/notes"

# Keeps one number after the other, and asks the plugin in between, until it is told to end: prints each number that
# was acknowledged, and ends badly at the first request that fails.
BUSY = """
import http.client, json, socket, sys
class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("toru")
        self.path = path
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)
def ask(path, *request):
    connection = Connection(path)
    connection.request(*request)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        sys.exit(f"{answer.status}: {body}")
number = 0
while True:
    number += 1
    body = json.dumps({"action": "set", "key": "number", "value": number})
    ask("/run/toru/api.sock", "POST", "/api/plugins/keeper/kv", body, {"Content-Type": "application/json"})
    ask("/run/toru/plugins/keeper.sock", "GET", "/")
    print(number, flush=True)
"""


class Busy:
    """Somebody who uses Toru all the time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self._lines = process.stdout
        self._last = 0

    def next(self) -> int:
        """A number that was acknowledged after this was asked, or just before."""
        line = self._lines.readline()
        assert line, self._process.communicate()
        self._last = int(line)
        return self._last

    def last(self) -> int:
        """One more than was acknowledged: that may have been kept all the same."""
        self._process.kill()
        for line in self._lines:
            self._last = int(line)
        return self._last + 1


@contextmanager
def busy(host: Host) -> Iterator[Busy]:
    with host.popen("python3", "-c", BUSY, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield Busy(process)
        finally:
            process.kill()


@pytest.fixture
def place(toru: Toru, host: Host) -> Iterator[str]:
    """Where backups go; afterwards there is no trace of any."""
    host.run("mkdir", "-p", HERE)
    yield HERE
    host.run("sh", "-c", f"rm -rf {HERE} /var/backups/toru-before-restore-* /etc/toru/toru.toml.d {EXAMPLE}")
    host.run("systemctl", "restart", "toru.service")


def kept(host: Host, key: str = "number") -> Any:
    body = json.dumps({"action": "get", "key": key}).encode()
    return Api(host)("POST", "/api/plugins/keeper/kv", body=body).json()["value"]


def state(host: Host) -> str:
    """Everything that a restore may change, and what runs."""
    files = (
        "find /etc/toru /var/lib/toru/plugins /var/lib/toru/instance-id /etc/systemd/system/toru* "
        "/var/lib/private/toru-plugins /var/lib/toru-restore -type d -printf '%p %m %u %g\\n' "
        "-o -printf '%p %m %u %g %s %T@ %l\\n' 2>/dev/null | sort"
    )
    names = "ls -A /var/lib/toru /etc/systemd/system /var/backups"
    units = "systemctl show --property=Id,MainPID,ActiveState toru.service toru-plugin-keeper.service"
    return host.run("sh", "-c", f"{files}; {names}; {units}").stdout


def furnish(toru: Toru, host: Host) -> None:
    """Something of everything that a backup is to have."""
    toru.plant("keeper")
    toru.plant("off")
    toru._files.add("later.binary")
    toru.settings("[limits]\ntasks = 99\n")
    host.put(EXAMPLE, "secret\n", 0o640)
    host.run("chgrp", "toru", EXAMPLE)
    host.put(DROP_IN, "[Service]\nMemoryMax=123M\n")
    host.run("systemctl", "daemon-reload")
    toru.scan()
    toru.disable("off")
    toru.wait_until("the core to know", lambda: Api(host)("GET", "/api/plugins/keeper").status == 200)
    host.run("toru", "user", "add", "ann", "--admin", "--generate")
    host.run("sh", "-c", f"echo mine > {NOTES}; chown --reference=/var/lib/toru-plugins/keeper/. {NOTES}")


def change_everything(toru: Toru, host: Host) -> None:
    host.run("sh", "-c", f"rm /etc/toru/toru.toml {EXAMPLE} {DROP_IN}")
    host.put("/etc/toru/toru.toml.d/new.toml", "[limits]\ntasks = 77\n")
    host.put("/var/lib/toru/instance-id", "another\n")
    host.run("sh", "-c", f"echo other > {NOTES}; touch {NOTES}.new")
    host.run("toru", "user", "add", "eve", "--admin", "--generate")
    host.run("toru", "user", "delete", "ann")
    toru.enable("off")
    host.run("mv", f"{PLUGINS}/off.binary", f"{PLUGINS}/later.binary")


def test_everything_comes_back_as_it_was_while_it_was_in_use(toru: Toru, host: Host, place: str) -> None:
    furnish(toru, host)
    pid = toru.pid("keeper")
    users = rows_of_sqlite(host)("SELECT name FROM users ORDER BY name")

    with busy(host) as somebody:
        before = somebody.next()
        said = json.loads(host.run("toru", "backup", FILE, "--json").stdout)
        somebody.next()
        after = somebody.last()
    assert (said["file"], said["database"], said["data"], said["remarks"]) == (FILE, True, True, [])
    assert toru.pid("keeper") == pid, "nobody was restarted"
    assert host.run("stat", "--format=%a %U", FILE).stdout == "600 root\n"
    # Anybody with tar and sha256sum can look at it.
    check = f"mkdir {place}/x && cd {place}/x && tar xzf {FILE} && sha256sum --quiet -c SHA256SUMS"
    host.run("sh", "-euc", check)
    instance_id = host.read("/var/lib/toru/instance-id")

    change_everything(toru, host)
    told = host.run("toru", "restore", FILE).stdout.splitlines()
    assert told[0].startswith(f"{FILE}\trestored\tof 20")
    assert before <= kept(host) <= after, "what was acknowledged before is in it"
    assert host.read("/var/lib/toru/instance-id") == instance_id
    assert host.run("ls", PLUGINS).stdout.split() == ["keeper.binary", "off.binary"]
    assert toru.config()["plugins"]["off"] is False
    assert (toru.is_loaded("off"), toru.is_loaded("keeper")) == (False, True)
    assert toru.service("keeper", "MemoryMax", "TasksMax") == {"MemoryMax": str(123 << 20), "TasksMax": "99"}
    assert host.run("sh", "-c", "ls -A /etc/toru/toru.toml.d 2>&1; true").stdout.count("new.toml") == 0
    assert host.run("stat", "--format=%a %U %G", EXAMPLE).stdout == "640 root toru\n"
    assert rows_of_sqlite(host)("SELECT name FROM users ORDER BY name") == users
    assert rows_of_sqlite(host)("SELECT count(*) FROM sessions") == [(0,)]
    # Its data are the plugin's own again, whoever that is now.
    toru.ask("keeper")
    assert host.run("sh", "-c", f"cat {NOTES}; ls {NOTES}*").stdout == f"mine\n{NOTES}\n"
    owner = host.run("stat", "--format=%u", NOTES).stdout
    assert host.run("stat", "--format=%u", f"/proc/{toru.pid('keeper')}").stdout == owner
    # The machine's own files may come and go meanwhile.
    left = "find / -ignore_readdir_race -xdev -name '.toru-restore-*' -o -xdev -path /var/lib/toru-restore"
    assert host.run("sh", "-c", left).stdout == ""
    assert host.show("toru-scan.path", "ActiveState") == {"ActiveState": "active"}

    # And what was before is kept, in the same form.
    (there,) = host.run("sh", "-c", "ls /var/backups/toru-before-restore-*").stdout.split()
    assert told[1] == f"{there}\twhat was before"
    host.run("toru", "restore", there, "--no-keep")
    names = [row[0] for row in rows_of_sqlite(host)("SELECT name FROM users")]
    assert ("eve" in names, "ann" in names) == (True, False)
    assert host.read("/etc/toru/toru.toml.d/new.toml") == "[limits]\ntasks = 77\n"
    assert host.run("ls", PLUGINS).stdout.split() == ["keeper.binary", "later.binary"]


@pytest.fixture
def backup(toru: Toru, host: Host, place: str) -> bytes:
    toru.plant("keeper")
    toru.scan()
    toru.wait_until("a database", lambda: host.run("test", "-e", SQLITE, check=False).returncode == 0)
    host.run("toru", "backup", FILE)
    return host.path(FILE).read_bytes()


Member = tuple[tarfile.TarInfo, bytes]


def members(archive: bytes) -> list[Member]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return [(it, file.read() if (file := tar.extractfile(it)) is not None else b"") for it in tar]


def archive(content: list[Member]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for member, data in content:
            member.size = len(data) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(data))
    return whole.getvalue()


def new(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, link, 0o755
    return member, b"evil\n" if kind == tarfile.REGTYPE else b""


def with_more(backup: bytes, *more: Member) -> bytes:
    """Before the sums, which don't know of it: the names are looked at first."""
    content = members(backup)
    return archive([*content[:-1], *more, content[-1]])


def changed(backup: bytes, name: str, change: Any) -> bytes:
    return archive([(it, change(data) if it.name == name else data) for it, data in members(backup)])


def about(**what: Any) -> Any:
    return lambda data: json.dumps({**json.loads(data), **what}).encode()


def spoilt(backup: bytes) -> Iterator[tuple[str, bytes, str]]:
    """What is wrong, the file, and what is told."""
    half = len(backup) // 2
    flipped = bytearray(backup)
    flipped[half] ^= 0x20
    tail = bytearray(backup)
    tail[-6] ^= 1
    damaged, no_backup_has = "is damaged or no backup of Toru", "which no backup has"
    yield "empty", b"", damaged
    yield "something else", b"#!/bin/sh\nexit 1\n" * 100, damaged
    yield "cut off", backup[:half], damaged
    yield "cut off at its end", backup[:-4], damaged
    yield "a bit turned", bytes(flipped), damaged
    yield "a bit turned in its sum", bytes(tail), damaged
    yield "a file changed", changed(backup, "plugins/keeper.binary", lambda data: data + b"#"), "is not what it was"
    yield "a file lost", archive([it for it in members(backup) if it[0].name != "state/instance-id"]), "more files"
    yield "no sums", archive(members(backup)[:-1]), "its end is missing"
    yield "not the first", archive(members(backup)[1:]), "does not begin as"
    yield "a newer release", changed(backup, "backup.json", about(toru="99.1.0")), "made by Toru 99.1.0, and this is"
    yield "a newer form", changed(backup, "backup.json", about(format=2)), "which can't read it"
    yield "a newer database", changed(backup, "backup.json", about(revision="r9999")), "(revision r9999), and this is"
    yield "no absolute path", changed(backup, "backup.json", about(plugins_dir="../x")), "is not as it should be"
    yield "another database", changed(backup, "toru.db", lambda data: data[:4096]), "is not what it was"
    yield "upwards", with_more(backup, new("plugins/../../../etc/cron.d/evil")), no_backup_has
    yield "absolute", with_more(backup, new("/etc/cron.d/evil")), no_backup_has
    yield "another root", with_more(backup, new("cron/evil")), no_backup_has
    yield "another's unit", with_more(backup, new("units/cron.service.d", tarfile.DIRTYPE)), no_backup_has
    yield "no directory before", with_more(backup, new("plugins/nowhere/evil")), no_backup_has
    link = new("plugins/way", tarfile.SYMTYPE, "../../../../etc")
    yield "a link that leads out", with_more(backup, link), "of a kind that no backup has"
    way = new("plugins/way", tarfile.SYMTYPE, "keeper.binary")
    yield "a file through a link", with_more(backup, way, new("plugins/way/evil")), no_backup_has
    yield "a link to a file of the host", with_more(backup, new("plugins/x", tarfile.LNKTYPE, "/etc/shadow")), "a kind"
    yield "a device", with_more(backup, new("plugins/x", tarfile.CHRTYPE)), "a kind"
    yield "a pipe", with_more(backup, new("plugins/x", tarfile.FIFOTYPE)), "a kind"
    yield "a name twice", with_more(backup, new("plugins/keeper.binary")), "twice"


@pytest.mark.one_host
def test_what_is_damaged_newer_or_made_to_harm_is_refused_and_nothing_changes(
    toru: Toru, host: Host, backup: bytes
) -> None:
    before = state(host)
    for what, content, told in spoilt(backup):
        host.path(f"{HERE}/spoilt").write_bytes(content)
        done = host.run("toru", "restore", f"{HERE}/spoilt", check=False)
        assert (done.returncode, done.stdout) == (1, ""), what
        assert told in done.stderr, (what, done.stderr)
        assert done.stderr.endswith("; nothing was changed\n"), (what, done.stderr)
        assert state(host) == before, what
    host.run("toru", "restore", FILE, "--check")
    assert state(host) == before


@pytest.mark.one_host
def test_a_full_disk_costs_nothing(toru: Toru, host: Host, backup: bytes) -> None:
    toru.drop("large.binary", b"#!/bin/sh\n" + secrets.token_bytes(1 << 20))
    small = f"{HERE}/small"
    host.run("mkdir", small)
    host.run("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", small)
    done = host.run("toru", "backup", f"{small}/toru.tar.gz", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"toru: {small}/toru.tar.gz was not made: No space left on device\n"
    assert host.run("ls", "-A", small).stdout == ""
    host.run("umount", small)
    assert host.run("sh", "-c", "ls -A /var/lib/toru | grep '^\\.'; true").stdout == ""

    # A plugins directory on a small disk of its own: what is in the backup does not fit beside what is there.
    host.run("toru", "backup", f"{HERE}/large.tar.gz")
    toru.remove("large.binary")
    toru.scan()
    host.run("mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "tmpfs", PLUGINS)
    try:
        before = state(host)
        done = host.run("toru", "restore", f"{HERE}/large.tar.gz", check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "can't be laid down: No space left on device; nothing was changed" in done.stderr
        assert state(host) == before
        # What fits is restored, on a disk of its own too.
        host.run("toru", "restore", FILE)
        assert host.run("ls", PLUGINS).stdout == "keeper.binary\n"
    finally:
        host.run("umount", PLUGINS)


@pytest.mark.one_host
def test_a_restore_that_was_cut_off_keeps_toru_down_until_it_is_put_back(toru: Toru, host: Host, backup: bytes) -> None:
    """Killed between two renames, and then the power failed."""
    plugin, aside = f"{PLUGINS}/keeper.binary", f"{PLUGINS}/.toru-restore-1/old/keeper.binary"
    units = ["toru.socket", "toru.service", "toru-scan.path", "toru-plugins.service"]
    plan = {
        "moves": [[plugin, aside], ["/etc/toru/hooks.d", "/etc/toru/.toru-restore-1/old/hooks.d"]],
        "directories": [f"{PLUGINS}/.toru-restore-1", "/etc/toru/.toru-restore-1"],
        "units": units,
    }
    host.run("systemctl", "stop", "toru-scan.path", "toru.socket", "toru.service")
    host.run("sh", "-c", f"mkdir -p {PLUGINS}/.toru-restore-1/old /etc/toru/.toru-restore-1/old; mv {plugin} {aside}")
    host.put("/var/lib/toru-restore/plan.json", json.dumps(plan))
    for unit in ("toru.service", "toru-plugins.service", "toru-scan.service"):
        host.run("systemctl", "restart", unit, check=False)
        assert host.show(unit, "AssertResult")["AssertResult"] == "no", unit
    for command in (
        ("backup", f"{HERE}/another"),
        ("restore", FILE),
        ("import", "--plugins", "/usr"),
        ("user", "add", "late", "--generate"),
        ("enable", "keeper"),
        ("disable", "keeper"),
    ):
        refused = host.run("toru", *command, check=False)
        assert (refused.returncode, "toru restore --recover" in refused.stderr) == (1, True), command
    assert host.run("toru", "restore", "--recover").stdout == "everything is as it was before\n"
    assert host.run("ls", "-A", PLUGINS).stdout == "keeper.binary\n"
    assert host.run("ls", "-A", "/etc/toru").stdout == "hooks.d\n"
    for unit in units:
        assert host.show(unit, "ActiveState")["ActiveState"] == "active"
    assert toru.ask("keeper")
    assert host.run("toru", "restore", "--recover").stdout == "no restore was cut off\n"


@pytest.mark.one_host
def test_what_is_not_in_it_is_told(toru: Toru, host: Host, place: str) -> None:
    host.run("ln", "-s", "/etc/shadow", f"{PLUGINS}/shadow")
    toru._files.add("shadow")
    host.run("install", "-d", "/var/lib/toru-plugins/own-user")
    url = "postgresql+psycopg://toru:geheim@db.example.org/toru"
    # Where the core's own unit says it.
    host.put(OF_CORE, f"[Service]\nEnvironment=TORU_DATABASE_URL={url}\n")
    host.run("systemctl", "daemon-reload")
    said = json.loads(host.run("toru", "backup", FILE, "--json").stdout)
    assert said["database"] is False
    assert {(it["path"], it["reason"][:20]) for it in said["remarks"]} == {
        ("database", "it is in no file of "),
        (f"{PLUGINS}/shadow", "it is a link that le"),
        ("/var/lib/toru-plugins/own-user", "its plugin has a use"),
    }
    names = [it.name for it, _ in members(host.path(FILE).read_bytes())]
    assert "toru.db" not in names
    assert not any("shadow" in name for name in names)
    assert b"geheim" not in b"".join(data for _, data in members(host.path(FILE).read_bytes()))
    checked = host.run("toru", "restore", FILE, "--check").stderr
    assert checked.startswith("toru: database: it is not in this backup")
    host.run("toru", "backup", f"{HERE}/less", "--without-data")
    assert not any(it.name.startswith("data/") for it, _ in members(host.path(f"{HERE}/less").read_bytes()))
    host.run("sh", "-c", f"rmdir /var/lib/toru-plugins/own-user; rm -r $(dirname {OF_CORE})")
    host.run("systemctl", "daemon-reload")


@pytest.mark.one_host
def test_wrong_users_and_wrong_words_are_told(toru: Toru, host: Host, place: str) -> None:
    def said(*words: str, user: str | None = None) -> tuple[int, str]:
        done = host.run("toru", *words, user=user, check=False)
        assert done.stdout == ""
        return done.returncode, done.stderr

    assert said("backup", "/tmp/x", user="nobody") == (  # noqa: S108  (where anybody may write)
        1,
        "toru: only root may make a backup: there is nothing in Toru that isn't in it\n",
    )
    assert said("restore", "/usr/x", user="toru") == (1, "toru: only root may restore a backup\n")
    host.put(FILE, "mine")
    assert said("backup", FILE) == (1, f"toru: {FILE} is there already, and stays as it is\n")
    assert host.read(FILE) == "mine"
    assert said("backup", "/nowhere/x") == (1, "toru: /nowhere: there is no such directory\n")
    assert said("backup", f"{PLUGINS}/x")[0] == 1
    assert said("restore", "/nowhere") == (2, "toru: /nowhere: there is no such file\n")
    assert said("restore")[0] == said("restore", FILE, "--recover")[0] == 2
    named = host.run("toru", "backup", HERE).stdout.split("\t")[0]
    assert re.fullmatch(rf"{HERE}/toru-[\w.-]+-\d{{8}}T\d{{6}}Z\.tar\.gz", named)
