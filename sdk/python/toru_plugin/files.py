"""Files that lie beside the plugin's program, on a disk or in the one file that `toru-plugin build` makes."""

from __future__ import annotations

import os
import sys


def read_beside(name: str) -> bytes:
    """The content of a file beside the program. FileNotFoundError, where there is none."""
    program = sys.modules["__main__"]
    folder = os.path.dirname(os.path.abspath(getattr(program, "__file__", None) or sys.argv[0]))  # noqa: PTH100, PTH120  (may lie in a zip)
    path = os.path.join(folder, name)  # noqa: PTH118  (the same)
    if os.path.relpath(path, folder).startswith(os.pardir):
        raise FileNotFoundError(f"{name!r} is not beside the program")
    loader = getattr(program, "__loader__", None)
    try:
        if loader is not None and hasattr(loader, "get_data"):
            content: bytes = loader.get_data(path)
            return content
        with open(path, "rb") as file:  # noqa: PTH123  (as the loader does)
            return file.read()
    except OSError as error:
        raise FileNotFoundError(f"there is no {name!r} beside the program") from error
