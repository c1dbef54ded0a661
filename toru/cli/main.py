"""The program toru: runs a command, and says in one sentence what went wrong.

Exit status: 0 fine; 1 refused or failed; 2 wrong usage; 3 `toru status ID` of a plugin that is not healthy; 130 after
Ctrl-C; 141 when nobody reads the output any more.
"""

from __future__ import annotations

import io
import sys
from typing import NoReturn

from toru.cli import output
from toru.cli.refusals import WrongUsage
from toru.domain.errors import ToruError

INTERRUPTED = 130
"""As a shell reports it: 128 + SIGINT."""


def main() -> NoReturn:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale that lacks a character shows its escape
            stream.reconfigure(errors="backslashreplace")
    try:
        from toru.cli.commands import run

        status = run()
    except WrongUsage as error:
        status = _refuse(2, error.code, str(error))
    except ToruError as error:
        status = _refuse(1, error.code, str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        status = _refuse(1, "os-error", f"{where}{error.strerror or type(error).__name__}")
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status)


def _refuse(status: int, code: str, message: str) -> int:
    if output.wants_json():
        output.complain_in_json(code, message)
    else:
        output.complain(message)
    return status


if __name__ == "__main__":
    main()
