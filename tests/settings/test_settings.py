"""What ops write into toru.toml, the drop-ins beside it and the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from toru.domain.errors import InvalidSettings
from toru.domain.events import EventKind
from toru.domain.manifest import Sandbox
from toru.domain.policy import (
    EventsPolicy,
    ExportPolicy,
    GatewayPolicy,
    HooksPolicy,
    KvPolicy,
    PluginOverride,
    Policy,
    RequestLimits,
    RestartPolicy,
)
from toru.domain.quantities import Limits
from toru.settings import load_policy


@dataclass(frozen=True)
class Etc:
    folder: Path

    @property
    def main(self) -> Path:
        return self.folder / "toru.toml"

    def drop_in(self, name: str) -> Path:
        return self.folder / "toru.toml.d" / name

    def write(self, main: str | None = None, **drop_ins: str) -> None:
        if main is not None:
            self.main.write_text(main, encoding="utf-8")
        for name, content in drop_ins.items():
            self.drop_in("").mkdir(exist_ok=True)
            self.drop_in(f"{name}.toml").write_text(content, encoding="utf-8")

    def load(self, environment: Mapping[str, str] | None = None) -> Policy:
        return load_policy(self.main, self.drop_in(""), environment or {})

    def refusal(self, environment: Mapping[str, str] | None = None) -> str:
        with pytest.raises(InvalidSettings) as refusal:
            self.load(environment)
        assert refusal.value.code == "invalid-settings"
        return str(refusal.value)


@pytest.fixture
def etc(tmp_path: Path) -> Etc:
    return Etc(tmp_path)


EVERYTHING = """
plugins_dir = "/srv/plugins/./x/.."
database_url = "postgresql+psycopg://toru@db/toru"
trusted_proxies = ["192.0.2.1", "2001:db8::/32"]
auto_enable = false
start_timeout = 20
stop_timeout = 2.5

[restart]
first_delay = 0.5
max_delay = 32
failures = 5
stable_after = 120

[limits]
memory = "1G"
tasks = 512
cpu = "200%"

[kv]
value = "64K"
total = "8M"
keys = 100

[events]
keep_days = 0.5

[gateway]
timeout = 5
max_body = "1M"
max_concurrent = 8
max_waiting = 16
max_head = "16K"

[hooks]
events = ["gave-up", "started"]
burst = 9
interval = 0.5

[export]
max_file = "1M"
keep = 2
keep_days = 90

[plugins.clock]
sandbox = "trusted"
memory = "2G"
timeout = 300
max_body = "1G"
max_concurrent = 1

[plugins.-x]
tasks = 8
"""


@pytest.mark.req("SUP-3", "SUP-7", "SEC-4", "LIFE-3", "KV-3", "OBS-2")
def test_every_setting_is_heard(etc: Etc) -> None:
    etc.write(EVERYTHING)
    assert etc.load() == Policy(
        plugins_dir=Path("/srv/plugins"),
        database_url="postgresql+psycopg://toru@db/toru",
        trusted_proxies=("192.0.2.1/32", "2001:db8::/32"),
        auto_enable=False,
        start_timeout=20,
        stop_timeout=2.5,
        restart=RestartPolicy(first_delay=0.5, max_delay=32, failures=5, stable_after=120),
        limits=Limits(memory_bytes=1 << 30, tasks=512, cpu_percent=200),
        kv=KvPolicy(value_bytes=64 << 10, total_bytes=8 << 20, keys=100),
        events=EventsPolicy(keep_days=0.5),
        gateway=GatewayPolicy(timeout=5, max_body=1 << 20, max_concurrent=8, max_waiting=16, max_head=16 << 10),
        hooks=HooksPolicy(events=frozenset({EventKind.GAVE_UP, EventKind.STARTED}), burst=9, interval=0.5),
        export=ExportPolicy(max_file=1 << 20, keep=2, keep_days=90),
        overrides={
            "clock": PluginOverride(
                sandbox=Sandbox.TRUSTED,
                limits=Limits(memory_bytes=2 << 30),
                requests=RequestLimits(timeout=300, max_body=1 << 30, max_concurrent=1),
            ),
            "-x": PluginOverride(limits=Limits(tasks=8)),
        },
    )


@pytest.mark.parametrize("empty", [None, "", "# nothing\n", "[restart]\n[limits]\n[plugins]\n"])
def test_without_a_word_from_ops_the_defaults_hold(etc: Etc, empty: str | None) -> None:
    etc.write(empty)
    assert etc.load() == Policy()


def test_drop_ins_count_over_the_main_file_and_later_names_over_earlier_ones(etc: Etc) -> None:
    etc.write("start_timeout = 1", **{"90-z": "start_timeout = 3", "10-a": "start_timeout = 2\nstop_timeout = 2"})
    policy = etc.load()
    assert (policy.start_timeout, policy.stop_timeout) == (3, 2)


def test_drop_ins_count_without_a_main_file_too(etc: Etc) -> None:
    etc.write(only="auto_enable = false")
    assert not etc.load().auto_enable


def test_only_files_that_end_in_toml_are_drop_ins(etc: Etc) -> None:
    etc.write(**{"10": "start_timeout = 2"})
    for name in ("20.toml.bak", "30.conf", "README"):
        etc.drop_in(name).write_text("not = [toml")
    assert etc.load().start_timeout == 2


@pytest.mark.req("SEC-4", "SUP-7")
def test_tables_are_merged_key_by_key_however_deep(etc: Etc) -> None:
    etc.write(
        '[limits]\nmemory = "1G"\ntasks = 9\n[plugins.a]\nsandbox = "strict"\ntasks = 1\n[plugins.b]\ntasks = 2',
        x="[limits]\ntasks = 10\n[plugins.a]\ntasks = 3\n[plugins.c]\ncpu = 7",
    )
    policy = etc.load()
    assert policy.limits == Limits(memory_bytes=1 << 30, tasks=10, cpu_percent=100)
    assert policy.overrides == {
        "a": PluginOverride(sandbox=Sandbox.STRICT, limits=Limits(tasks=3)),
        "b": PluginOverride(limits=Limits(tasks=2)),
        "c": PluginOverride(limits=Limits(cpu_percent=7)),
    }


@pytest.mark.parametrize(
    ("variable", "text", "setting", "value"),
    [
        ("TORU_PLUGINS_DIR", "/srv/p", "plugins_dir", Path("/srv/p")),
        ("TORU_PLUGINS_DIR", '/srv/it\'s "odd"', "plugins_dir", Path('/srv/it\'s "odd"')),
        ("TORU_PLUGINS_DIR", '"/srv/quoted"', "plugins_dir", Path("/srv/quoted")),
        ("TORU_DATABASE_URL", "sqlite:////srv/toru.db", "database_url", "sqlite:////srv/toru.db"),
        ("TORU_TRUSTED_PROXIES", '["127.0.0.1"]', "trusted_proxies", ("127.0.0.1/32",)),
        ("TORU_AUTO_ENABLE", "false", "auto_enable", False),
        ("TORU_AUTO_ENABLE", "true", "auto_enable", True),
        ("TORU_START_TIMEOUT", "3", "start_timeout", 3),
        ("TORU_STOP_TIMEOUT", "0.5", "stop_timeout", 0.5),
    ],
)
def test_the_environment_counts_over_every_file(
    etc: Etc, variable: str, text: str, setting: str, value: object
) -> None:
    etc.write("auto_enable = true", z='plugins_dir = "/z"\nauto_enable = true\nstart_timeout = 9\nstop_timeout = 9')
    assert getattr(etc.load({variable: text}), setting) == value


def test_what_else_stands_in_the_environment_is_nobodys_business(etc: Etc) -> None:
    assert etc.load({"TORU_PLUGIN_ID": "x", "TORU_SOMETHING": "y", "AUTO_ENABLE": "false", "HOME": "/"}) == Policy()


SECONDS = "must be a number of seconds"
AT_LEAST_1 = "must be a whole number, at least 1"

MISTAKES = [
    ("plugins_dir = 'plugins'", "plugins_dir must be an absolute path"),
    ("plugins_dir = ''", "plugins_dir must be an absolute path"),
    ('plugins_dir = "/a\\u0000b"', "plugins_dir must be an absolute path"),
    ("plugins_dir = 1", "plugins_dir must be an absolute path"),
    ("auto_enable = 1", "auto_enable must be true or false"),
    ("auto_enable = 'yes'", "auto_enable must be true or false"),
    *[
        (f"{key} = {value}", f"{key} {SECONDS}")
        for key in ("start_timeout", "stop_timeout", "restart.first_delay", "restart.max_delay", "restart.stable_after")
        for value in ("0", "-1", "86401", "'5'", "true", "nan", "inf", "[5]", "1979-05-27")
    ],
    *[(f"restart.failures = {value}", f"restart.failures {AT_LEAST_1}") for value in ("0", "1.0", "'3'", "true", "-1")],
    ("restart = 5", "restart must be a table"),
    ("limits = []", "limits must be a table"),
    ("limits.memory = 'lots'", "limits.memory must be a size"),
    ("limits.memory = true", "limits.memory must be a size"),
    ("limits.tasks = 0", "limits.tasks must be a whole number"),
    ("limits.cpu = '50'", "limits.cpu must be a percentage"),
    ("kv = 5", "kv must be a table"),
    *[(f"kv.value = {value}", "kv.value must be a size") for value in ("'2M'", "1000", "true", "'lots'", "1.5")],
    ("kv.total = 5", "kv.total must be a size"),
    ("kv.keys = 0", "kv.keys must be a whole number"),
    ("kv.values = 1", "kv.values is not a setting"),
    *[(f"events.keep_days = {value}", "events.keep_days must be a number") for value in ("0", "'7'", "nan", "true")],
    ("gateway = 5", "gateway must be a table"),
    ("gateway.timeout = 0", f"gateway.timeout {SECONDS}"),
    *[(f"gateway.max_body = {value}", "gateway.max_body must be a size") for value in ("0", "'lots'", "true", "1.5")],
    ("gateway.max_concurrent = 0", f"gateway.max_concurrent {AT_LEAST_1}"),
    ("gateway.max_waiting = true", f"gateway.max_waiting {AT_LEAST_1}"),
    *[(f"gateway.max_head = {value}", "gateway.max_head must be a size") for value in ("4095", "'65K'", "true", "'x'")],
    ("plugins.clock.timeout = '5'", f"plugins.clock.timeout {SECONDS}"),
    ("plugins.clock.max_waiting = 5", "plugins.clock.max_waiting is not a setting"),
    *[(f"hooks.events = {value}", "hooks.events must be a list") for value in ("'x'", "['x']", "[1]", "['other']")],
    ("hooks.burst = 0", f"hooks.burst {AT_LEAST_1}"),
    ("hooks.interval = 0", f"hooks.interval {SECONDS}"),
    *[(f"export.max_file = {value}", "export.max_file must be a size") for value in ("'63K'", "0", "true", "1e9")],
    *[(f"export.keep = {value}", "export.keep must be a whole number, 1 to 100") for value in ("0", "101", "'3'")],
    ("export.keep_days = 0", "export.keep_days must be a number of days"),
    # A key in quotes is no way into a table.
    ("'restart.failures' = 3", "restart.failures is not a setting"),
    ("plugins = []", "plugins must be a table"),
    ("plugins.clock = true", "plugins.clock must be a table"),
    ("plugins.clock.sandbox = 'none'", "plugins.clock.sandbox must be one of strict, default, trusted"),
    ("plugins.clock.sandbox = true", "plugins.clock.sandbox must be one of strict, default, trusted"),
    ("plugins.clock.tasks = 0", "plugins.clock.tasks must be a whole number"),
    ("plugins.'../x'.tasks = 1", "plugins: '../x' is not a plugin id"),
    ('plugins."x\\n".tasks = 1', "plugins: 'x\\n' is not a plugin id"),
    # A misspelt key must not pass for a setting that holds.
    ("auto-enable = true", "auto-enable is not a setting"),
    ("restart.fist_delay = 1", "restart.fist_delay is not a setting"),
    ("limits.cpus = 1", "limits.cpus is not a setting"),
    ("plugins.clock.enabled = true", "plugins.clock.enabled is not a setting"),
    ("[plugin.clock]\ntasks = 1", "plugin is not a setting"),
]


@pytest.mark.parametrize(("line", "mistake"), MISTAKES)
def test_a_mistake_is_told_with_its_key_and_the_rule(etc: Etc, line: str, mistake: str) -> None:
    etc.write(f"# first\n\n{line}")
    assert etc.refusal().startswith(f"{etc.main}:3: {mistake}")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("\nauto_enable = maybe\n", 2),
        ("a = 1\n\na = 2\n\n", 3),
        ("a = 1\n\na = 2", 3),
        ("\n[restart\n", 2),
        ("\n\n\0", 3),
        ("start_timeout = [\n1,\n\n", 2),
    ],
    ids=["value", "twice", "twice at the end", "table", "NUL", "end"],
)
def test_what_is_not_toml_is_told_with_its_file_and_line(etc: Etc, content: str, line: int) -> None:
    etc.write(content)
    assert re.fullmatch(rf"{re.escape(str(etc.main))}:{line}: \w.*( at the end| \(column \d+\))", etc.refusal())


def test_a_file_that_can_not_be_read_is_told(etc: Etc) -> None:
    etc.main.mkdir()
    assert etc.refusal() == f"{etc.main}: it can't be read: Is a directory"


def test_what_is_not_utf_8_is_told_with_its_line(etc: Etc) -> None:
    etc.main.write_bytes("# café\n".encode() + b"\n# caf\xe9\n")
    assert etc.refusal() == f"{etc.main}:3: this is not UTF-8"


def test_a_directory_of_drop_ins_that_can_not_be_read_is_told_and_not_passed_over(etc: Etc) -> None:
    etc.drop_in("").write_text("no directory")
    assert etc.refusal() == f"{etc.drop_in('')}: it can't be read: Not a directory"


@pytest.mark.parametrize("content", ["[" * 5000, "a = " + "[" * 5000])
def test_what_is_nested_without_end_is_a_mistake_like_others(etc: Etc, content: str) -> None:
    etc.write(content)
    assert etc.refusal().startswith(f"{etc.main}:")


def test_a_mistake_in_a_drop_in_names_the_drop_in_though_a_later_file_would_set_it_right(etc: Etc) -> None:
    etc.write("auto_enable = true", **{"10": "auto_enable = 'no'", "20": "auto_enable = false"})
    assert etc.refusal() == f"{etc.drop_in('10.toml')}:1: auto_enable must be true or false"


@pytest.mark.parametrize(
    ("variable", "text", "mistake"),
    [
        ("TORU_AUTO_ENABLE", "yes", "auto_enable must be true or false"),
        ("TORU_AUTO_ENABLE", "", "auto_enable must be true or false"),
        ("TORU_AUTO_ENABLE", "1", "auto_enable must be true or false"),
        ("TORU_PLUGINS_DIR", "plugins", "plugins_dir must be an absolute path"),
        ("TORU_START_TIMEOUT", "soon", "start_timeout must be a number of seconds"),
        ("TORU_STOP_TIMEOUT", "0", "stop_timeout must be a number of seconds"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(etc: Etc, variable: str, text: str, mistake: str) -> None:
    assert etc.refusal({variable: text}).startswith(f"{variable} in the environment: {mistake}")


@pytest.mark.req("SUP-2")
def test_two_files_that_are_right_alone_can_be_wrong_together(etc: Etc) -> None:
    etc.write("\nrestart.max_delay = 2", x="restart.first_delay = 4")
    rule = "restart.max_delay must not be below restart.first_delay"
    assert etc.refusal() == f"{etc.main}:2: {rule}, which is 4 ({etc.drop_in('x.toml')}:1)"
    etc.write("restart.first_delay = 20", x="")
    rule = "restart.first_delay must not be above restart.max_delay"
    assert etc.refusal() == f"{etc.main}:1: {rule}, which is 16 (default)"


def test_one_file_may_raise_the_first_delay_and_another_the_longest(etc: Etc) -> None:
    etc.write("restart.first_delay = 20", x="restart.max_delay = 40")
    restart = etc.load().restart
    assert (restart.first_delay, restart.max_delay) == (20, 40)
