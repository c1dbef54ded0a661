"""Who may do less than before is out at once: at the door, and in the middle of an answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import pytest

from tests.gateway.server import Door, read_all, status_of
from tests.web.server import CLIENT, PASSWORD
from toru.core.accounts import SESSION_SECONDS, Change
from toru.domain.ids import PluginId
from toru.domain.people import Role, Scope, UserName
from toru.gateway import vigil

pytestmark = pytest.mark.req("SEC-1", "SEC-2")


def _token(door: Door) -> str:
    work = door.site.accounts.issue_token(UserName(CLIENT), "for a test", frozenset({Scope.USE}), None)
    made: str = door.site.do(work)[0]
    return f"Authorization: Bearer {made}"


def _sign_out(door: Door, shown: str) -> None:
    door.site.do(door.site.accounts.sign_out(shown.partition("session_id=")[2]))


def _revoke(door: Door, _shown: str) -> None:
    (facts,) = door.site.do(door.site.accounts.tokens(UserName(CLIENT)))
    door.site.do(door.site.accounts.revoke_token(UserName(CLIENT), facts.id))


def _changed(change: Change) -> Callable[[Door, str], None]:
    return lambda door, _shown: door.site.do(door.site.accounts.change(UserName(CLIENT), change))


DEEDS: dict[str, tuple[bool, Callable[[Door, str], None]]] = {
    "signs out": (False, _sign_out),
    "is disabled": (False, _changed(Change(disabled=True))),
    "gets another password": (False, _changed(Change(password=PASSWORD[::-1]))),
    "gets another role": (False, _changed(Change(role=Role.ADMIN))),
    "loses the plugin": (False, _changed(Change(with_grants=True, grants=frozenset({PluginId("another")})))),
    "is deleted": (False, lambda door, _shown: door.site.do(door.site.accounts.delete(UserName(CLIENT)))),
    "loses the token": (True, _revoke),
    "is disabled and has a token": (True, _changed(Change(disabled=True))),
}


def _ask(door: Door, path: str, shown: str) -> socket.socket:
    connection = door.connect()
    connection.sendall(f"GET /api/plugins/route/say/{path} HTTP/1.1\r\nHost: x\r\n{shown}\r\n\r\n".encode())
    return connection


def _status(door: Door, path: str, shown: str) -> int:
    with _ask(door, path, shown) as connection:
        return status_of(connection.recv(1 << 16))


AT_THE_DOOR = {"gets another role": 200, "loses the plugin": 404}
"""What they get that come again. The others are nobody any more."""


@pytest.mark.parametrize("deed", DEEDS)
def test_who_may_do_less_is_told_so_or_cut_off(tells: Door, deed: str) -> None:
    with_token, do = DEEDS[deed]
    shown = _token(tells) if with_token else f"Cookie: {tells.cookie(CLIENT)}"
    others = f"Cookie: {tells.cookie()}"
    with _ask(tells, "until-gone", shown) as stream, _ask(tells, "hold/other", others) as other:
        assert status_of(stream.recv(1 << 16)) == 200
        with _ask(tells, "hold/own", shown) as waits, _ask(tells, "held/own", others) as held:
            assert status_of(held.recv(1 << 16)) == 200
            do(tells, shown)
            assert _status(tells, "", shown) == AT_THE_DOOR.get(deed, 401)
            assert status_of(waits.recv(1 << 16)) == 401
        assert not read_all(stream).endswith(b"0\r\n\r\n")  # cut off, and one can tell
        assert _status(tells, "gone", others) == 200  # the plugin knows
        assert _status(tells, "release/other", others) == 200
        assert status_of(other.recv(1 << 16)) == 200


def test_a_stream_ends_with_its_session(tells: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vigil, "LOOK_AGAIN_SECONDS", 0.1)
    with _ask(tells, "until-gone", f"Cookie: {tells.cookie(CLIENT)}") as stream:
        assert status_of(stream.recv(1 << 16)) == 200
        tells.site.clock.now += SESSION_SECONDS + 1
        assert not read_all(stream).endswith(b"0\r\n\r\n")


def test_who_is_still_the_same_stays(tells: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vigil, "LOOK_AGAIN_SECONDS", 0.1)
    looks: list[float] = []
    look = vigil.Vigil._ask_again

    async def counted(self: vigil.Vigil, visits: list[object]) -> None:
        await look(self, visits)  # type: ignore[arg-type]
        looks.append(len(visits))

    monkeypatch.setattr(vigil.Vigil, "_ask_again", counted)
    with _ask(tells, "hold/x", _token(tells)) as waits:
        while len(looks) < 2:
            pass
        assert _status(tells, "release/x", f"Cookie: {tells.cookie()}") == 200
        answer = waits.recv(1 << 16)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["target"] == "/hold/x"
