import pytest

from tests.sdk.rust.cargo import paces
from tests.system.conftest import toru
from tests.system.toru import Toru

__all__ = ["toru"]


@pytest.fixture(scope="session")
def program() -> bytes:
    return paces()


class Paces:
    """Plants the plugin that goes through its paces, under a name that says how it is to be run."""

    def __init__(self, toru: Toru, program: bytes) -> None:
        self._toru = toru
        self._program = program

    def plant(self, name: str) -> None:
        self._toru.drop(f"{name}.binary", self._program)
        self._toru.scan()

    def plant_for_an_older_core(self, name: str) -> None:
        """The same file as a plugin of toru/1, started without what older cores don't give."""
        self._toru.drop(f"{name}.bin", self._program)
        says = f'{{"id": "{name}", "name": "The {name}", "version": "1.0", "icon": "x", "route": "/{name}"}}'
        script = f"#!/bin/sh\n[ \"$1\" = --metadata ] && echo '{says}' && exit\n"
        script += 'unset LISTEN_FDS LISTEN_PID LISTEN_FDNAMES NOTIFY_SOCKET TORU_API_SOCKET\nexec "${0%ary}"\n'
        self._toru.drop(f"{name}.binary", script)
        self._toru.scan()


@pytest.fixture
def paces_plugin(toru: Toru, program: bytes) -> Paces:
    return Paces(toru, program)
