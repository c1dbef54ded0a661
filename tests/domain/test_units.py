"""The whole posture of a plugin, compared as one value with what it must be."""

from pathlib import Path
from typing import Any, cast

import pytest

from toru.domain.catalogue import Plugin
from toru.domain.manifest import manifest_from
from toru.domain.policy import PluginOverride, Policy, RestartPolicy
from toru.domain.quantities import Limits
from toru.domain.units import UnitSpec, units_for
from toru.systemd import wire

MESSAGES = Path(__file__).parents[2] / "units/toru-plugin-.service.d/20-messages.conf"
VERSIONS = (252, 257)
INSTANCE = "0b5f3c1e-0000-4000-8000-000000000000"

PLUGINS: dict[str, dict[str, Any]] = {
    "toru/1": {},
    "toru/2 with a watchdog": {"protocol": "toru/2", "watchdog": 2.5},
    "http on demand": {
        "protocol": "http",
        "start": "on-demand",
        "limits": {"memory": "64M", "tasks": 16, "cpu": "50%"},
    },
    "http that binds for itself": {"protocol": "http", "activation": "self"},
}

SOCKET: dict[str, Any] = {
    "Description": "Socket of Toru plugin The Clock",
    "Listen": [("Stream", "/run/toru/plugins/clock.sock")],
    "SocketUser": "root",
    "SocketGroup": "toru",
    "SocketMode": 0o660,
    "Accept": False,
    "Backlog": 4096,
    "RemoveOnStop": True,
    "FileDescriptorName": "plugin",
    "Slice": "toru-plugins.slice",
    "OnFailure": ["toru-disable@clock.service"],
}

SERVICE: dict[str, Any] = {
    "Description": "Toru plugin The Clock",
    "ExecStart": [("/var/lib/toru/plugins/clock.binary", ["/var/lib/toru/plugins/clock.binary"], False)],
    "LoadCredential": [("toru-token", "/run/toru/tokens/clock")],
    "DynamicUser": True,
    "StateDirectory": ["toru-plugins/clock"],
    "CacheDirectory": ["toru-plugins/clock"],
    "LogsDirectory": ["toru-plugins/clock"],
    "RuntimeDirectory": ["toru-plugins/clock"],
    "StateDirectoryMode": 0o700,
    "CacheDirectoryMode": 0o700,
    "LogsDirectoryMode": 0o700,
    "RuntimeDirectoryMode": 0o711,
    "Slice": "toru-plugins.slice",
    "SyslogIdentifier": "toru-plugin-clock",
    "LogExtraFields": ["TORU_PLUGIN=clock"],
    "KillMode": "mixed",
    "TimeoutStartUSec": 10_000_000,
    "TimeoutStopUSec": 5_000_000,
    "CollectMode": "inactive-or-failed",
    "Restart": "on-failure",
    "StartLimitIntervalUSec": 2**64 - 1,
    "StartLimitBurst": 10,
    "MemoryMax": 512 << 20,
    "TasksMax": 256,
    "CPUQuotaPerSecUSec": 1_000_000,
}

RESTART: dict[int, dict[str, Any]] = {
    252: {"RestartUSec": 16_000_000},
    257: {"RestartUSec": 1_000_000, "RestartSteps": 4, "RestartMaxDelayUSec": 16_000_000},
}


def environment(socket: str, *options: str) -> list[str]:
    return [
        "TORU_PLUGIN_ID=clock",
        f"TORU_INSTANCE_ID={INSTANCE}",
        f"TORU_PLUGIN_SOCKET={socket}",
        "TORU_API_SOCKET=/run/toru/api.sock",
        *options,
    ]


INHERITED = "/run/toru/plugins/clock.sock"
OWN = "/run/toru-plugins/clock/plugin.sock"

PARTICULARS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "toru/1": (
        {"FlushPending": True},
        {
            "Type": "exec",
            "NotifyAccess": "none",
            "Environment": environment(OWN, "TORU_GREET=--protocol=toru/1 --within=8", "TORU_FAREWELL=--within=4"),
        },
    ),
    "toru/2 with a watchdog": (
        {},
        {"Type": "notify", "NotifyAccess": "main", "Environment": environment(INHERITED), "WatchdogUSec": 2_500_000},
    ),
    "http on demand": (
        {},
        {
            "Type": "exec",
            "NotifyAccess": "main",
            "Environment": environment(INHERITED),
            "MemoryMax": 64 << 20,
            "TasksMax": 16,
            "CPUQuotaPerSecUSec": 500_000,
        },
    ),
    "http that binds for itself": (
        {"FlushPending": True},
        {
            "Type": "exec",
            "NotifyAccess": "main",
            "Environment": environment(OWN, "TORU_GREET=--protocol=http --within=8"),
        },
    ),
}


def plugin(plugin_id: str = "clock", name: str = "The Clock", path: str | None = None, **said: Any) -> Plugin:
    manifest = manifest_from({"id": plugin_id, "name": name, "route": "/clock", **said})
    return Plugin(manifest=manifest, path=Path(path or f"/var/lib/toru/plugins/{plugin_id}.binary"))


def specs(of: Plugin, policy: Policy | None = None, version: int = 257) -> tuple[UnitSpec, UnitSpec]:
    return units_for(of, policy or Policy(), version, INSTANCE)


@pytest.mark.req(
    "SUP-1", "SUP-2", "SUP-3", "SUP-6", "SUP-7", "SEC-4", "PROTO-2", "PROTO-3", "PROTO-6", "PROTO-7", "LIFE-2"
)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", PLUGINS)
def test_a_plugin_is_exactly_these_two_units(kind: str, version: int) -> None:
    of_socket, of_service = PARTICULARS[kind]
    socket, service = specs(plugin(**PLUGINS[kind]), version=version)
    assert socket == UnitSpec("toru-plugin-clock.socket", SOCKET | of_socket)
    assert service == UnitSpec("toru-plugin-clock.service", SERVICE | RESTART[version] | of_service)


@pytest.mark.req("SUP-2")
@pytest.mark.parametrize(("version", "itself"), [(252, False), (253, False), (254, True), (255, True), (257, True)])
def test_systemd_lengthens_the_delay_itself_from_254_on(version: int, itself: bool) -> None:  # noqa: FBT001
    _, service = specs(plugin(), version=version)
    assert ("RestartSteps" in service.properties) is itself


@pytest.mark.req("SUP-1")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", PLUGINS)
def test_systemd_has_a_type_for_every_property(kind: str, version: int) -> None:
    for spec in specs(plugin(**PLUGINS[kind]), version=version):
        assert [name for name, _, _ in wire.signed(spec)] == list(spec.properties)


@pytest.mark.req("SUP-2", "SUP-3", "SUP-7")
def test_what_ops_decided_is_in_the_units() -> None:
    policy = Policy(
        restart=RestartPolicy(first_delay=0.5, max_delay=4, failures=3),
        start_timeout=1.5,
        stop_timeout=0.25,
        overrides={"clock": PluginOverride(limits=Limits(memory_bytes=1 << 30, cpu_percent=400))},
    )
    _, service = specs(plugin(limits={"memory": "64M", "tasks": 8}), policy)
    expected = {
        "RestartUSec": 500_000,
        "RestartSteps": 3,
        "RestartMaxDelayUSec": 4_000_000,
        "StartLimitBurst": 3,
        "TimeoutStartUSec": 1_500_000,
        "TimeoutStopUSec": 250_000,
        "MemoryMax": 1 << 30,
        "TasksMax": 8,
        "CPUQuotaPerSecUSec": 4_000_000,
        # Both messages must be over before systemd loses patience.
        "Environment": environment(OWN, "TORU_GREET=--protocol=toru/1 --within=1.2", "TORU_FAREWELL=--within=0.2"),
    }
    assert {name: service.properties[name] for name in expected} == expected


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("plugin_id", ["-h", "--help", "-", "--"])
def test_an_id_that_looks_like_an_option_stays_an_id(plugin_id: str) -> None:
    _, service = specs(plugin(plugin_id))
    _, _, _, _, greet, farewell = cast("list[str]", service.properties["Environment"])
    assert (greet, farewell) == ("TORU_GREET=--protocol=toru/1 --within=8", "TORU_FAREWELL=--within=4")
    commands = [line for line in MESSAGES.read_text().splitlines() if line.startswith("Exec")]
    assert len(commands) == 2
    assert all(line.endswith(""" -- "$$TORU_PLUGIN_ID"'""") for line in commands), "where they are used"


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("odd", ["%n", "$HOME", "${HOME}", '"', "'", "\\x0a", "; rm -rf /", "-", "$$", "a b", "<b>"])
def test_a_name_or_a_file_name_stays_literal_text_and_in_its_place(odd: str) -> None:
    path = f"/var/lib/toru/plugins/{odd.replace('/', '')}.binary"
    for changed, ordinary in zip(specs(plugin(name=odd, path=path)), specs(plugin()), strict=True):
        assert changed.properties.keys() == ordinary.properties.keys()
        differing = {name for name, value in changed.properties.items() if value != ordinary.properties[name]}
        assert differing <= {"Description", "ExecStart"}
        assert str(changed.properties["Description"]).endswith(f"Toru plugin {odd}")
    _, service = specs(plugin(name=odd, path=path))
    # One word, in which systemd expands nothing but "$$" (systemd.service(5), "Command lines").
    assert service.properties["ExecStart"] == [(path, [path.replace("$", "$$")], False)]


@pytest.mark.req("META-4", "SEC-4")
@pytest.mark.parametrize("sandbox", ["strict", "default", "trusted"])
def test_a_sandbox_is_a_file_that_ops_can_read_and_never_a_property(sandbox: str) -> None:
    assert specs(plugin(sandbox=sandbox)) == specs(plugin())


@pytest.mark.req("ISO-2")
def test_no_two_plugins_share_anything_but_the_slice() -> None:
    shared = {"Slice", "SocketGroup", "SocketUser"}
    for mine, others in zip(specs(plugin()), specs(plugin("other")), strict=True):
        for name in mine.properties.keys() - shared:
            value = str(mine.properties[name])
            assert "clock" not in value or value != str(others.properties[name]), name
            assert "other" not in value
