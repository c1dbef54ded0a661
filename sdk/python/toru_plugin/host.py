"""What a plugin finds around it: its directories, secrets, settings, and who the host is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DEVELOPMENT = Path(".toru-dev")
"""Stands for the plugin's directories while it runs without Toru."""


class Missing(LookupError):
    """There is no such secret. The text says how an operator provides it."""


class Host:
    """Reads the environment that systemd and Toru make (docs/plugins.md, "What your program finds")."""

    def __init__(self, plugin_id: str, environment: Mapping[str, str] | None = None) -> None:
        self.plugin_id = plugin_id
        self._environment = os.environ if environment is None else environment
        self._instance_id: str | None = None

    @property
    def instance_id(self) -> str:
        """A UUID that stays the same for this installation; empty while developing."""
        return self._instance_id or self._environment.get("TORU_INSTANCE_ID", "")

    @instance_id.setter
    def instance_id(self, said: str) -> None:
        self._instance_id = said

    @property
    def state_directory(self) -> Path:
        """For what must last."""
        return self._directory("STATE_DIRECTORY", "state")

    @property
    def cache_directory(self) -> Path:
        """For what could be made again."""
        return self._directory("CACHE_DIRECTORY", "cache")

    @property
    def logs_directory(self) -> Path:
        """For log files, where the journal is not enough."""
        return self._directory("LOGS_DIRECTORY", "logs")

    @property
    def runtime_directory(self) -> Path:
        """Gone when the plugin ends."""
        return self._directory("RUNTIME_DIRECTORY", "run")

    def secret(self, name: str) -> str:
        """The text of a credential, without white space at its end. `Missing`, where there is none."""
        text = self._credential(name)
        if text is None:
            unit = f"toru-plugin-{self.plugin_id}.service"
            raise Missing(
                f"there is no credential {name!r}: an operator provides it by `systemctl edit {unit}` with "
                f"[Service] LoadCredential={name}:/path/to/file, or while developing a file of this name in "
                "$CREDENTIALS_DIRECTORY"
            )
        return text.rstrip()

    def config(self, name: str = "config") -> dict[str, Any]:
        """What a credential of this name says in JSON, or in TOML from Python 3.11 on; {} where there is none."""
        text = self._credential(name)
        if text is None:
            return {}
        if text.lstrip().startswith("{"):
            said = json.loads(text)
        else:
            import tomllib

            said = tomllib.loads(text)
        if not isinstance(said, dict):
            raise ValueError(f"the credential {name!r} is no object")
        return said

    @property
    def token(self) -> str | None:
        """What opens the plugin's storage in Toru; none while developing."""
        return self._credential("toru-token")

    @property
    def api_socket(self) -> str | None:
        """Where the core listens; none while developing."""
        return self._environment.get("TORU_API_SOCKET")

    def _directory(self, variable: str, stand_in: str) -> Path:
        named = self._environment.get(variable)
        if named:
            return Path(named)
        path = DEVELOPMENT / stand_in
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _credential(self, name: str) -> str | None:
        directory = self._environment.get("CREDENTIALS_DIRECTORY")
        if directory is None or "/" in name or name in {"", ".", ".."}:
            return None
        try:
            return Path(directory, name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
