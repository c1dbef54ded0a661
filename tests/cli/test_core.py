"""What becomes of a core that answers, but not well; and what it costs to ask one."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.server import Site
from toru.cli import api, presence, way
from toru.cli.straight import Straight
from toru.domain import places
from toru.store.engine import Database

pytestmark = pytest.mark.req("OPS-3")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The application where the command looks for the core. It has no systemd behind it."""
    database = Database(f"sqlite:///{tmp_path}/toru.db")
    database.migrate()
    site = Site(database, tmp_path)
    monkeypatch.setattr(places, "API_SOCKET", site.api_socket)
    monkeypatch.setattr(presence, "is_up", lambda: True)
    monkeypatch.setattr(presence, "knows_me", lambda: True)
    with site.running():
        yield site
    database.close()


def test_a_core_that_has_lost_systemd_is_told_of_and_done_without(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(way.to_toru(), Straight)
    said = capsys.readouterr().err
    assert said == "toru: the core is not connected with systemd, so systemd is asked itself\n"


def test_a_wish_that_the_core_cannot_carry_out_fails_in_its_words(site: Site) -> None:
    with pytest.raises(api.Refused) as refusal:
        api.ask("POST", "/api/users", {"name": "x", "password": "weak"})
    assert refusal.value.code == "invalid-input"
    assert "this password has 4 characters" in str(refusal.value)


def test_whatever_else_answers_there_is_not_believed(site: Site) -> None:
    with pytest.raises(api.NoAnswer, match="something that is not the core answers"):
        api.ask("GET", "/metrics")


def test_asking_the_core_loads_nothing_large() -> None:
    """Libraries that talk to systemd take longer to load than the core to answer."""
    large = ("asyncio", "dbus_fast", "fastapi", "pystemd", "rich", "sqlmodel", "systemd", "toru.core")
    modules = "toru.cli.commands, toru.cli.by_core, toru.cli.words"
    code = f"import sys, {modules}; print([name for name in {large} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
