"""Reads what ops decided: `/etc/toru/toru.toml`, the drop-ins beside it, and `TORU_…` in the environment over both."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from toru.domain import places
from toru.domain.errors import InvalidId, InvalidSettings
from toru.domain.events import EventKind
from toru.domain.ids import PluginId
from toru.domain.manifest import Sandbox
from toru.domain.policy import (
    EventsPolicy,
    GatewayPolicy,
    HooksPolicy,
    KvPolicy,
    PluginOverride,
    Policy,
    RequestLimits,
    RestartPolicy,
)
from toru.domain.quantities import Limits, parse_cpu_percent, parse_memory_bytes, parse_size, parse_tasks

_DEFAULT = Policy()


def load_policy(
    main: Path = places.SETTINGS_FILE,
    drop_ins: Path = places.SETTINGS_DROP_INS,
    environment: Mapping[str, str] = os.environ,
) -> Policy:
    """The policy in force, or `InvalidSettings` with the file and the key of the first mistake."""
    settings: dict[str, Any] = {}
    for file in [main, *sorted(drop_ins.glob("*.toml"))]:
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as mistake:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
            raise InvalidSettings(f"{file}: {mistake}", file=str(file)) from mistake
        try:
            policy_from(content)
        except ValueError as mistake:
            raise InvalidSettings(f"{file}: {mistake}", file=str(file)) from mistake
        _merge(settings, content)
    for variable, content in _from_environment(environment):
        try:
            policy_from(content)
        except ValueError as mistake:
            raise InvalidSettings(f"{variable} in the environment: {mistake}", variable=variable) from mistake
        _merge(settings, content)
    try:
        policy = policy_from(settings)
        # Only the whole can be judged: the two may come from different files.
        if policy.restart.max_delay < policy.restart.first_delay:
            raise ValueError("restart.max_delay must not be below restart.first_delay")
    except ValueError as mistake:
        raise InvalidSettings(f"settings: {mistake}") from mistake
    return policy


def policy_from(settings: Mapping[str, Any]) -> Policy:
    """The policy that a settings table says. ValueError names the key of the first mistake."""
    top = _Table("", settings)
    restart = top.table("restart")
    limits = top.table("limits")
    kv = top.table("kv")
    events = top.table("events")
    gateway = top.table("gateway")
    hooks = top.table("hooks")
    plugins = top.table("plugins")
    policy = Policy(
        plugins_dir=top.take("plugins_dir", _directory, _DEFAULT.plugins_dir),
        database_url=top.take("database_url", _database_url, _DEFAULT.database_url),
        trusted_proxies=top.take("trusted_proxies", _addresses, _DEFAULT.trusted_proxies),
        auto_enable=top.take("auto_enable", _switch, _DEFAULT.auto_enable),
        start_timeout=top.take("start_timeout", _seconds, _DEFAULT.start_timeout),
        stop_timeout=top.take("stop_timeout", _seconds, _DEFAULT.stop_timeout),
        restart=RestartPolicy(
            first_delay=restart.take("first_delay", _seconds, _DEFAULT.restart.first_delay),
            max_delay=restart.take("max_delay", _seconds, _DEFAULT.restart.max_delay),
            failures=restart.take("failures", _count, _DEFAULT.restart.failures),
            stable_after=restart.take("stable_after", _seconds, _DEFAULT.restart.stable_after),
        ),
        limits=_DEFAULT.limits.overridden_by(_limits(limits)),
        kv=KvPolicy(
            value_bytes=kv.take("value", _value_size, _DEFAULT.kv.value_bytes),
            total_bytes=kv.take("total", _total_size, _DEFAULT.kv.total_bytes),
            keys=kv.take("keys", _count, _DEFAULT.kv.keys),
        ),
        events=EventsPolicy(keep_days=events.take("keep_days", _days, _DEFAULT.events.keep_days)),
        gateway=GatewayPolicy(
            timeout=gateway.take("timeout", _seconds, _DEFAULT.gateway.timeout),
            max_body=gateway.take("max_body", _body_size, _DEFAULT.gateway.max_body),
            max_concurrent=gateway.take("max_concurrent", _count, _DEFAULT.gateway.max_concurrent),
            max_waiting=gateway.take("max_waiting", _count, _DEFAULT.gateway.max_waiting),
            max_head=gateway.take("max_head", _head_size, _DEFAULT.gateway.max_head),
        ),
        hooks=HooksPolicy(
            events=hooks.take("events", _kinds, _DEFAULT.hooks.events),
            burst=hooks.take("burst", _count, _DEFAULT.hooks.burst),
            interval=hooks.take("interval", _seconds, _DEFAULT.hooks.interval),
        ),
        overrides={plugin_id: _override(plugins.table(plugin_id), plugin_id) for plugin_id in list(plugins.content)},
    )
    for table in (restart, limits, kv, events, gateway, hooks, top):
        table.end()
    return policy


class _Table:
    """A TOML table from which each key is taken once, so that what is left over is a mistake."""

    def __init__(self, name: str, content: Mapping[str, Any]) -> None:
        self.name = name
        self.content = dict(content)

    def take(self, key: str, rule: Callable[[object], Any], default: Any) -> Any:
        if key not in self.content:
            return default
        try:
            return rule(self.content.pop(key))
        except ValueError as mistake:
            raise ValueError(f"{self.name}{key} {mistake}") from None

    def table(self, key: str) -> _Table:
        content = self.content.pop(key, {})
        if not isinstance(content, dict):
            raise ValueError(f"{self.name}{key} must be a table")
        return _Table(f"{self.name}{key}.", content)

    def end(self) -> None:
        if self.content:
            raise ValueError(f"{self.name}{next(iter(self.content))} is not a setting")


def _override(table: _Table, plugin_id: str) -> PluginOverride:
    try:
        PluginId(plugin_id)
    except InvalidId as mistake:
        raise ValueError(f"plugins: {mistake}") from None
    override = PluginOverride(
        sandbox=table.take("sandbox", _sandbox, None),
        limits=_limits(table),
        requests=RequestLimits(
            timeout=table.take("timeout", _seconds, None),
            max_body=table.take("max_body", _body_size, None),
            max_concurrent=table.take("max_concurrent", _count, None),
        ),
    )
    table.end()
    return override


def _limits(table: _Table) -> Limits:
    return Limits(
        memory_bytes=table.take("memory", parse_memory_bytes, None),
        tasks=table.take("tasks", parse_tasks, None),
        cpu_percent=table.take("cpu", parse_cpu_percent, None),
    )


def _directory(value: object) -> Path:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise ValueError("must be an absolute path")
    return Path(os.path.normpath(value))


def _database_url(value: object) -> str:
    if not isinstance(value, str) or not re.match(r"[a-z0-9+]+://", value):
        raise ValueError("must be a URL, such as postgresql+psycopg://toru@host/toru")
    return value


def _addresses(value: object) -> tuple[str, ...]:
    try:
        if isinstance(value, list):
            return tuple(str(ipaddress.ip_network(address)) for address in value)
    except ValueError:
        pass
    raise ValueError("must be a list of addresses or networks")


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.001 <= value <= 86_400:
        raise ValueError("must be a number of seconds, over 0 and up to a day")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise ValueError("must be a whole number, at least 1")
    return value


def _value_size(value: object) -> int:
    # A request to the API, which carries the value, is no larger than 2 MiB.
    return parse_size(value, least=1024, most=1 << 20)


def _total_size(value: object) -> int:
    return parse_size(value, least=1 << 20, most=1 << 40)


def _body_size(value: object) -> int:
    return parse_size(value, least=1, most=1 << 50)


def _head_size(value: object) -> int:
    # Browsers send some 2 KiB, and a message of toru/2 has 64 KiB.
    return parse_size(value, least=4 << 10, most=64 << 10)


def _days(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.01 <= value <= 3650:
        raise ValueError("must be a number of days, over 0 and up to 10 years")
    return value


def _kinds(value: object) -> frozenset[EventKind]:
    known = {str(kind): kind for kind in EventKind if kind is not EventKind.OTHER}
    if isinstance(value, list) and all(isinstance(word, str) and word in known for word in value):
        return frozenset(known[word] for word in value)
    raise ValueError(f"must be a list of {', '.join(known)}")


def _sandbox(value: object) -> Sandbox:
    for word in Sandbox:
        if value == word:
            return word
    raise ValueError(f"must be one of {', '.join(Sandbox)}")


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """`TORU_AUTO_ENABLE=false` is `auto_enable = false`; the value is read as TOML where it can be, else as text."""
    for variable, key in _VARIABLES.items():
        if (text := environment.get(variable)) is not None:
            try:
                value = tomllib.loads(f"value = {text}")["value"]
            except ValueError:
                value = text
            yield variable, {key: value}


_VARIABLES = {
    "TORU_PLUGINS_DIR": "plugins_dir",
    "TORU_DATABASE_URL": "database_url",
    "TORU_TRUSTED_PROXIES": "trusted_proxies",
    "TORU_AUTO_ENABLE": "auto_enable",
    "TORU_START_TIMEOUT": "start_timeout",
    "TORU_STOP_TIMEOUT": "stop_timeout",
}


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
