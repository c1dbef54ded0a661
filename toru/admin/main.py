"""The program toru-admin: what Toru does as root, one command at a time.

Units start it (units/*.service), and ops may. Exit status: 0 done, 1 refused or failed, with a sentence in the
journal, on stderr and as the unit's status; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toru.domain.errors import ToruError
from toru.domain.ids import PluginId
from toru.systemd import notify


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    try:
        said = _run(options)
    except ToruError as error:
        notify.fail(str(error))
    except OSError as error:
        notify.fail(f"{options.command} failed: {error}")
    if said:
        notify.status(said)
        sys.stdout.write(f"{said}\n")


def _run(options: argparse.Namespace) -> str:
    # Each command loads no more than it needs: greet runs at every start of a plugin.
    match options.command:
        case "greet" | "farewell":
            return _say(options)
        case "hooks" | "webhook":
            return _tell(options)
    from toru.admin import lifecycle
    from toru.settings import load_policy

    policy = load_policy()
    match options.command:
        case "enable":
            return lifecycle.enable(PluginId(options.id), policy)
        case "disable":
            return lifecycle.disable(PluginId(options.id), policy)
        case "pause":
            return lifecycle.pause(PluginId(options.id))
        case "resume":
            return lifecycle.resume(PluginId(options.id))
        case "up":
            return lifecycle.up(policy)
        case "down":
            return lifecycle.down(policy)
        case "rescan":
            return lifecycle.scan_again_if_changed(policy)
        case _:
            return lifecycle.look_for_newcomers(policy)


def _say(options: argparse.Namespace) -> str:
    from toru.admin.greet import farewell, greet
    from toru.domain.manifest import Protocol

    if options.command == "greet":
        greet(PluginId(options.id), Protocol(options.protocol), options.within)
    else:
        farewell(PluginId(options.id), options.within)
    return ""


def _tell(options: argparse.Namespace) -> str:
    if options.command == "webhook":
        from toru.admin import webhook

        return webhook.main(sys.stdin.buffer.read())
    from toru.admin import hooks, telling

    return telling.rehearse() if options.rehearse else hooks.follow()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="toru-admin", description="What Toru does as root. See toru(1) for people.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("scan", help="look for new and changed plugins")
    commands.add_parser("rescan", help="scan if something has changed since the last scan")
    commands.add_parser("up", help="bring up every enabled plugin")
    commands.add_parser("down", help="take every plugin down; they stay enabled")
    wishes = {
        "enable": "enable a plugin, now and at boot",
        "disable": "stop a plugin and keep it off",
        "pause": "let a plugin stand still where it is",
        "resume": "let a paused plugin go on",
    }
    for name, what in wishes.items():
        commands.add_parser(name, help=what).add_argument("id", metavar="ID")
    hooks = commands.add_parser("hooks", help="tell hooks what happens to plugins, for as long as there are hooks")
    hooks.add_argument("--rehearse", action="store_true", help="tell them of a crash that did not happen, and end")
    commands.add_parser("webhook", help="run by a webhook's unit: send what stands on standard input")
    for name, what in (("greet", "run by a plugin's unit at start"), ("farewell", "run by a plugin's unit at stop")):
        message = commands.add_parser(name, help=what)
        message.add_argument("--within", type=float, default=2.0, metavar="SECONDS")
        message.add_argument("--protocol", default="toru/1")
        message.add_argument("id", metavar="ID")
    return parser


if __name__ == "__main__":
    main()
