"""`toru-plugin`, or `python -m toru_plugin`."""

from __future__ import annotations

import sys

from toru_plugin import build


def main() -> int:
    arguments = sys.argv[1:]
    if arguments[:1] == ["build"]:
        return build.main(arguments[1:])
    print("usage: toru-plugin build [--to DIRECTORY] PROGRAM.py [FILE …]", file=sys.stderr)
    return 0 if arguments in (["--help"], ["-h"]) else 2


if __name__ == "__main__":
    sys.exit(main())
