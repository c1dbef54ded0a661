"""Reads what ops decided: `/etc/toru/toru.toml`, the drop-ins beside it, and `TORU_…` in the environment over both.

keys      every key, as a table: its rule, and where it lies in the policy
rules     what a value must be
reading   from files and environment to the policy, and where each value comes from
lines     on which line of a file a key stands
"""

from toru.settings.keys import KEYS, KEYS_OF_A_PLUGIN, VARIABLES, policy_from
from toru.settings.reading import Origin, Settings, load_policy, mistakes_in, mistakes_in_force, read_settings

__all__ = [
    "KEYS",
    "KEYS_OF_A_PLUGIN",
    "VARIABLES",
    "Origin",
    "Settings",
    "load_policy",
    "mistakes_in",
    "mistakes_in_force",
    "policy_from",
    "read_settings",
]
