"""The plugin's storage in Toru: keys, and values that are JSON.

`Kv` waits for each answer, for plain handlers; `AsyncKv` has the same methods to be awaited. While a plugin runs
without Toru, a file stands in for the storage (`KvInFile`).
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from http.client import HTTPConnection

    from toru_plugin.host import Host

TIMEOUT = 10.0
"""Seconds: while the core restarts, who comes waits."""
_KEPT = 8
"""Connections that wait for the next use."""


class KvError(Exception):
    """The storage refused, or can't be reached: `code` is the core's word for it."""

    def __init__(self, detail: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status


class KvTooLarge(KvError):
    """Beyond a limit of a key, a value or all that the plugin keeps."""


class KvUnavailable(KvError):
    """The core is away. The plugin runs on; its storage comes back with the core."""


class KvEntry(NamedTuple):
    key: str
    value: Any
    expires_at: float | None
    """In seconds since 1970; None: never."""


class KvPage(NamedTuple):
    entries: list[KvEntry]
    next: str | None
    """For `after`, to go on; None: this is all."""


class Kv(ABC):
    @abstractmethod
    def get(self, key: str, default: Any = None) -> Any:
        """What is kept under the key, or `default`."""

    @abstractmethod
    def set(self, key: str, value: Any, *, ttl: float | None = None) -> None:
        """On disk, once this returns. After `ttl` seconds it is gone."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Well also where there is nothing."""

    @abstractmethod
    def page(self, *, prefix: str = "", after: str = "", limit: int = 100) -> KvPage:
        """Entries in the order of their keys."""

    def items(self, prefix: str = "") -> Iterator[KvEntry]:
        """All entries whose keys begin so."""
        after: str | None = ""
        while after is not None:
            entries, after = self.page(prefix=prefix, after=after, limit=1000)
            yield from entries


class KvInToru(Kv):
    """Asks the core at `TORU_API_SOCKET`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._path = f"/api/plugins/{host.plugin_id}/kv"
        self._lock = threading.Lock()
        self._idle: list[HTTPConnection] = []

    def get(self, key: str, default: Any = None) -> Any:
        value = self._ask("POST", self._path, {"action": "get", "key": key})["value"]
        return default if value is None else value

    def set(self, key: str, value: Any, *, ttl: float | None = None) -> None:
        wish = {"action": "set", "key": key, "value": value}
        self._ask("POST", self._path, wish if ttl is None else {**wish, "ttl": ttl})

    def delete(self, key: str) -> None:
        self._ask("POST", self._path, {"action": "delete", "key": key})

    def page(self, *, prefix: str = "", after: str = "", limit: int = 100) -> KvPage:
        query = f"?prefix={quote(prefix, safe='')}&after={quote(after, safe='')}&limit={limit}"
        said = self._ask("GET", self._path + query, None)
        return KvPage([KvEntry(it["key"], it["value"], it["expires_at"]) for it in said["entries"]], said["next"])

    def _ask(self, method: str, path: str, wish: dict[str, Any] | None) -> Any:
        body = None if wish is None else json.dumps(wish, allow_nan=False).encode()
        headers = {"Authorization": f"Bearer {self._host.token or ''}", "Content-Type": "application/json"}
        while True:
            connection, is_fresh = self._connection()
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
            except Exception as error:
                connection.close()
                # One that waited may have been closed meanwhile. Every action may be done twice without harm.
                if not is_fresh and isinstance(error, (ConnectionError, _http_client().HTTPException)):
                    continue
                raise KvUnavailable(f"the core does not answer: {error!r}") from error
            self._put_back(connection)
            return _understood(answer.status, content)

    def _connection(self) -> tuple[HTTPConnection, bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), False
        connection = _http_client().HTTPConnection("toru")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(TIMEOUT)
        try:
            connection.sock.connect(self._host.api_socket or "")
        except OSError as error:
            connection.close()
            raise KvUnavailable(f"the core is away: {error}") from error
        return connection, True

    def _put_back(self, connection: HTTPConnection) -> None:
        with self._lock:
            if connection.sock is not None and len(self._idle) < _KEPT:
                self._idle.append(connection)
                return
        connection.close()


class KvInFile(Kv):
    """For development: one file, for one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, key: str, default: Any = None) -> Any:
        value = self._load().get(key, (None, None))[0]
        return default if value is None else value

    def set(self, key: str, value: Any, *, ttl: float | None = None) -> None:
        with self._lock:
            self._save({**self._load(), key: (value, None if ttl is None else time.time() + ttl)})

    def delete(self, key: str) -> None:
        with self._lock:
            self._save({other: entry for other, entry in self._load().items() if other != key})

    def page(self, *, prefix: str = "", after: str = "", limit: int = 100) -> KvPage:
        kept = self._load()
        keys = [key for key in sorted(kept) if key.startswith(prefix) and key > after]
        entries = [KvEntry(key, *kept[key]) for key in keys[:limit]]
        return KvPage(entries, entries[-1].key if len(keys) > limit else None)

    def _load(self) -> dict[str, Any]:
        if not self._path.exists():
            return {}
        now = time.time()
        said = json.loads(self._path.read_text(encoding="utf-8"))
        return {key: entry for key, entry in said.items() if entry[1] is None or entry[1] > now}

    def _save(self, kept: dict[str, Any]) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(kept, allow_nan=False), encoding="utf-8")
        new.replace(self._path)


class AsyncKv:
    """The same storage, to be awaited."""

    def __init__(self, kv: Kv) -> None:
        self._kv = kv

    async def get(self, key: str, default: Any = None) -> Any:
        return await asyncio.to_thread(self._kv.get, key, default)

    async def set(self, key: str, value: Any, *, ttl: float | None = None) -> None:
        await asyncio.to_thread(self._kv.set, key, value, ttl=ttl)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._kv.delete, key)

    async def page(self, *, prefix: str = "", after: str = "", limit: int = 100) -> KvPage:
        return await asyncio.to_thread(self._kv.page, prefix=prefix, after=after, limit=limit)

    async def items(self, prefix: str = "") -> list[KvEntry]:
        """All entries whose keys begin so."""
        return await asyncio.to_thread(lambda: list(self._kv.items(prefix)))


def kv_for(host: Host) -> Kv:
    """Toru's, or a file's where there is no Toru."""
    return KvInToru(host) if host.api_socket else KvInFile(host.state_directory / "kv.json")


def _understood(status: int, content: bytes) -> Any:
    try:
        said = json.loads(content)
    except ValueError:
        said = {}
    if status == 200:
        return said
    detail, code = str(said.get("detail", f"status {status}")), str(said.get("code", ""))
    kind = KvTooLarge if status == 413 else KvUnavailable if status >= 500 else KvError
    raise kind(detail, code=code, status=status)


def _http_client() -> Any:
    import http.client

    return http.client
