"""One host through a package's whole life: an older version, upgraded while it serves, removed, put back, and purged.

Each test asks for the state that it looks at; the states follow each other, as the tests do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.hosts.fixtures import Hosts
from tests.hosts.host import Host
from tests.hosts.package import Packages, apt, install, offer
from tests.system.api import Api
from tests.system.crowd import Order, Reply, asking
from tests.system.toru import CONFIG, Toru

pytestmark = pytest.mark.timeout(900)

OLD = "0.0.9"

SETTINGS = "/etc/toru/toru.toml"
EDITED = "# What nobody but me has written.\n[events]\nkeep_days = 9\n"
DROP_IN = "/etc/toru/toru.toml.d/limits.toml"

# What piuparts leaves out as well: logs, what apt and dpkg keep of themselves, backups of the lists of users, caches.
# And what the test has put there.
NOT_COMPARED = re.compile(
    r"/var/log/(?!toru)|/var/lib/(?:apt|dpkg|systemd)/|/var/cache/(?:apt|debconf|ldconfig)/|/etc/(?:passwd|group|g?shadow)-$"
    r"|/var/tmp/systemd-private-(?!.*toru)|/etc/ld\.so\.cache$|/srv/toru|/etc/apt/sources\.list\.d/toru\.list$|/root/"
)


def everything_on(host: Host) -> dict[str, str]:
    """Every file of the host, and what it is; of those in /etc, what is in them."""
    listed = host.run("find", "/", "-xdev", "-printf", "%p\t%y %m %u:%g %l\n", timeout=120).stdout
    found = dict(line.split("\t") for line in listed.splitlines())
    sums = host.run("find", "/etc", "-xdev", "-type", "f", "-exec", "sha256sum", "{}", "+").stdout
    for digest, path in (line.split("  ", 1) for line in sums.splitlines()):
        found[path] += digest
    return {path: what for path, what in found.items() if not NOT_COMPARED.match(path)}


@dataclass
class Story:
    host: Host
    toru: Toru
    old: Packages
    new: Packages
    before: dict[str, str]
    """What was on the host when there was only what Toru depends on."""
    password: str = ""


@dataclass(frozen=True)
class Upgraded:
    replies: dict[str, list[Reply]]
    before: dict[str, str]
    after: dict[str, str]


@pytest.fixture(scope="module")
def story(hosts: Hosts, bare_debian13: Host) -> Story:
    """The older version, with plugins of each protocol, a worker, settings, and things that are kept."""
    old, new = hosts.packages(OLD), hosts.packages()
    host = bare_debian13
    offer(host, old)
    before = everything_on(host)
    said = install(host, old)
    assert "Warning" not in said.stdout + said.stderr
    toru = Toru(host)
    story = Story(host, toru, old, new, before, host.read("/etc/credstore/toru-admin-password"))
    toru.plant("web")
    toru.plant("field", "toru1.py")
    host.put(SETTINGS, EDITED)
    host.put(DROP_IN, "[limits]\ntasks = 200\n")
    host.run("systemctl", "enable", "--now", "toru-worker@1.service")
    host.run("systemctl", "restart", "toru.service")
    toru.serve()
    host.run("toru", "kv", "set", "web", "kept", '"still"')
    return story


def facts(host: Host) -> dict[str, str]:
    """Who is who: processes and their ids, and since when the addresses are held."""
    units = ("toru.service", "toru-worker@1.service", "toru-plugin-web.service", "toru-plugin-field.service")
    found = {unit: host.show(unit, "MainPID")["MainPID"] for unit in units}
    for unit in ("toru.socket", "toru-plugin-web.socket", "toru-plugin-field.socket"):
        found[unit] = host.show(unit, "ActiveEnterTimestampMonotonic")["ActiveEnterTimestampMonotonic"]
    return found


@pytest.fixture(scope="module")
def upgraded(story: Story) -> Upgraded:
    """The newer version, installed while many ask both plugins."""
    host = story.host
    before = facts(host)
    offer(host, story.new)
    with asking(host, Order("/web/slow"), 4) as of_web, asking(host, Order("/field/x"), 2) as of_field:
        apt(host, "-o", "Dpkg::Options::=--force-confold", "install", "toru", "python3-toru-plugin")
        host.wait_for("the new core to serve", lambda: Api(host).get("/api/plugins/web")["state"] == "running")
    return Upgraded({"web": of_web, "field": of_field}, before, facts(host))


@pytest.mark.req("OPS-2", "ISO-5")
def test_an_upgrade_loses_no_request(story: Story, upgraded: Upgraded) -> None:
    versions = story.host.run("dpkg-query", "--show", "--showformat=${Version}\n", "toru").stdout
    assert versions.strip() == story.new.field("toru", "Version") != OLD
    for plugin, replies in upgraded.replies.items():
        assert len(replies) > 10, plugin
        assert [reply for reply in replies if reply.status != 200] == []


@pytest.mark.req("OPS-2", "ISO-5")
def test_an_upgrade_restarts_the_core_and_its_workers_and_touches_no_plugin(upgraded: Upgraded) -> None:
    changed = {unit for unit, fact in upgraded.after.items() if upgraded.before[unit] != fact}
    assert changed == {"toru.service", "toru-worker@1.service"}
    assert "0" not in upgraded.after.values()


@pytest.mark.req("OPS-2")
def test_an_upgrade_keeps_settings_wishes_and_what_is_stored(story: Story, upgraded: Upgraded) -> None:
    assert story.host.read(SETTINGS) == EDITED
    assert story.host.run("toru", "kv", "get", "web", "kept").stdout.strip() == '"still"'
    assert story.host.read("/etc/credstore/toru-admin-password") == story.password
    assert story.host.run("toru", "user", "list").stdout.startswith("admin\t")


def at_runtime(host: Host) -> list[str]:
    """What there is of it in /run, but for what journald has noted of units: systemd forgets that at the next boot."""
    found = host.run("find", "/run", "-name", "*toru*", "-not", "-path", "/run/systemd/units/*").stdout
    return found.splitlines()


def units_of_toru(host: Host) -> list[str]:
    """Those that systemd has, not those that something still names."""
    listed = host.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "toru*").stdout
    return [line for line in listed.splitlines() if line.split()[1] != "not-found"]


@pytest.fixture(scope="module")
def removed(story: Story, upgraded: Upgraded) -> Story:
    story.toru.disable("field")
    story.toru.enable("field", check=False)  # it may listen later than whoever enables it waits
    story.host.wait_for("it to run", lambda: story.toru.service("field", "SubState")["SubState"] == "running")
    apt(story.host, "remove", "toru")
    return story


@pytest.mark.req("OPS-2")
def test_removing_stops_everything(removed: Story) -> None:
    host = removed.host
    assert units_of_toru(host) == []
    assert host.run("pgrep", "-f", "toru", check=False).stdout == ""
    assert at_runtime(host) == []
    assert removed.toru.logged("field")[-1] == "shutdown received", "plugins were told"


@pytest.mark.req("OPS-2")
def test_removing_keeps_settings_and_data(removed: Story) -> None:
    for kept in (SETTINGS, DROP_IN, CONFIG, "/var/lib/toru/toru.db", "/var/lib/private/toru-plugins/web"):
        removed.host.run("test", "-e", kept)


@pytest.mark.req("OPS-2")
def test_what_is_put_back_goes_on_where_it_was(removed: Story) -> None:
    host, toru = removed.host, removed.toru
    apt(host, "install", "toru")
    toru.serve()
    assert toru.ask("web")["pid"] == toru.pid("web")
    assert host.run("toru", "kv", "get", "web", "kept").stdout.strip() == '"still"'
    assert host.read(SETTINGS) == EDITED
    assert host.show("toru-worker@1.service", "ActiveState")["ActiveState"] == "active"


@pytest.mark.req("OPS-2")
def test_purging_leaves_nothing_behind(removed: Story) -> None:
    host = removed.host
    apt(host, "purge", "toru", "python3-toru-plugin")
    after = everything_on(host)
    assert {path: what for path, what in after.items() if removed.before.get(path) != what} == {}
    assert {path: what for path, what in removed.before.items() if path not in after} == {}
    assert at_runtime(host) == []
    assert units_of_toru(host) == []
    assert host.run("systemctl", "list-units", "--failed", "--no-legend").stdout == ""
