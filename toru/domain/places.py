"""Where things lie on the host. The units in `units/` name the same places."""

from __future__ import annotations

from pathlib import Path

SETTINGS_FILE = Path("/etc/toru/toru.toml")
SETTINGS_DROP_INS = Path("/etc/toru/toru.toml.d")
HOOKS = Path("/etc/toru/hooks.d")
WEBHOOK_URL = Path("/etc/toru/webhook-url")

STATE = Path("/var/lib/toru")
INSTANCE_ID = STATE / "instance-id"
PLUGINS = STATE / "plugins"
DATABASE = STATE / "toru.db"

# Root's alone: in /var/lib/toru the core could lay down a file of this name before root does.
HOOKS_CURSOR = Path("/var/lib/toru-hooks/cursor")

# For outside agents.
LOGS = Path("/var/log/toru")
EXPORT_CURSOR = Path("/var/lib/toru-export/cursor")
# What a restore that was cut off had begun. Beside it, and root's alone, for the same reason.
RESTORE_PLAN = Path("/var/lib/toru-restore/plan.json")

PROBES = Path("/var/cache/toru/probes.json")

RUNTIME = Path("/run/toru")
CATALOGUE = RUNTIME / "catalogue.json"
SEEN = RUNTIME / "seen.json"
LOCK = RUNTIME / "admin.lock"
API_SOCKET = RUNTIME / "api.sock"
SOCKETS = RUNTIME / "plugins"
TOKENS = RUNTIME / "tokens"
WORKERS = RUNTIME / "workers"

# A plugin's own directories, each below the kind of directory systemd makes for it.
OWN_DIRECTORY = "toru-plugins"
OWN_RUNTIME = Path("/run") / OWN_DIRECTORY
OWN_LOGS = Path("/var/log") / OWN_DIRECTORY
# Where systemd keeps it for users that it makes for a while (DynamicUser= in systemd.exec(5)).
OWN_DATA = Path("/var/lib/private") / OWN_DIRECTORY

OF_PLUGINS = (Path("/var/lib"), Path("/var/cache"), Path("/var/log"), Path("/run"))
"""Where these kinds are. Where they differ from each other in file systems, so do the plugins' own."""

HOST_FIGURES = RUNTIME / "host"
"""Files of /proc about the whole host, shown to toru.service by its unit."""

PROFILES = Path("/usr/lib/toru/profiles")
RUNTIME_UNITS = Path("/run/systemd/system")


def wishes_file(plugins: Path) -> Path:
    return plugins / ".metadata" / "config.json"


def last_good_wishes_file(plugins: Path) -> Path:
    return plugins / ".metadata" / "config.last-good.json"
