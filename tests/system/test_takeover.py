"""What is left to somebody who has taken the core over: tried in its own process, in its own unit and sandbox.

The core runs as it always does but for a back door: on SIGUSR1 it runs a file of ours, and writes down what came of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru
from toru.systemd import notify

CODE, FOUND = "/etc/toru-back-door/code.py", "/var/lib/toru/found.json"
DROP_IN = "/etc/systemd/system/toru.service.d/back-door.conf"

BACK_DOOR = f"""
import json, os, signal
def open_up(_number, _frame):
    names = {{}}
    exec(compile(open("{CODE}").read(), "{CODE}", "exec"), names)
    with open("{FOUND}.new", "w") as file:
        json.dump(names["found"], file)
    os.rename("{FOUND}.new", "{FOUND}")
signal.signal(signal.SIGUSR1, open_up)
"""

# What an attempt came to: the name of the error, or what was done. The last is told from errors by its brackets.
TRYING = """
import asyncio, ctypes, errno, mmap, os, shutil, socket, stat, subprocess, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
found = {}
def attempt(what, act, *arguments):
    try:
        found[what] = [repr(act(*arguments))[:300]]
    except OSError as error:
        found[what] = errno.errorcode.get(error.errno, str(error))
def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)
def new(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
"""


class Owned:
    """The core, in somebody else's hands."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.pid = host.show("toru.service", "MainPID")["MainPID"]

    def do(self, code: str, **given: Any) -> dict[str, Any]:
        """What came of it: attempt → the name of the error that it ended with, or a list of what it achieved."""
        values = "".join(f"{name} = {value!r}\n" for name, value in given.items())
        self.host.put(CODE, TRYING + values + code)
        self.host.run("systemctl", "kill", "--signal=USR1", "--kill-whom=main", "toru.service")
        self.host.wait_for("the end of what the core was made to do", self._has_ended, 60)
        found: dict[str, Any] = json.loads(self.host.read(FOUND))
        self.host.run("rm", FOUND)
        return found

    def _has_ended(self) -> bool:
        return self.host.run("test", "-e", FOUND, check=False).returncode == 0


@pytest.fixture(scope="module")
def opened(host: Host) -> Iterator[Owned]:
    program = host.read("/usr/bin/toru")
    interpreter = program.splitlines()[0].removeprefix("#!")
    host.put("/etc/toru-back-door/toru", program.replace("\nsys.exit(", f"{BACK_DOOR}\nsys.exit("), 0o755)
    host.put(DROP_IN, f"[Service]\nExecStart=\nExecStart={interpreter} /etc/toru-back-door/toru serve\n")
    try:
        host.run("systemctl", "daemon-reload")
        host.run("systemctl", "restart", "toru.service")
        yield Owned(host)
    finally:
        host.run("rm", "-rf", "/etc/toru-back-door", DROP_IN, FOUND)
        host.run("systemctl", "daemon-reload")
        host.run("systemctl", "restart", "toru.service")


@pytest.fixture
def owned(opened: Owned, host: Host) -> Iterator[Owned]:
    yield opened
    # It was the core all the time, and is none the worse for it.
    assert host.show("toru.service", "MainPID", "SubState") == {"MainPID": opened.pid, "SubState": "running"}
    assert Api(host).get("/api/health")["status"] == "ok"


def achieved(found: dict[str, Any]) -> dict[str, Any]:
    return {what: came for what, came in found.items() if isinstance(came, list)}


@pytest.mark.req("SEC-3")
def test_it_is_the_core_that_is_tried(owned: Owned, host: Host) -> None:
    found = owned.do(
        "attempt('pid', os.getpid)\n"
        "attempt('serves', lambda: [name for name in ('toru.serve', 'uvicorn', 'fastapi') if name in sys.modules])\n"
        "attempt('reads', lambda: len(os.listdir('/usr/lib/systemd/system')) > 0)\n"
        "attempt('writes', new, '/var/lib/toru/back-door')\n"
    )
    assert found == {
        "pid": [owned.pid],
        "serves": ["['toru.serve', 'uvicorn', 'fastapi']"],
        "reads": ["True"],
        "writes": ["None"],
    }
    owner = host.run("stat", "--format=%U", "/var/lib/toru/back-door").stdout.strip()
    host.run("rm", "/var/lib/toru/back-door")
    assert owner == "toru"


@pytest.mark.req("SEC-3")
def test_the_core_runs_no_program(owned: Owned, host: Host) -> None:
    found = owned.do("""
attempt("a program", subprocess.run, ["/bin/true"])
attempt("a shell", subprocess.run, ["/bin/sh", "-c", "exit"])
attempt("itself once more", os.posix_spawn, sys.executable, [sys.executable, "-c", ""], {})
attempt("in its own place", os.execv, "/bin/true", ["true"])
attempt("by descriptor", os.execve, os.open("/bin/true", os.O_RDONLY), ["true"], {})
attempt("one with the setuid bit", subprocess.run, ["/usr/bin/su", "-c", "true"])
thread = threading.Thread(target=attempt, args=("in another thread", subprocess.run, ["/bin/true"]))
thread.start()
thread.join()
""")
    assert len(found) == 7
    assert set(found.values()) == {"EPERM"}
    assert host.run("stat", "--format=%A", "/usr/bin/su").stdout.startswith("-rws")
    # The kernel counts the same filters for each of its threads: none was started before the last was laid.
    tasks = host.run("sh", "-c", f"grep -h ^Seccomp_filters: /proc/{owned.pid}/task/*/status").stdout.splitlines()
    assert len(tasks) > 1
    assert len(set(tasks)) == 1


@pytest.mark.req("SEC-3")
def test_the_core_can_say_much_all_the_same(toru: Toru, owned: Owned) -> None:
    found = owned.do("""
from toru.systemd import notify
attempt("say", notify.log, notify.ERROR, "\\N{SNAKE}" * 1_000_000)
""")
    assert found == {"say": ["None"]}
    (said,) = toru.journal("_SYSTEMD_UNIT=toru.service", "PRIORITY=3")
    assert said["MESSAGE"] == "\N{SNAKE}" * notify.LONGEST


@pytest.mark.req("SEC-3")
def test_what_the_core_can_write_it_can_neither_run_nor_load(owned: Owned) -> None:
    found = owned.do("""
library = next(line.split()[5] for line in open("/proc/self/maps") if "libc.so" in line)
def load(directory):
    path = f"{directory}/library.so"
    shutil.copyfile(library, path)
    try:
        os.chmod(path, 0o700)
        return ctypes.CDLL(path)
    finally:
        os.unlink(path)
def map_executable(directory):
    path = f"{directory}/page"
    with open(path, "wb+") as file:
        os.unlink(path)
        file.truncate(4096)
        mmap.mmap(file.fileno(), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)
def make_executable():
    page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    call("mprotect", ctypes.c_void_p(address), 4096, mmap.PROT_READ | mmap.PROT_EXEC)
mounts = [line.split() for line in open("/proc/self/mountinfo")]
writable = []
for mount in mounts:
    no_files = {"proc", "devpts", "mqueue"} & {mount[mount.index("-") + 1]}
    if "ro" not in mount[5].split(",") and not no_files:
        device = os.stat(mount[4]).st_dev
        for directory, names, _ in os.walk(mount[4]):
            names[:] = [name for name in names if os.lstat(f"{directory}/{name}").st_dev == device]
            if os.access(directory, os.W_OK | os.X_OK):
                writable.append(directory)
for directory in writable:
    attempt(f"load from {directory}", load, directory)
    attempt(f"map from {directory}", map_executable, directory)
attempt("memory that can be written and run", mmap.mmap, -1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
attempt("memory that was written, made to run", make_executable)
attempt("a file in memory", os.memfd_create, "program")
# The same from where programs lie, which is how it should fail if anything else was wrong.
with open(library, "rb") as file:
    attempt("control", mmap.mmap, file.fileno(), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)
""")
    assert list(achieved(found)) == ["control"]
    places = {what.removeprefix("load from ") for what in found if what.startswith("load from ")}
    assert {"/var/lib/toru", "/tmp", "/var/tmp", "/dev/shm"} <= places  # noqa: S108  not ours
    assert {came for what, came in found.items() if what.startswith("map from")} == {"EPERM"}
    loaded = {came for what, came in found.items() if what.startswith("load from")}
    assert all("failed to map segment" in came for came in loaded), loaded
    assert {came for what, came in found.items() if "memory" in what} <= {"EPERM", "EACCES"}, found


@pytest.mark.req("SEC-3")
def test_the_core_gets_at_nothing_that_a_plugin_keeps_to_itself(toru: Toru, owned: Owned, host: Host) -> None:
    host.put("/etc/toru-back-door/secret", "a password", 0o600)
    host.put(
        "/etc/systemd/system/toru-plugin-web.service.d/override.conf",
        "[Service]\nLoadCredential=password:/etc/toru-back-door/secret\n",
    )
    toru.plant("web")
    toru.scan()
    pid = toru.ask("web")["pid"]
    files = [f"/var/{place}/toru-plugins/web/kept" for place in ("lib", "cache", "log")]
    for path in files:
        host.run("install", "-m", "644", "/etc/toru-back-door/secret", path)
    files.append("/run/credentials/toru-plugin-web.service/password")
    files.append("/run/credentials/toru-plugin-web.service/toru-token")
    for path in files:
        assert host.read(path), path
    found = owned.do(
        """
for path in files:
    attempt(f"read {path}", lambda: open(path).read())
for place in ("lib", "cache", "log"):
    attempt(f"look into {place}", os.listdir, f"/var/{place}/private")
    attempt(f"write to {place}", new, f"/var/{place}/toru-plugins/web/more")
attempt("end it", os.kill, pid, 9)
attempt("stop it", os.kill, pid, 19)
attempt("trace it", call, "ptrace", 16, pid, None, None)
buffer = ctypes.create_string_buffer(8)
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
vector = Vector(ctypes.addressof(buffer), 8)
attempt("read its memory", call, "process_vm_readv", pid, ctypes.byref(vector), 1, ctypes.byref(vector), 1, 0)
attempt("see it", os.stat, f"/proc/{pid}")
""",
        files=files,
        pid=pid,
    )
    assert len(found) == len(files) + 11
    assert host.run("test", "-d", f"/proc/{pid}", check=False).returncode == 0
    unseen = {what for what, came in found.items() if came == "ENOENT"}
    assert unseen == {"see it", f"read {files[-1]}", f"read {files[-2]}"}, found
    assert {came for what, came in found.items() if what not in unseen} <= {"EACCES", "EPERM", "EROFS"}, found
    assert toru.ask("web")["pid"] == pid


@pytest.mark.req("SEC-3")
def test_the_core_makes_no_unit_and_does_not_become_root(toru: Toru, owned: Owned, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    units = ["/etc/systemd/system", "/run/systemd/system", "/run/systemd/transient", "/usr/lib/systemd/system"]
    places = [f"{directory}/owned.service" for directory in units]
    places += ["/etc/toru/toru.toml.d/owned.toml", "/etc/owned", "/etc/shadow", "/usr/bin/toru", "/usr/bin/owned"]
    places += ["/usr/share/polkit-1/rules.d/owned.rules", "/etc/polkit-1/rules.d/owned.rules", "/run/owned"]
    places += ["/var/lib/toru/plugins/owned.binary", "/var/lib/toru/plugins/.metadata/config.json"]
    places += ["/run/toru/tokens/owned", "/run/toru/catalogue.json", "/var/cache/toru/probes.json"]
    for directory in {place.rpartition("/")[0] for place in places}:
        host.run("mkdir", "-p", directory)
    found = owned.do(
        """
from toru.domain.errors import SystemdRefused
from toru.systemd.bus import connect
async def ask(method, signature, *arguments):
    async with connect() as bus:
        await bus.manage(method, signature, *arguments)
def manage(*arguments):
    def work():
        try:
            outcome.append(asyncio.run(ask(*arguments)))
        except SystemdRefused as refusal:
            outcome.append(refusal)
    outcome = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(outcome[0], SystemdRefused):
        raise OSError(errno.EPERM, str(outcome[0]))
from dbus_fast import Variant
run = [["ExecStart", Variant("a(sasb)", [["/bin/touch", ["/bin/touch", "/run/owned"], False]])]]
for name in ("owned.service", "toru-plugin-owned.service", "toru-enable@owned.service"):
    attempt(f"make {name}", manage, "StartTransientUnit", "ssa(sv)a(sa(sv))", name, "fail", run, [])
attempt("change a unit", manage, "SetUnitProperties", "sba(sv)", "toru-plugin-web.service", True, [])
attempt("install a unit", manage, "LinkUnitFiles", "asbb", ["/var/lib/toru/owned.service"], True, True)
attempt("enable a unit", manage, "EnableUnitFiles", "asbb", ["debug-shell.service"], True, True)
attempt("reload", manage, "Reload", "")
attempt("set the environment of units", manage, "SetEnvironment", "as", ["LD_PRELOAD=/var/lib/toru/owned.so"])
attempt("end any process", manage, "KillUnit", "ssi", "dbus.service", "all", 0)
for path in places:
    attempt(f"write {path}", lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT)))
attempt("be root", os.setuid, 0)
attempt("be root for a while", os.setresuid, -1, 0, -1)
attempt("be of root's group", os.setgid, 0)
attempt("be of all groups", os.setgroups, [0])
new("/var/lib/toru/owned")
attempt("make a setuid program", os.chmod, "/var/lib/toru/owned", 0o4755)
attempt("give a file away", os.chown, "/var/lib/toru/owned", 0, 0)
attempt("make a device", os.mknod, "/var/lib/toru/device", stat.S_IFBLK | 0o600, os.makedev(8, 0))
attempt("mount", call, "mount", b"/var/lib/toru", b"/etc", None, 4096, None)
attempt("unmount", call, "umount2", b"/var/lib/toru/plugins", 2)
attempt("be root in a namespace", call, "unshare", 0x10000000)
attempt("change the root", os.chroot, "/var/lib/toru")
attempt("speak with the kernel", socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, 0)
attempt("speak past the stack", socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 0)
os.unlink("/var/lib/toru/owned")
""",
        places=places,
    )
    assert achieved(found) == {}
    assert set(found.values()) <= {"EPERM", "EACCES", "EROFS", "EAFNOSUPPORT"}, found
    assert len(found) == len(places) + 22
    for path in ("/run/owned", "/etc/owned", "/usr/bin/owned", "/var/lib/toru/plugins/owned.binary"):
        assert host.run("test", "-e", path, check=False).returncode == 1, path
    assert "owned" not in host.run("systemctl", "list-units", "--all", "--plain", "--no-legend").stdout
    assert host.run("ps", "-o", "user=", "-p", owned.pid).stdout.strip() == "toru"
