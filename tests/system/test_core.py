"""The core: what it costs, and what it keeps."""

import pytest

from tests.hosts.host import Host
from tests.system.toru import Toru


@pytest.mark.req("ISO-5", "SUP-2")
def test_the_core_is_quiet_when_nothing_happens(toru: Toru, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 0.05\nmax_delay = 0.1\nfailures = 3\n")
    toru.plant("calm")
    toru.plant("gone")
    toru.plant("hopeless", "odd.py", way="crashes at once", metadata={"protocol": "http"})
    toru.scan()
    toru.disable("gone")
    toru.wait_until("the hopeless one to be given up", lambda: not toru.is_loaded("hopeless"))
    # Asking systemd about a unit that is gone loads it, which is news: a careless listener asks again for ever.
    watch = ("busctl", "--system", "monitor", "--match", "type='signal',member='UnitNew'")
    heard = host.run("timeout", "2", *watch, check=False).stdout
    assert heard.count("UnitNew") < 10, heard[-2000:]
