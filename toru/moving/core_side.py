"""What is done as the core's user, by a process of its own: it is told on its standard input, and answers in JSON."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from toru.domain.errors import ToruError

CORES_USER = "toru"

# The same code as ours, wherever that is installed, and -I: nothing out of the directory that root happens to be in.
RUN = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from toru.moving.core_side import main; main()"


class NotDone(ToruError):
    """The process of the core's user says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def as_core(do: str, **what: Any) -> Any:
    """What the function of this name below returns. `NotDone`, if it was refused or failed."""
    user = cores_user()
    child = subprocess.run(
        [sys.executable, "-I", "-c", RUN, do, json.dumps([path for path in sys.path if path])],
        input=json.dumps(what),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        umask=0o077,
    )
    try:
        answer = json.loads(child.stdout)
    except ValueError:
        raise NotDone("failed", f"{do} as user {CORES_USER} ended with status {child.returncode}") from None
    if "refused" in answer:
        raise NotDone(*answer["refused"])
    return answer["done"]


def cores_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(CORES_USER)
    except KeyError:
        raise NotDone(
            "not-installed", f"there is no user {CORES_USER}, so Toru is not installed on this host"
        ) from None


def copy_database(source: str, target: str) -> dict[str, Any]:
    """A copy, and the revision of its tables."""
    from toru.store.copies import copy, revision_of_file  # noqa: PLC0415  (each function loads what it needs)

    copy(Path(source), Path(target))
    return {"revision": revision_of_file(Path(target))}


def forget(path: str) -> None:
    Path(path).unlink(missing_ok=True)


def take_rows(**what: Any) -> Any:
    from toru.moving.taking import take  # noqa: PLC0415

    return take(**what)


DOINGS: Mapping[str, Callable[..., Any]] = {
    "copy_database": copy_database,
    "forget": forget,
    "take_rows": take_rows,
}


def main() -> None:
    try:
        answer = {"done": DOINGS[sys.argv[1]](**json.load(sys.stdin))}
    except ToruError as error:
        answer = {"refused": [error.code, str(error)]}
    except OSError as error:
        answer = {"refused": ["os-error", f"{error.filename or ''}: {os.strerror(error.errno or 0)}"]}
    json.dump(answer, sys.stdout)
