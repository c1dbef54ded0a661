"""Every key of the settings, as a table; and the policy that values for them make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from toru.domain.errors import InvalidId
from toru.domain.events import EventKind
from toru.domain.ids import PluginId
from toru.domain.policy import PluginOverride, Policy
from toru.domain.quantities import UNITS, parse_cpu_percent, parse_memory_bytes, parse_tasks
from toru.settings import rules

KeyPath = tuple[str, ...]
"""A key with the tables it lies in: ("restart", "failures")."""


def _as_it_is(value: Any) -> Any:
    return value


def _size(value: int) -> str:
    bits, unit = next((bits, unit) for unit, bits in reversed(UNITS.items()) if value % (1 << bits) == 0)
    return f"{value >> bits}{unit}"


def _percent(value: int) -> str:
    return f"{value}%"


def _in_order(value: frozenset[EventKind]) -> list[str]:
    return [str(kind) for kind in EventKind if kind in value]


@dataclass(frozen=True, slots=True)
class Key:
    rule: Callable[[object], Any]
    field: str
    """Where its value lies in the policy, or in what is decided for one plugin."""
    spelled: Callable[[Any], Any] = _as_it_is
    """The value as one may write it in the file."""


KEYS: Mapping[str, Key] = {
    "plugins_dir": Key(rules.directory, "plugins_dir", str),
    "auto_enable": Key(rules.switch, "auto_enable"),
    "database_url": Key(rules.database_url, "database_url"),
    "trusted_proxies": Key(rules.addresses, "trusted_proxies", list),
    "start_timeout": Key(rules.seconds, "start_timeout"),
    "stop_timeout": Key(rules.seconds, "stop_timeout"),
    "restart.first_delay": Key(rules.seconds, "restart.first_delay"),
    "restart.max_delay": Key(rules.seconds, "restart.max_delay"),
    "restart.failures": Key(rules.count, "restart.failures"),
    "restart.stable_after": Key(rules.seconds, "restart.stable_after"),
    "limits.memory": Key(parse_memory_bytes, "limits.memory_bytes", _size),
    "limits.tasks": Key(parse_tasks, "limits.tasks"),
    "limits.cpu": Key(parse_cpu_percent, "limits.cpu_percent", _percent),
    "kv.value": Key(rules.value_size, "kv.value_bytes", _size),
    "kv.total": Key(rules.total_size, "kv.total_bytes", _size),
    "kv.keys": Key(rules.count, "kv.keys"),
    "events.keep_days": Key(rules.days, "events.keep_days"),
    "gateway.timeout": Key(rules.seconds, "gateway.timeout"),
    "gateway.max_body": Key(rules.body_size, "gateway.max_body", _size),
    "gateway.max_concurrent": Key(rules.count, "gateway.max_concurrent"),
    "gateway.max_waiting": Key(rules.count, "gateway.max_waiting"),
    "gateway.max_head": Key(rules.head_size, "gateway.max_head", _size),
    "hooks.events": Key(rules.kinds, "hooks.events", _in_order),
    "hooks.burst": Key(rules.count, "hooks.burst"),
    "hooks.interval": Key(rules.seconds, "hooks.interval"),
    "export.max_file": Key(rules.file_size, "export.max_file", _size),
    "export.keep": Key(rules.few, "export.keep"),
    "export.keep_days": Key(rules.days, "export.keep_days"),
}

KEYS_OF_A_PLUGIN: Mapping[str, Key] = {
    "sandbox": Key(rules.sandbox, "sandbox", str),
    "memory": Key(parse_memory_bytes, "limits.memory_bytes", _size),
    "tasks": Key(parse_tasks, "limits.tasks"),
    "cpu": Key(parse_cpu_percent, "limits.cpu_percent", _percent),
    "timeout": Key(rules.seconds, "requests.timeout"),
    "max_body": Key(rules.body_size, "requests.max_body", _size),
    "max_concurrent": Key(rules.count, "requests.max_concurrent"),
}
"""Below `[plugins.ID]`."""

VARIABLES: Mapping[str, str] = {
    "TORU_PLUGINS_DIR": "plugins_dir",
    "TORU_DATABASE_URL": "database_url",
    "TORU_TRUSTED_PROXIES": "trusted_proxies",
    "TORU_AUTO_ENABLE": "auto_enable",
    "TORU_START_TIMEOUT": "start_timeout",
    "TORU_STOP_TIMEOUT": "stop_timeout",
}

PLUGINS = "plugins"
_TABLES = frozenset(name.split(".")[0] for name in KEYS if "." in name)


@dataclass(frozen=True, slots=True)
class Mistake:
    path: KeyPath
    sentence: str


def understood(content: Mapping[str, Any]) -> tuple[dict[KeyPath, Any], list[Mistake]]:
    """What a settings table says, key by key, and what is wrong in it, both in its own order."""
    values: dict[KeyPath, Any] = {}
    mistakes: list[Mistake] = []
    for path, key, value in _said(content):
        try:
            if key is None:
                raise ValueError("is not a setting")
            values[path] = key.rule(value)
        except InvalidId as mistake:
            mistakes.append(Mistake(path, f"{PLUGINS}: {mistake}"))
        except ValueError as mistake:
            mistakes.append(Mistake(path, f"{'.'.join(path)} {mistake}"))
    return values, mistakes


def _said(content: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Key | None, object]]:
    """Every value with its key, if there is one; for a table that is none or has a wrong name, one that refuses it."""
    for name, value in content.items():
        if name == PLUGINS and isinstance(value, dict):
            for plugin_id, decided in value.items():
                yield from _said_of(plugin_id, decided)
        elif name in _TABLES and isinstance(value, dict):
            for inner, its_value in value.items():
                yield (name, inner), KEYS.get(f"{name}.{inner}"), its_value
        elif name in _TABLES or name == PLUGINS:
            yield (name,), _A_TABLE, value
        else:
            yield (name,), None if "." in name else KEYS.get(name), value


def _said_of(plugin_id: str, decided: object) -> Iterator[tuple[KeyPath, Key | None, object]]:
    try:
        PluginId(plugin_id)
    except InvalidId:
        yield (PLUGINS, plugin_id), _AN_ID, plugin_id
        return
    if not isinstance(decided, dict):
        yield (PLUGINS, plugin_id), _A_TABLE, decided
        return
    for name, value in decided.items():
        yield (PLUGINS, plugin_id, name), KEYS_OF_A_PLUGIN.get(name), value


def _refuse(_value: object) -> NoReturn:
    raise ValueError("must be a table")


_A_TABLE = Key(_refuse, "")
_AN_ID = Key(lambda value: PluginId(str(value)), "")


def policy_of(values: Mapping[KeyPath, Any]) -> Policy:
    """The policy with these values, and the defaults for the rest."""
    fields: dict[str, Any] = {}
    decided: dict[str, dict[str, Any]] = defaultdict(dict)
    for path, value in values.items():
        if path[0] == PLUGINS:
            _, plugin_id, name = path
            decided[plugin_id][KEYS_OF_A_PLUGIN[name].field] = value
        else:
            fields[KEYS[".".join(path)].field] = value
    overrides = {plugin_id: _changed(PluginOverride(), of_plugin) for plugin_id, of_plugin in decided.items()}
    policy: Policy = _changed(Policy(overrides=overrides), fields)
    return policy


def policy_from(content: Mapping[str, Any]) -> Policy:
    """The policy that a settings table says. ValueError names the key of the first mistake."""
    values, mistakes = understood(content)
    if mistakes:
        raise ValueError(mistakes[0].sentence)
    return policy_of(values)


def spelled(policy: Policy) -> dict[KeyPath, Any]:
    """Every value in force, as one may write it in a file."""
    found = {tuple(name.split(".")): key.spelled(_field(policy, key.field)) for name, key in KEYS.items()}
    for plugin_id, override in sorted(policy.overrides.items()):
        for name, key in KEYS_OF_A_PLUGIN.items():
            if (value := _field(override, key.field)) is not None:
                found[PLUGINS, plugin_id, name] = key.spelled(value)
    return found


def _changed(value: Any, fields: Mapping[str, Any]) -> Any:
    """The value with these fields changed; `restart.failures` is one of a value inside of it."""
    own: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = defaultdict(dict)
    for field, new in fields.items():
        outer, _, rest = field.partition(".")
        if rest:
            inner[outer][rest] = new
        else:
            own[outer] = new
    return replace(value, **own, **{outer: _changed(getattr(value, outer), of) for outer, of in inner.items()})


def _field(value: Any, field: str) -> Any:
    for name in field.split("."):
        value = getattr(value, name)
    return value
