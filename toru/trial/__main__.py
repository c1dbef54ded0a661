"""python3 -m toru.trial up|exec|down|list: what `toru try` does, without the rest of `toru`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from toru.trial import commands
from toru.trial.machine import default_plugins
from toru.trial.options import DEFAULT_NAME, Options, TrialError


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        match arguments.command:
            case "up":
                options = Options(
                    name=arguments.name,
                    port=arguments.port,
                    plugins=arguments.plugins or default_plugins(),
                    limits=arguments.limits,
                    files={"toru/toru.toml": arguments.settings.read_text()} if arguments.settings else {},
                )
                commands.up(options, detach=arguments.detach)
            case "exec":
                argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
                commands.execute(arguments.name, argv, user=arguments.user)
            case "down":
                commands.down(arguments.name)
            case "list":
                for record in commands.running():
                    print(f"{record.name:<16} http://127.0.0.1:{record.port:<7} {record.plugins or ''}".rstrip())
    except (TrialError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m toru.trial", description="Try Toru in a private systemd.")
    commands_ = parser.add_subparsers(dest="command", required=True)

    up = commands_.add_parser("up", help="boot a trial")
    up.add_argument("--name", default=DEFAULT_NAME)
    up.add_argument("--port", type=int, help="of the web address; default: 3000, or the next one that is free")
    up.add_argument("--plugins", type=Path, metavar="DIR", help="a plugins directory to show; it is never written to")
    up.add_argument("--settings", type=Path, metavar="FILE", help="to be the trial's /etc/toru/toru.toml")
    up.add_argument("--limits", action="store_true", help="enforce limits also where only cgroup v1 can")
    up.add_argument("--detach", action="store_true", help="return when it is up")

    execute = commands_.add_parser("exec", help="run a command inside a trial")
    execute.add_argument("--name", default=DEFAULT_NAME)
    execute.add_argument("--user")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND …", help="default: a shell")

    down = commands_.add_parser("down", help="end a trial")
    down.add_argument("name", nargs="?", default=DEFAULT_NAME)

    commands_.add_parser("list", help="show the trials that run")
    return parser


if __name__ == "__main__":
    sys.exit(main())
