"""The program that every plugin is: `--metadata`, `--dev`, or serving under systemd."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NoReturn

if TYPE_CHECKING:
    from toru_plugin.exchange import Application
    from toru_plugin.host import Host
    from toru_plugin.link import Link
    from toru_plugin.process import Activity, Listening


def run(
    application: Application, metadata: Mapping[str, Any], arguments: Sequence[str], *, host: Host, link: Link
) -> NoReturn:
    if list(arguments) == ["--metadata"]:
        print(json.dumps(metadata))
        sys.exit(0)
    asked = _parser(metadata).parse_args(arguments)
    from toru_plugin import logs

    logs.set_up()
    if asked.dev:
        from toru_plugin import dev

        dev.run(application, metadata, link, address=asked.host, port=asked.port)
    from toru_plugin.process import Process, leave

    listening = _listening(metadata, application, host)
    if listening is None:
        sys.exit(f"{metadata['id']}: nobody has handed me a socket. Toru starts me so; by hand, try --dev.")
    process = Process(application, listening, link, idle_timeout=metadata.get("idle_timeout"))
    leave(process.run())


def _listening(
    metadata: Mapping[str, Any], application: Application, host: Host
) -> Callable[[Activity], Listening] | None:
    if metadata["protocol"] == "toru/1":
        from toru_plugin.toru1 import Toru1

        path = os.environ.get("TORU_PLUGIN_SOCKET")
        return None if path is None else lambda activity: Toru1(Path(path), application, activity, host)
    from toru_plugin.notify import inherited_socket
    from toru_plugin.toru2.listening import Toru2

    listener = inherited_socket()
    return None if listener is None else lambda activity: Toru2(listener, application, activity)


def _parser(metadata: Mapping[str, Any]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"{metadata['name']}: a plugin of Toru")
    parser.add_argument("--metadata", action="store_true", help="print what the plugin says of itself, and exit")
    parser.add_argument("--dev", action="store_true", help="serve HTTP on a port, and start again when a file changes")
    parser.add_argument("--port", type=int, default=8000, help="for --dev; 0 takes any (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="for --dev: the address (default: %(default)s)")
    return parser
