"""What `toru` shows of restarts, and of a core that has only just come up."""

import json

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OPS-3", "SUP-5")


@pytest.mark.timeout(60)
def test_restarts_and_the_time_to_the_next_try_are_right_on_every_version(toru: Toru, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 3\nmax_delay = 48\n")
    toru.plant("crasher", "odd.py", way="crashes at once", metadata={"protocol": "http"})
    toru.scan()
    toru.wait_until("the third end", lambda: len(toru.ends("crasher")) >= 3, 30)
    row = toru.until_shown("crasher", 5, restarts=2, state="backing off")
    # After the third failure: 12 seconds. systemd 252 by itself would say 48, and count no restart of the core's.
    assert 0 < row["retry_in_seconds"] <= 12.3
    assert Api(host).get("/api/plugins/crasher")["restarts"] == 2
    card = dict(line.split("\t", 1) for line in host.run("toru", "status", "crasher", check=False).stdout.splitlines())
    assert card["restarts"] == "2"
    assert len(toru.starts("crasher")) == 3


@pytest.mark.req("OPS-3", "ISO-5")
def test_who_asks_as_soon_as_the_core_is_up_sees_what_runs(toru: Toru, host: Host) -> None:
    for number in range(5):
        toru.plant(f"web-{number}")
    toru.scan()
    at_once = "systemctl restart toru.service && curl -s --unix-socket /run/toru/api.sock http://toru/api/plugins"
    for _ in range(5):
        rows = json.loads(host.run("sh", "-c", at_once).stdout)
        assert {row["id"]: (row["state"], row["pid"]) for row in rows} == {
            f"web-{number}": ("running", toru.pid(f"web-{number}")) for number in range(5)
        }
