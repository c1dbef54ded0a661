"""What must be right on a host for Toru to work there: each check looks at one thing and says what it found."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

from toru.cli import look
from toru.cli.findings import Finding, Level
from toru.cli.look import UnitState
from toru.cli.straight import journal_is_readable
from toru.domain import places
from toru.domain.catalogue import Catalogue
from toru.domain.errors import InvalidSettings, SystemdRefused
from toru.domain.policy import Policy
from toru.domain.wishes import Wishes
from toru.settings import read_settings
from toru.systemd import wire
from toru.systemd.bus import Bus

OLDEST_SYSTEMD = 252

ON_DEMAND_UNITS = (
    *("toru-enable@.service", "toru-disable@.service", "toru-pause@.service", "toru-resume@.service"),
    *("toru-scan.service", "toru-plugins.slice"),
)
SANDBOX = Path("/usr/lib/systemd/system/toru-plugin-.service.d/10-sandbox.conf")
POLKIT_RULE = Path("/usr/share/polkit-1/rules.d/50-toru.rules")
CGROUPS = Path("/sys/fs/cgroup")

LIMITS = {"memory": "memory", "pids": "tasks", "cpu": "CPU"}
"""Each kind of limit by the cgroup controller that it needs."""

# Sandboxed plugins see nothing of these (ProtectHome=, PrivateTmp=).
HIDDEN_FROM_PLUGINS = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108  only named

INSTALL = "install Toru's package"
MORE_CONTROLLERS = "let systemd have the cgroup controllers memory, pids and cpu"


def _ok(check: str, sentence: str) -> Finding:
    return Finding(level=Level.OK, check=check, sentence=sentence)


def _warn(check: str, sentence: str, remedy: str) -> Finding:
    return Finding(level=Level.WARN, check=check, sentence=sentence, remedy=remedy)


def _bad(check: str, sentence: str, remedy: str) -> Finding:
    return Finding(level=Level.BAD, check=check, sentence=sentence, remedy=remedy)


def examine() -> list[Finding]:
    """Everything, from the host up to the plugins; of a host without Toru, whether it could have it."""
    try:
        found, is_installed = look.ask(_what_systemd_says)
    except SystemdRefused as refusal:
        return [_bad("systemd", str(refusal), "boot the host with systemd, and start dbus.socket"), _trials()]
    found += [check() for check in (_dynamic_users, _credentials, _limits, _journal)]
    if not is_installed:
        return [*found, _trials()]
    of_settings, policy = _settings()
    found += [_users(), of_settings, look.ask(lambda bus: _watch(bus, policy.plugins_dir))]
    found += [_directory(policy.plugins_dir), _wishes(policy.plugins_dir), _catalogue()]
    return found


# what systemd says


async def _what_systemd_says(bus: Bus) -> tuple[list[Finding], bool]:
    """What it says, and whether it has Toru's units."""
    found = [_version(await bus.version()), _polkit(await look.unit_state(bus, "polkit.service"))]
    states = [await look.unit_state(bus, unit) for unit in look.UNITS]
    if all(state.load == "not-found" for state in states):
        return [found[0], _bad("units", "Toru's units are not installed on this host", INSTALL)], False
    found += [_unit(state) for state in states]
    return [*found, await _units_on_demand(bus), _sandbox()], True


def _version(version: int) -> Finding:
    if version < OLDEST_SYSTEMD:
        return _bad("systemd", f"systemd is {version}, and Toru needs {OLDEST_SYSTEMD}", "upgrade the system")
    return _ok("systemd", f"systemd {version} answers on the system bus")


def _polkit(state: UnitState) -> Finding:
    if state.load != "loaded":
        return _bad("polkit", "polkit is not installed: the web manager can't enable a plugin", "apt install polkitd")
    try:
        POLKIT_RULE.stat()
    except FileNotFoundError:
        return _bad("polkit", f"its rule {POLKIT_RULE} is missing: the web manager can't enable a plugin", INSTALL)
    except OSError as error:
        return _warn("polkit", f"its rule can't be looked for: {error.strerror}", "ask again as root")
    return _ok("polkit", "polkit and its rule for the user toru are there")


def _unit(state: UnitState) -> Finding:
    if state.load != "loaded":
        return _bad(state.name, f"it is {state.load}", INSTALL)
    if state.active in {"activating", "reloading", "refreshing"}:
        return _warn(state.name, f"it is {state.active}", "wait, and ask again")
    if state.active != "active":
        remedy = f"systemctl start {state.name}"
        if state.active == "failed":
            remedy += f", after a look at journalctl -u {state.name}"
        return _bad(state.name, f"it is {state.active}", remedy)
    return _ok(state.name, f"it is {state.active} ({state.sub})")


async def _units_on_demand(bus: Bus) -> Finding:
    rows = await bus.manage("ListUnitFilesByPatterns", "asas", [], list(ON_DEMAND_UNITS))
    missing = sorted(set(ON_DEMAND_UNITS) - {Path(path).name for path, _state in rows})
    if missing:
        return _bad("units", f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing", INSTALL)
    return _ok("units", "the units that Toru starts on demand are there")


def _sandbox() -> Finding:
    if not SANDBOX.exists():
        return _bad("sandbox", f"{SANDBOX} is missing: plugins run without a sandbox", INSTALL)
    return _ok("sandbox", "plugins get the sandbox of toru-plugin-.service.d")


async def _watch(bus: Bus, plugins_dir: Path) -> Finding:
    own = await bus.properties("toru-scan.path", f"{wire.SERVICE}.Path")
    watched = [Path(path) for _kind, path in own["Paths"]]
    if plugins_dir in watched:
        return _ok("watch", f"toru-scan.path watches {plugins_dir}")
    return _bad(
        "watch",
        f"toru-scan.path does not watch {plugins_dir}, the plugins directory of the settings: new files stay unnoticed",
        f'systemctl edit toru-scan.path, and say there: "[Path]", "PathChanged=", "PathChanged={plugins_dir}"',
    )


def _trials() -> Finding:
    """On a machine without Toru, somebody may want to try it."""
    from toru.trial import TrialError, enforcement
    from toru.trial.machine import check_machine

    try:
        check_machine()
    except TrialError as error:
        return Finding(level=Level.WARN, check="trials", sentence=str(error))
    if enforcement(limits=False).complete:
        return _ok("trials", "toru try works here, and holds plugins to their limits")
    if enforcement(limits=True).complete:
        return _ok("trials", "toru try works here, and with --limits holds plugins to their limits")
    return _warn("trials", "toru try works here, but does not hold plugins to all limits", MORE_CONTROLLERS)


# the host


def _dynamic_users() -> Finding:
    """Without the module, a plugin's user has no name, and dbus-daemon turns it away."""
    check, remedy = "libnss-systemd", "apt install libnss-systemd"
    if not any(Path("/usr/lib").glob(pattern) for pattern in ("*/libnss_systemd.so.2", "libnss_systemd.so.2")):
        return _warn(
            check, "libnss-systemd is missing: plugins of the profile trusted can't use the system bus", remedy
        )
    return _ok(check, "the users of plugins have names")


def _credentials() -> Finding:
    """systemd hands credentials over by a mount that must reach the unit's namespace."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    root = [fields for fields in mounts if fields[4] == "/"][-1:]
    # proc_pid_mountinfo(5): optional fields stand between the mount options and a hyphen.
    if any(field.startswith("shared:") for fields in root for field in fields[6 : fields.index("-")]):
        return _ok("credentials", "mounts on / are shared, so that plugins receive their credentials")
    return _bad(
        "credentials", "mounts on / are private: plugins don't receive their credentials", "mount --make-rshared /"
    )


def _limits() -> Finding:
    held = [word for controller, word in LIMITS.items() if controller in _controllers()]
    if len(held) == len(LIMITS):
        return _ok("limits", f"the kernel holds plugins to their limits of {_listed(held)}")
    free = [word for word in LIMITS.values() if word not in held]
    return _warn(
        "limits",
        f"the kernel does not hold plugins to their limits of {_listed(free)}",
        MORE_CONTROLLERS,
    )


def _controllers() -> set[str]:
    """The cgroup controllers that systemd can use here: of v2, or mounted writable one by one, of v1."""
    unified = CGROUPS / "cgroup.controllers"
    if unified.exists():
        return set(unified.read_text().split())
    return {
        controller
        for controller in LIMITS
        if (CGROUPS / controller).is_dir() and not os.statvfs(CGROUPS / controller).f_flag & os.ST_RDONLY
    }


def _journal() -> Finding:
    if not journal_is_readable():
        return _warn("journal", "you may not read it: logs seem empty", "be root, or a member of systemd-journal")
    if not Path("/var/log/journal").is_dir():
        return _warn("journal", "it does not survive a reboot, nor do plugins' logs", "mkdir /var/log/journal")
    return _ok("journal", "it can be read, and is kept across reboots")


# Toru's accounts and files


def _users() -> Finding:
    for kind, look_up in {"user": pwd.getpwnam, "group": grp.getgrnam}.items():
        try:
            look_up("toru")
        except KeyError:
            return _bad("users", f"there is no {kind} toru", "systemd-sysusers toru.conf")
    try:
        grp.getgrnam("toru-admin")
    except KeyError:
        return _warn(
            "users", "there is no group toru-admin, whose members administer Toru", "systemd-sysusers toru.conf"
        )
    return _ok("users", "the user toru and the groups toru and toru-admin are there")


def _settings() -> tuple[Finding, Policy]:
    """What the settings say, or what holds where they say nothing."""
    try:
        settings = read_settings()
    except InvalidSettings as mistake:
        return _bad("settings", str(mistake), "mend the file: until then nothing is enabled or disabled"), Policy()
    files = _listed(list(map(str, settings.read)))
    return _ok("settings", f"valid, from {files}" if files else "none: the defaults hold"), settings.policy


def _directory(directory: Path) -> Finding:
    check, words = "directory", f"the plugins directory {directory}"
    try:
        status = directory.stat()
        noexec = os.statvfs(directory).f_flag & os.ST_NOEXEC
    except OSError as error:
        return _bad(check, f"{words} can't be looked at: {error.strerror}", "systemctl start toru-scan makes it")
    if not stat.S_ISDIR(status.st_mode):
        return _bad(check, f"{words} is not a directory", "say another one in the settings: plugins_dir")
    if status.st_mode & 0o022:
        return _bad(check, f"others than its owner may put programs into {words}", f"chmod go-w {directory}")
    if noexec:
        return _bad(check, f"{words} is mounted noexec: nothing in it can run", f"mount -o remount,exec {directory}")
    if any(directory.is_relative_to(hidden) for hidden in HIDDEN_FROM_PLUGINS):
        return _bad(check, f"{words} is hidden from sandboxed plugins", "say another one in the settings: plugins_dir")
    if status.st_uid != 0:
        return _warn(check, f"{words} does not belong to root: its owner decides what runs", f"chown root: {directory}")
    return _ok(check, f"{words} belongs to root alone")


def _wishes(directory: Path) -> Finding:
    file, last_good = places.wishes_file(directory), places.last_good_wishes_file(directory)
    try:
        Wishes.parse(file.read_bytes())
    except FileNotFoundError:
        return _ok("config.json", "nobody has switched a plugin on or off yet")
    except OSError as error:
        return _bad("config.json", f"{file} can't be read: {error.strerror}", f"chmod a+r {file}")
    except ValueError as mistake:
        remedy = f"mend or remove {file}"
        if last_good.exists():
            remedy += f", or take {last_good.name} instead"
        return _bad("config.json", f"{file} can't be understood: {mistake}", remedy)
    return _ok("config.json", "what is on and off can be read")


def _catalogue() -> Finding:
    scan = "systemctl start toru-scan"
    try:
        catalogue = Catalogue.parse(places.CATALOGUE.read_bytes())
    except FileNotFoundError:
        return _warn("scan", "no scan has run yet, so no plugin is known", scan)
    except (OSError, ValueError) as mistake:
        return _bad("scan", f"{places.CATALOGUE} can't be read: {mistake}", scan)
    count = len(catalogue.rejected)
    if count:
        return _warn("scan", f"{count} {'file is' if count == 1 else 'files are'} rejected", "toru list says why")
    return _ok("scan", f"{len(catalogue.plugins)} plugins, and no file was rejected")


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
